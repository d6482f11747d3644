import { flushPromises } from "@vue/test-utils";
import { afterEach, describe, expect, it, vi } from "vitest";
import * as hub from "@/api/hub";
import { Problem } from "@/api/problem";
import type { Printer } from "@/api/types";
import { notices } from "@/app/notices";
import { byTestId, mountPage } from "@/testing/mountPage";
import { printerSample } from "@/testing/samples";
import PrinterCard from "./PrinterCard.vue";
import { targetOf } from "./preheat";

let unmount: () => void = () => undefined;

async function show(printer: Partial<Printer>): Promise<void> {
  const { wrapper } = await mountPage(PrinterCard, { printer: printerSample(printer) });
  unmount = () => wrapper.unmount();
}

afterEach(() => {
  unmount();
  notices.value = [];
  vi.restoreAllMocks();
});

describe("heat without a job", () => {
  const until = new Date(Date.now() + 27 * 60_000 - 5_000).toISOString();
  const heated = (reason: "asked" | "interrupted", state: Printer["state"] = "idle"): Partial<Printer> => ({
    state, status: { state, tools: [{ actual: 180, target: 200 }], bed: { actual: 60, target: 60 }, preheat: { until, reason } },
  });
  const openMenu = async (): Promise<void> => {
    byTestId("printer-menu")?.click();
    await flushPromises();
  };

  it("says until when, how long that is, and cools down when it is told to", async () => {
    const cool = vi.spyOn(hub, "coolDownPrinter").mockResolvedValue("done");
    await show(heated("asked"));
    expect(byTestId("preheating")?.textContent).toMatch(/Preheating until .*\d.*: 27\smin left/);
    byTestId("cool-down")?.click();
    await flushPromises();
    expect(cool).toHaveBeenCalledExactlyOnceWith("p1");
  });

  it("says that a bed is kept warm for an interrupted print", async () => {
    await show(heated("interrupted", "paused"));
    expect(byTestId("preheating")?.textContent).toContain("The bed is kept warm until");
  });

  it("does not know whether it is off while contact is lost, and says so", async () => {
    await show({ ...heated("asked"), contact: { state: "lost" } });
    expect(byTestId("preheating")?.textContent).toMatch(/Was preheated until .* not known/);
    expect(byTestId("cool-down")).toBeNull();
  });

  it("does not take an order that was not answered for done", async () => {
    vi.spyOn(hub, "coolDownPrinter").mockResolvedValue("not_known");
    await show(heated("asked"));
    byTestId("cool-down")?.click();
    await flushPromises();
    expect(notices.value[0]?.text).toContain("may still be hot");
  });

  it("cools down what was heated at the printer's own panel, from its menu", async () => {
    const cool = vi.spyOn(hub, "coolDownPrinter").mockResolvedValue("done");
    await show({ status: { state: "idle", tools: [{ actual: 180, target: 200 }] } });
    await openMenu();
    byTestId("menu-cool-down")?.click();
    await flushPromises();
    expect(cool).toHaveBeenCalledExactlyOnceWith("p1");
    unmount();
    await show(heated("asked"));
    await openMenu();
    expect(byTestId("menu-cool-down"), "the card has it").toBeNull();
  });

  const cold = { actual: 24, target: 0 };
  const set = { actual: 45, target: 50 };
  // Whatever keeps the hub from removing it (hub/src/fleet/removal.rs) can be turned off here.
  it.each([
    ["a nozzle", { tools: [set] }, true],
    ["its second nozzle", { tools: [cold, set] }, true],
    ["its bed", { tools: [cold], bed: set }, true],
    ["its chamber", { tools: [cold], bed: cold, chamber: set }, true],
    ["a chamber alone", { chamber: set }, true],
    ["nothing", { tools: [cold], bed: cold, chamber: cold }, false],
  ])("offers to cool down what is heated: %s", async (_what, heaters, offered) => {
    const cool = vi.spyOn(hub, "coolDownPrinter").mockResolvedValue("done");
    await show({ status: { state: "idle", ...heaters } });
    await openMenu();
    byTestId("menu-cool-down")?.click();
    await flushPromises();
    expect(cool).toHaveBeenCalledTimes(offered ? 1 : 0);
  });

  it("passes on the hub's own advice why a hot printer is not removed, as that differs with the printer", async () => {
    const detail = "“Prusa 1” is to stop at once, and is being heated all the same (nozzle 200 °C). Switch it off first; then remove it.";
    vi.spyOn(hub, "removePrinter").mockRejectedValue(new Problem(409, "printer_hot", detail));
    await show({ status: { state: "error", tools: [{ actual: 180, target: 200 }] } });
    await openMenu();
    byTestId("menu-remove")?.click();
    await flushPromises();
    byTestId("confirm-yes")?.click();
    await flushPromises();
    expect(notices.value.map((notice) => notice.text)).toEqual([detail]);
  });

  it("passes on what the hub refuses", async () => {
    vi.spyOn(hub, "coolDownPrinter").mockRejectedValue(new Problem(409, "refused_by_printer", "A print is at work on the printer."));
    await show(heated("asked"));
    byTestId("cool-down")?.click();
    await flushPromises();
    expect(notices.value.map((notice) => notice.text)).toEqual(["A print is at work on the printer."]);
  });

  it("heats what is chosen for half an hour, each nozzle by its number", async () => {
    const preheat = vi.spyOn(hub, "preheatPrinter").mockResolvedValue("done");
    const cold = { actual: 20, target: 0 };
    await show({ status: { state: "idle", tools: [cold, cold], bed: cold } });
    await openMenu();
    byTestId("preheat-open")?.click();
    await flushPromises();
    const petg = [...document.querySelectorAll<HTMLElement>('[data-testid="preheat-material"]')].find((it) => it.textContent?.includes("PETG"));
    petg?.click();
    await flushPromises();
    byTestId("preheat-form")?.dispatchEvent(new Event("submit", { cancelable: true, bubbles: true }));
    await flushPromises();
    expect(preheat).toHaveBeenCalledExactlyOnceWith("p1", { nozzles_c: [235, 0], bed_c: 80, minutes: 30 });
  });

  it("is offered on an idle printer alone", async () => {
    await show({ state: "printing" });
    await openMenu();
    expect(byTestId("preheat-open")).toBeNull();
  });
});

describe("a target that is typed", () => {
  it.each([["200", 200], ["", 0], [" 0 ", 0], ["351", undefined], ["-1", undefined], ["20.5", undefined], ["hot", undefined]])("%s is %s", (typed, target) => {
    expect(targetOf(typed, 350)).toBe(target);
  });
});
