import { flushPromises } from "@vue/test-utils";
import { afterEach, describe, expect, it, vi } from "vitest";
import { nextTick } from "vue";
import { VSelect } from "vuetify/components";
import * as hub from "@/api/hub";
import { Problem } from "@/api/problem";
import type { Interruption, PrintJob } from "@/api/types";
import { useLanguage } from "@/app/i18n";
import { notices } from "@/app/notices";
import { jobs } from "@/live/live";
import PrinterCard from "@/printers/PrinterCard.vue";
import PrinterLine from "@/printers/PrinterLine.vue";
import { wantsSomebody } from "@/printers/needs";
import { byTestId, mountPage } from "@/testing/mountPage";
import { jobSample, printerSample } from "@/testing/samples";
import { cutOffOf, knownOf, proposed, saidBeside } from "./cutOff";
import JobRow from "./JobRow.vue";

/** As an agent reports it. */
const PAUSED = "The printer was reset in mid-print: its position is lost. It is at layer 12, 2.40 mm. Look at the part: the print can go on from a layer, or be given up.";
const LAYERS = [11, 12, 13].map((layer) => ({ layer, height_mm: layer / 5 }));
const cutOff = (change: Partial<Interruption> = {}): Interruption =>
  ({ job_id: "j1", layer: 12, height_mm: 2.4, layers: LAYERS, reason: PAUSED, ...change });
const printer = (interruption: Interruption) => printerSample({
  state: "paused",
  current_job_id: "j1",
  status: { state: "paused", tools: [], message: "Cut off.", interruption },
});
const paused = (change: Partial<PrintJob> = {}) => jobSample({ state: "paused", printer_id: "p1", reason: PAUSED, ...change });

let unmount: () => void = () => undefined;

async function show(interruption: Interruption, change: Partial<PrintJob> = {}) {
  jobs.put(paused(change));
  const { wrapper } = await mountPage(PrinterCard, { printer: printer(interruption) });
  unmount = () => wrapper.unmount();
  return wrapper;
}
/** With plain spaces. */
const told = (): string => (byTestId("job-cut-off")?.textContent ?? "").replaceAll("\u00a0", " ");
const resumeButton = () => byTestId("cut-off-resume");
const enabled = (button: HTMLElement | null): boolean => button !== null && !button.hasAttribute("disabled");

afterEach(async () => {
  unmount();
  jobs.replace([]);
  notices.value = [];
  await useLanguage("en");
  vi.restoreAllMocks();
});

describe("a print that was cut off", () => {
  it("says what happened, what to look at, and proposes the layer that was being printed", async () => {
    await show(cutOff());
    expect(told()).toContain("at about layer 12, 2.4 mm up");
    expect(told(), "said above, in the reader's language").not.toContain("its position is lost");
    expect(document.body.textContent?.match(/was reset/g)).toHaveLength(1);
    expect(told()).toContain("still sticks to the bed");
    expect(told()).toContain("The nozzle stands at the height of layer 12: 2.4 mm.");
    expect(told()).toContain("the head homes X and Y");
    expect(told()).toContain("Z is not homed");
    expect(resumeButton()?.textContent).toContain("Resume from layer 12");
    expect(byTestId("job-resume"), "a plain resume would be refused").toBeNull();
    expect(byTestId("job-cancel")).toBeNull();
  });

  it("goes on from the layer that somebody chose", async () => {
    const resume = vi.spyOn(hub, "resumeJobFrom").mockResolvedValue(paused({ requested: "resume", version: 2 }));
    const wrapper = await show(cutOff());
    wrapper.findComponent(VSelect).vm.$emit("update:modelValue", 13);
    await nextTick();
    expect(told()).toContain("layer 13: 2.6 mm");
    resumeButton()?.click();
    await flushPromises();
    expect(resume).toHaveBeenCalledExactlyOnceWith("j1", 13);
    expect(resumeButton()?.textContent).toContain("Resuming…");
    expect(enabled(resumeButton())).toBe(false);
    expect(enabled(byTestId("cut-off-give-up")), "somebody may see then that it goes wrong").toBe(true);
  });

  it("proposes nothing when the layer is not known, and waits for a choice", async () => {
    const wrapper = await show(cutOff({ layer: null, height_mm: null }));
    expect(told()).toContain("How far the print was is not known.");
    expect(resumeButton()?.textContent).toContain("Choose a layer");
    expect(enabled(resumeButton())).toBe(false);
    wrapper.findComponent(VSelect).vm.$emit("update:modelValue", 11);
    await nextTick();
    expect(enabled(resumeButton())).toBe(true);
  });

  it("tells in the hub's words why it can't go on from there", async () => {
    vi.spyOn(hub, "resumeJobFrom").mockRejectedValue(new Problem(422, "no_such_layer", "Only from layers 11 to 13."));
    await show(cutOff());
    resumeButton()?.click();
    await flushPromises();
    expect(notices.value.map((notice) => notice.text)).toEqual(["Only from layers 11 to 13."]);
    expect(enabled(resumeButton())).toBe(true);
  });

  it.each([["a request that was refused", "The printer is not ready: switch it on.", "The printer is not ready: switch it on."], ["nothing else", null, undefined]] as const)("says too what came of %s", async (_, reason, said) => {
    await show(cutOff(), { reason });
    expect(byTestId("cut-off-reason")?.textContent).toBe(said);
  });

  it("asks before it is given up", async () => {
    const cancel = vi.spyOn(hub, "cancelJob").mockResolvedValue(paused({ requested: "cancel", version: 2 }));
    await show(cutOff());
    byTestId("cut-off-give-up")?.click();
    await flushPromises();
    expect(cancel).not.toHaveBeenCalled();
    byTestId("confirm-yes")?.click();
    await flushPromises();
    expect(cancel).toHaveBeenCalledExactlyOnceWith("j1");
    expect(byTestId("cut-off-give-up")?.textContent).toContain("Giving up…");
  });

  it("that can't go on says why and can only be given up", async () => {
    await show(cutOff({ layers: [], refusal: "The file has no layers." }));
    expect(byTestId("cut-off-refusal")?.textContent).toBe("The file has no layers.");
    expect(resumeButton()).toBeNull();
    expect(byTestId("cut-off-layer")).toBeNull();
    expect(byTestId("cut-off-give-up")).not.toBeNull();
  });

  it("offers the other layers when the one that was chosen was refused", async () => {
    await show(cutOff({ refusal: "The print can't go on from layer 13: it is cold." }));
    expect(byTestId("cut-off-refusal")?.textContent).toContain("layer 13");
    expect(byTestId("cut-off-layer")).not.toBeNull();
    expect(enabled(resumeButton())).toBe(true);
  });

  it("that was paused wants the nozzle left where the pause left it, and tells no layer's height", async () => {
    const wrapper = await show(cutOff({ layer: 43, height_mm: 13.6, parked: true, layers: [{ layer: 43, height_mm: 8.6 }] }));
    expect(told()).toContain("while the print was paused at layer 43.");
    expect(told()).toContain("Leave the nozzle where the pause left it: 13.6 mm up.");
    expect(told()).toContain("the printer takes the nozzle to be 13.6 mm up");
    expect(told()).not.toContain("8.6");
    expect(told()).not.toContain("height of");
    const items = wrapper.findComponent(VSelect).props("items") as { title: string }[];
    expect(items.map((item) => item.title)).toEqual(["Layer 43"]);
    expect(resumeButton()?.textContent).toContain("Resume from layer 43");
  });

  it.each([["de", "Lass die Düse", "in 13,6 mm Höhe"], ["nl", "Laat de nozzle", "op 13,6 mm hoogte"]] as const)("says so in %s", async (language, leave, height) => {
    await useLanguage(language);
    await show(cutOff({ height_mm: 13.6, parked: true }));
    expect(told()).toContain(leave);
    expect(told().split(height)).toHaveLength(3);
    expect(told()).not.toContain("2,4");
  });

  it.each([["de", "Ab Schicht 12 fortsetzen", "2,4 mm"], ["nl", "Hervatten vanaf laag 12", "2,4 mm"]] as const)("speaks %s", async (language, button, height) => {
    await useLanguage(language);
    await show(cutOff());
    expect(resumeButton()?.textContent).toContain(button);
    expect(told()).toContain(height);
  });

  it.each([["a line", PrinterLine], ["a row", JobRow]] as const)("shows the way to the decision in %s", async (_place, component) => {
    jobs.put(paused());
    const { printers } = await import("@/live/live");
    printers.put(printer(cutOff()));
    const { wrapper } = await mountPage(component, { printer: printer(cutOff()), job: paused() });
    unmount = () => { wrapper.unmount(); printers.replace([]); };
    expect(byTestId("cut-off-decide")?.getAttribute("href")).toContain("job=j1");
    expect(byTestId("job-resume")).toBeNull();
  });
});

describe("where a print was cut off", () => {
  it("is of this job, of a printer in reach, and of a job that is not over", () => {
    const place = cutOff();
    expect(cutOffOf(paused(), printer(place))).toEqual(place);
    expect(cutOffOf(paused({ id: "j2" }), printer(place))).toBeUndefined();
    expect(cutOffOf(paused({ state: "cancelled" }), printer(place))).toBeUndefined();
    expect(cutOffOf(paused(), { ...printer(place), contact: { state: "lost" } })).toBeUndefined();
    expect(cutOffOf(paused(), undefined)).toBeUndefined();
  });

  it("is told once: neither the pause's own reason nor the refusal is said beside it", () => {
    expect(saidBeside(paused(), cutOff())).toBeUndefined();
    expect(saidBeside(paused({ reason: "Not from layer 13." }), cutOff({ refusal: "Not from layer 13." }))).toBeUndefined();
    expect(saidBeside(paused({ reason: "Not from layer 13." }), cutOff({ refusal: "Not from layer 14." }))).toBe("Not from layer 13.");
  });

  it("is told as far as it is known, and wants somebody", () => {
    expect(knownOf(cutOff({ height_mm: undefined }))).toBe("layer");
    expect(knownOf(cutOff({ layer: undefined }))).toBe("height");
    expect(knownOf(cutOff({ parked: true }))).toBe("parked");
    expect(knownOf(cutOff({ parked: true, layer: undefined }))).toBe("parkedSomewhere");
    expect(knownOf(cutOff({ parked: true, height_mm: undefined }))).toBe("layer");
    expect(proposed(cutOff({ layer: 14 })), "power may have failed beyond what is offered").toBeUndefined();
    expect(wantsSomebody(printer(cutOff()), paused())).toBe(true);
    expect(wantsSomebody(printerSample({ state: "paused" }), paused())).toBe(false);
  });
});
