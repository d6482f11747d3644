// Resources as a hub would send them, for tests. Each may be changed where a test needs it.
import type { Printer, PrintFile, PrintJob, TelemetryPoint } from "@/api/types";

export const printerSample = (change: Partial<Printer> = {}): Printer => ({
  id: "p1",
  workspace_id: "w1",
  name: "Prusa 1",
  model: "Original Prusa MK4",
  created_at: "2026-11-01T08:00:00.000Z",
  version: 1,
  state: "idle",
  contact: { state: "online", since: "2026-11-23T06:00:00.000Z" },
  status: { state: "idle", tools: [{ actual: 24.2, target: 0 }], bed: { actual: 23, target: 0 } },
  ...change,
});

export const jobSample = (change: Partial<PrintJob> = {}): PrintJob => ({
  id: "j1",
  workspace_id: "w1",
  owner_id: "u1",
  owner_name: "Ada Lovelace",
  version: 1,
  file_id: "f1",
  file_version_id: "v1",
  file_name: "bracket.gcode",
  state: "queued",
  queued_at: "2026-11-23T06:00:00.000Z",
  needs_removal: false,
  ...change,
});

export const fileSample = (change: Partial<PrintFile> = {}): PrintFile => ({
  id: "f1",
  workspace_id: "w1",
  owner_id: "u1",
  name: "bracket.gcode",
  created_at: "2026-11-23T05:00:00.000Z",
  updated_at: "2026-11-23T05:00:00.000Z",
  version_id: "v1",
  version_number: 1,
  size_bytes: 935_823,
  sha256: "00",
  extraction: "ready",
  metadata: { slicer: "PrusaSlicer", slicer_version: "2.5.0", estimated_time_s: 4380, filament_mm: 4312, filament_g: 12.86, material: "PETG", truncated: false },
  ...change,
});

export const telemetrySample = (change: Partial<TelemetryPoint> = {}): TelemetryPoint => ({
  at: "2026-11-23T06:10:00.000Z",
  fraction: 0.25,
  layer: 12,
  tools: [{ actual: 214, target: 215 }],
  bed: { actual: 60, target: 60 },
  ...change,
});
