import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { nextTick } from "vue";
import type { Printer } from "@/api/types";
import { printers } from "@/live/live";
import { mountPage } from "@/testing/mountPage";
import { jobSample, printerSample } from "@/testing/samples";
import JobProgressBar from "./JobProgressBar.vue";

let unmount: () => void = () => undefined;
const progress = { job_id: "j1", state: "printing" as const, fraction: 0.4, acknowledged_bytes: 1, total_bytes: 2, elapsed_s: 60, left_s: 3600 };

async function show(): Promise<() => string> {
  const { wrapper } = await mountPage(JobProgressBar, { job: jobSample({ state: "printing", printer_id: "p1" }), progress });
  unmount = () => wrapper.unmount();
  return () => wrapper.text().replaceAll("\u00a0", " ");
}

async function pass(minutes: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(minutes * 60_000);
  await nextTick();
}

const put = (change: Partial<Printer>): void => printers.replace([printerSample(change)]);

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  unmount();
  printers.replace([]);
  vi.useRealTimers();
});

describe("what is left of a print", () => {
  it("runs down while it is printed", async () => {
    put({ state: "printing" });
    const text = await show();
    expect(text()).toContain("1 h left");
    await pass(10);
    expect(text()).toContain("50 min left");
    expect(text()).toContain("done");
  });

  it.each<[string, Partial<Printer>]>([
    ["waits for somebody", { state: "attention" }],
    ["is stopped", { state: "error" }],
    ["is out of reach", { state: "offline", contact: { state: "lost" } }],
  ])("stays as it is while the printer %s, and goes on from there", async (_, change) => {
    put(change);
    const text = await show();
    await pass(30);
    expect(text()).toContain("1 h left");
    expect(text()).not.toContain("done");
    put({ state: "printing" });
    await pass(10);
    expect(text()).toContain("50 min left");
  });
});
