import { flushPromises } from "@vue/test-utils";
import { afterEach, describe, expect, it, vi } from "vitest";
import * as hub from "@/api/hub";
import type { Printer, PrintJob } from "@/api/types";
import { useLanguage, type Language } from "@/app/i18n";
import JobDetail from "@/jobs/JobDetail.vue";
import JobRow from "@/jobs/JobRow.vue";
import PrintTargets from "@/library/PrintTargets.vue";
import { jobs, printers } from "@/live/live";
import { mountPage } from "@/testing/mountPage";
import { jobSample, printerSample } from "@/testing/samples";
import PrinterAnnouncer from "./PrinterAnnouncer.vue";
import PrinterCard from "./PrinterCard.vue";
import PrinterLine from "./PrinterLine.vue";
import { filterPrinters, seenState } from "./states";

type Step = "pausing" | "paused" | "resuming";

/** To the hub the printer is paused all the time. */
const printerAt = (step: PrintJob["state"], shown: Printer["state"] = "paused"): Printer => printerSample({
  state: shown, current_job_id: "j1",
  status: { state: shown, tools: [], job: { job_id: "j1", state: step, fraction: 0.4, acknowledged_bytes: 1, total_bytes: 2, elapsed_s: 60 } },
});
const jobAt = (state: PrintJob["state"]): PrintJob => jobSample({ state, printer_id: "p1" });

let unmount: () => void = () => undefined;
const chips = (): string[] => [...document.querySelectorAll(".chip")].map((chip) => chip.textContent.trim());

afterEach(async () => {
  unmount();
  await useLanguage("en");
  vi.restoreAllMocks();
  printers.replace([]);
  jobs.replace([]);
});

const WORDS: [Language, Step, string][] = [
  ["en", "pausing", "Pausing…"], ["en", "paused", "Paused"], ["en", "resuming", "Resuming…"],
  ["nl", "pausing", "Pauzeert…"], ["nl", "paused", "Gepauzeerd"], ["nl", "resuming", "Hervat…"],
  ["de", "pausing", "Wird pausiert…"], ["de", "paused", "Pausiert"], ["de", "resuming", "Wird fortgesetzt…"],
];

describe.each(WORDS)("in %s, a print that is %s", (language, step, word) => {
  it.each([
    ["card", PrinterCard, { printer: printerAt(step) }],
    ["line", PrinterLine, { printer: printerAt(step) }],
    ["row of the jobs", JobRow, { job: jobAt(step) }],
    ["detail", JobDetail, { id: "j1" }],
    ["choice of a printer", PrintTargets, { modelValue: undefined }],
  ])(`is called ${word} in its %s`, async (_, component, props) => {
    await useLanguage(language);
    vi.spyOn(hub, "listTransitions").mockResolvedValue([]);
    printers.replace([printerAt(step)]);
    jobs.replace([jobAt(step)]);
    const { wrapper } = await mountPage(component, props);
    unmount = () => wrapper.unmount();
    expect(chips()).toEqual([word]);
  });
});

describe("what a printer is seen to be doing", () => {
  it("is what it tells live, then what the hub's books say of its job", () => {
    expect(seenState(printerAt("paused"), jobAt("pausing"))).toBe("paused");
    expect(seenState(printerSample({ state: "paused", status: null }), jobAt("resuming"))).toBe("resuming");
    expect(seenState(printerSample({ state: "paused", status: null }))).toBe("paused");
  });

  it.each(["offline", "attention", "printing"] as const)("is its state when that is %s", (state) => {
    expect(seenState(printerAt("pausing", state), jobAt("pausing"))).toBe(state);
  });

  it("is found by its word", () => {
    expect(filterPrinters([printerAt("pausing")], "pausing", undefined, (printer) => seenState(printer))).toHaveLength(1);
  });

  it("is said aloud when it has paused, not before", async () => {
    printers.replace([printerAt("printing", "printing")]);
    const { wrapper } = await mountPage(PrinterAnnouncer);
    unmount = () => wrapper.unmount();
    const said = (): string | undefined => document.querySelector('[role="status"]')?.textContent;
    for (const [step, expected] of [["pausing", ""], ["paused", "Prusa 1: Paused"]] as const) {
      printers.replace([printerAt(step)]);
      await flushPromises();
      expect(said()).toBe(expected);
    }
  });
});
