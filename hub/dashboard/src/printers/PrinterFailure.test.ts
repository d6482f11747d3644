import { afterEach, describe, expect, it } from "vitest";
import type { Component } from "vue";
import type { PrintJob } from "@/api/types";
import { jobs } from "@/live/live";
import { byTestId, mountPage } from "@/testing/mountPage";
import { jobSample, printerSample } from "@/testing/samples";
import PrinterCard from "./PrinterCard.vue";
import PrinterLine from "./PrinterLine.vue";

const WHY = "The nozzle did not reach 215 °C within 10 minutes. Check the heater cartridge.";
let unmount: () => void = () => undefined;

async function show(component: Component, job: Partial<PrintJob>): Promise<HTMLElement | null> {
  jobs.put(jobSample({ printer_id: "p1", needs_removal: true, ...job }));
  const { wrapper } = await mountPage(component, { printer: printerSample({ state: "awaiting_removal", current_job_id: "j1" }) });
  unmount = () => wrapper.unmount();
  return byTestId("job-reason");
}

afterEach(() => {
  unmount();
  jobs.replace([]);
});

describe.each<[string, Component]>([["card", PrinterCard], ["line", PrinterLine]])("the %s of a printer whose job has ended", (_, component) => {
  it.each(["failed", "cancelled"] as const)("says why, all of it, and leads to where all of it is seen: %s", async (state) => {
    const reason = await show(component, { state, reason: WHY });
    expect(reason?.textContent).toBe(WHY);
    expect(reason?.title).toBe(WHY);
    expect(reason?.getAttribute("href")).toBe("/jobs?job=j1");
  });

  it.each<[string, Partial<PrintJob>]>([
    ["where nobody has given a reason", { state: "failed" }],
    ["of a job that is at work: its reason is that of a request", { state: "printing", reason: "The print has just ended." }],
    ["of a print that is done", { state: "awaiting_removal" }],
  ])("says nothing %s", async (_why, job) => {
    expect(await show(component, job)).toBeNull();
  });
});
