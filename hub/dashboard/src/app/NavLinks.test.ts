import { afterEach, describe, expect, it } from "vitest";
import type { EmergencyStop, Printer, PrintJob } from "@/api/types";
import { jobs, printers } from "@/live/live";
import { byTestId, mountPage } from "@/testing/mountPage";
import { jobSample, printerSample } from "@/testing/samples";
import NavLinks from "./NavLinks.vue";

let unmount: () => void = () => undefined;

async function count(printer: Partial<Printer>, job?: Partial<PrintJob>): Promise<string> {
  jobs.replace(job ? [jobSample({ printer_id: "p1", ...job })] : []);
  printers.replace([printerSample({ ...(job ? { current_job_id: "j1" } : {}), ...printer }), printerSample({ id: "p2", name: "Idle one" })]);
  const { wrapper } = await mountPage(NavLinks);
  unmount = () => wrapper.unmount();
  return byTestId("nav-printers")?.querySelector(".urgent [aria-hidden]")?.textContent ?? "";
}

afterEach(() => {
  unmount();
  printers.replace([]);
  jobs.replace([]);
});

const away = { state: "offline" as const, contact: { state: "lost" as const, since: "2026-11-23T05:00:00.000Z" } };
const cold = [{ actual: 24, target: 0 }];
const hot = { tools: [{ actual: 200, target: 200 }], bed: { actual: 60, target: 60 } };
const stop = (state: EmergencyStop["state"]): EmergencyStop =>
  ({ id: "c1", asked_by: "Ada", asked_at: "2026-11-23T06:00:00.000Z", state, state_since: "2026-11-23T06:00:01.000Z", recorded: true });

describe("the count beside the printers", () => {
  it.each(["sending", "port_closed", "sent", "sent_and_reset", "failed", "not_delivered"] as const)("has a printer whose stop stands: %s", async (state) => {
    for (const reach of [{}, { state: "printing" as const }, away]) {
      expect(await count({ ...reach, emergency_stop: stop(state) })).toBe("1");
      unmount();
    }
  });

  it.each<[string, Partial<Printer>, Partial<PrintJob> | undefined]>([
    ["out of reach in mid-print", { ...away, status: { state: "printing", ...hot } }, { state: "printing" }],
    ["out of reach in a print that nobody measured", { ...away, status: null }, { state: "paused" }],
    ["out of reach while it was preheated", { ...away, status: { state: "idle", ...hot, preheat: { until: "2026-11-23T07:00:00.000Z", reason: "asked" } } }, undefined],
    ["out of reach while it was heated at its panel", { ...away, status: { state: "idle", ...hot } }, undefined],
    ["without its cable", { state: "offline", status: { state: "offline", ...hot } }, { state: "failed", needs_removal: true }],
    ["halted, and out of reach since", { ...away, status: { state: "error", halted: true, ...hot } }, undefined],
  ])("has one that may be hot: %s", async (_, printer, job) => {
    expect(await count(printer, job)).toBe("1");
  });

  const interruption = { job_id: "j1", layers: [] };
  it.each<[string, Partial<Printer>, Partial<PrintJob> | undefined]>([
    ["its bed waits", { state: "awaiting_removal", status: { state: "idle", tools: cold } }, { state: "awaiting_removal", needs_removal: true }],
    ["it asks something", { state: "attention", status: { state: "attention", tools: cold } }, undefined],
    ["it reports an error", { state: "error", status: { state: "error", tools: cold } }, undefined],
    ["its print was cut off", { state: "paused", status: { state: "paused", tools: cold, interruption } }, { state: "paused" }],
  ])("keeps one that goes out of reach while %s", async (_, printer, job) => {
    expect(await count(printer, job)).toBe("1");
    unmount();
    expect(await count({ ...printer, ...away }, job)).toBe("1");
  });

  it.each<[string, Partial<Printer>, Partial<PrintJob> | undefined]>([
    ["at work", { state: "printing", status: { state: "printing", ...hot } }, { state: "printing" }],
    ["out of reach, idle and cold", { ...away, status: { state: "idle", tools: cold } }, undefined],
    ["never heard", { state: "offline", contact: { state: "never" }, status: null }, undefined],
    ["at work for an agent that waits over HTTPS", { ...away, contact: { ...away.contact, waits: true }, status: null }, { state: "printing" }],
  ])("leaves out one that is %s", async (_, printer, job) => {
    expect(await count(printer, job)).toBe("");
  });
});
