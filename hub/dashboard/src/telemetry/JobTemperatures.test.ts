import { flushPromises } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { nextTick, reactive } from "vue";
import * as hub from "@/api/hub";
import { Problem } from "@/api/problem";
import type { JobState, PrintJob, TelemetryPoint } from "@/api/types";
import { useLanguage } from "@/app/i18n";
import JobDetail from "@/jobs/JobDetail.vue";
import { jobs } from "@/live/live";
import { byTestId, mountPage } from "@/testing/mountPage";
import { jobSample, telemetrySample } from "@/testing/samples";
import JobTemperatures from "./JobTemperatures.vue";

const BEGIN = Date.parse("2026-11-23T06:00:00.000Z");
/** Samples a minute apart; after the third, nothing for half an hour. */
const course = (count = 6): TelemetryPoint[] => Array.from({ length: count }, (_, index) => telemetrySample({
  at: new Date(BEGIN + (index + (index > 2 ? 30 : 0)) * 60_000).toISOString(),
  fraction: index / 10, layer: index + 1, tools: [{ actual: 200 + index, target: 205 }],
}));

const props = reactive<{ job: PrintJob }>({ job: jobSample() });
const inState = (state: JobState): PrintJob => jobSample({ state, started_at: "2026-11-23T06:00:00.000Z" });
let unmount: () => void = () => undefined;

async function show(state: JobState = "printing"): Promise<void> {
  props.job = inState(state);
  const { wrapper } = await mountPage(JobTemperatures, props);
  unmount = () => wrapper.unmount();
  await flushPromises();
}
const text = (id: string): string => (byTestId(id)?.textContent ?? "").replaceAll("\u00a0", " ").replaceAll(/\s+/g, " ").trim();
const cursor = (): HTMLElement => byTestId("chart-cursor") as HTMLElement;
const told = (): string => cursor().getAttribute("aria-valuetext") ?? "";
async function press(...keys: string[]): Promise<void> {
  for (const key of keys) cursor().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  await nextTick();
}
function hide(hidden: boolean): void {
  vi.spyOn(document, "hidden", "get").mockReturnValue(hidden);
  document.dispatchEvent(new Event("visibilitychange"));
}

beforeEach(() => { vi.useFakeTimers({ now: BEGIN + 3_600_000 }); });
afterEach(async () => {
  unmount();
  unmount = () => undefined;
  vi.useRealTimers();
  vi.restoreAllMocks();
  jobs.replace([]);
  await useLanguage("en");
});

describe("the temperatures of a print", () => {
  it("are drawn, broken where nothing is known, and summed up for who does not see them", async () => {
    vi.spyOn(hub, "readTelemetry").mockResolvedValue(course());
    await show();
    const [nozzle] = document.querySelectorAll('[data-testid="line-measured"]');
    expect(nozzle?.getAttribute("d")?.match(/M/g)).toHaveLength(2);
    expect(document.querySelectorAll('[data-testid="line-set"]')).toHaveLength(2);
    expect(text("chart-gaps")).toContain("Where it is grey, nothing is known");
    expect(text("chart-summary")).toMatch(/^From .+ to .+\. Nozzle: last 205 °C of 205 °C, highest 205 °C\. Bed: last 60 °C of 60 °C, highest 60 °C\.$/);
  });

  it("are read off with the arrow keys; the latest when nobody points", async () => {
    vi.spyOn(hub, "readTelemetry").mockResolvedValue(course());
    await show();
    expect(text("chart-readings")).toContain("Latest");
    expect(told()).toContain("50%, layer 6, Nozzle 205 °C of 205 °C, Bed 60 °C of 60 °C");
    await press("ArrowLeft", "ArrowLeft");
    expect(told()).toContain("30%, layer 4, Nozzle 203 °C");
    expect(text("chart-readings")).toContain("203/205 °C");
    expect(text("chart-readings")).not.toContain("Latest");
    await press("Home", "ArrowLeft");
    expect(cursor().getAttribute("aria-valuenow")).toBe("0");
    await press("End", "ArrowRight", "Tab");
    expect(cursor().getAttribute("aria-valuenow")).toBe("5");
    cursor().dispatchEvent(new FocusEvent("blur"));
    await nextTick();
    expect(text("chart-readings")).toContain("Latest");
  });

  it("follow a pointer until a mouse leaves", async () => {
    vi.spyOn(hub, "readTelemetry").mockResolvedValue(course());
    await show();
    cursor().dispatchEvent(new PointerEvent("pointermove", { clientX: 0, pointerType: "mouse" }));
    await nextTick();
    expect(cursor().getAttribute("aria-valuenow")).toBe("0");
    cursor().dispatchEvent(new PointerEvent("pointerleave", { pointerType: "touch" }));
    await nextTick();
    expect(cursor().getAttribute("aria-valuenow")).toBe("0");
    cursor().dispatchEvent(new PointerEvent("pointerleave", { pointerType: "mouse" }));
    await nextTick();
    expect(cursor().getAttribute("aria-valuenow")).toBe("5");
  });

  it("say when there is nothing", async () => {
    vi.spyOn(hub, "readTelemetry").mockResolvedValue([]);
    await show();
    expect(text("job-temperatures")).toContain("Nothing has been recorded of this print yet.");
    props.job = inState("finished");
    await nextTick();
    expect(text("job-temperatures")).toContain("Nothing was recorded of this print.");
    expect(byTestId("chart-cursor")).toBeNull();
  });

  it("say when they could not be loaded, and can be asked for again", async () => {
    const read = vi.spyOn(hub, "readTelemetry").mockRejectedValueOnce(new Problem(500, "x", "")).mockResolvedValue(course());
    await show("finished");
    expect(text("temperatures-failed")).toContain("The temperatures could not be loaded.");
    byTestId("temperatures-retry")?.click();
    await flushPromises();
    expect(read).toHaveBeenCalledTimes(2);
    expect(byTestId("temperatures-failed")).toBeNull();
    expect(byTestId("chart-cursor")).not.toBeNull();
  });

  it("stay when later ones can't be loaded, and say that they are old", async () => {
    vi.spyOn(hub, "readTelemetry").mockResolvedValueOnce(course()).mockRejectedValue(new Problem(0, "hub_unreachable", ""));
    await show();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(byTestId("chart-cursor")).not.toBeNull();
    expect(text("temperatures-failed")).toContain("The latest temperatures could not be loaded.");
  });

  it.each([["de", "Düse 205 °C von 205 °C, Druckbett"], ["nl", "Nozzle 205 °C van 205 °C, Printbed"]] as const)("speak %s", async (language, words) => {
    await useLanguage(language);
    vi.spyOn(hub, "readTelemetry").mockResolvedValue(course());
    await show();
    expect(told()).toContain(words);
  });
});

describe("reading them again", () => {
  it("goes on while the job does, once more after its end, and stops with the panel", async () => {
    const read = vi.spyOn(hub, "readTelemetry").mockResolvedValue(course());
    await show();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(read).toHaveBeenCalledTimes(3);
    props.job = inState("awaiting_removal");
    await vi.advanceTimersByTimeAsync(300_000);
    expect(read, "the last samples came after the end").toHaveBeenCalledTimes(4);
    props.job = inState("printing");
    unmount();
    unmount = () => undefined;
    await vi.advanceTimersByTimeAsync(300_000);
    expect(read).toHaveBeenCalledTimes(4);
  });

  it("rests while nobody sees the page, and catches up", async () => {
    const read = vi.spyOn(hub, "readTelemetry").mockResolvedValue(course());
    await show();
    hide(true);
    await vi.advanceTimersByTimeAsync(100_000);
    expect(read).toHaveBeenCalledTimes(1);
    hide(false);
    await flushPromises();
    expect(read).toHaveBeenCalledTimes(2);
  });

  it("keeps the cursor at its moment", async () => {
    vi.spyOn(hub, "readTelemetry").mockResolvedValueOnce(course(6)).mockResolvedValue(course(9));
    await show();
    await press("Home", "ArrowRight");
    const before = told();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(cursor().getAttribute("aria-valuemax")).toBe("8");
    expect(told()).toBe(before);
  });
});

describe("a job's detail", () => {
  it.each([["queued", undefined, false], ["claimed", undefined, false], ["printing", "2026-11-23T06:00:00.000Z", true]] as const)(
    "of a job that is %s", async (state, startedAt, shown) => {
      vi.spyOn(hub, "readTelemetry").mockResolvedValue(course());
      vi.spyOn(hub, "listTransitions").mockResolvedValue([]);
      jobs.put(jobSample({ state, started_at: startedAt }));
      const { wrapper } = await mountPage(JobDetail, { id: "j1" });
      unmount = () => wrapper.unmount();
      await flushPromises();
      expect(byTestId("job-temperatures") !== null).toBe(shown);
    });
});
