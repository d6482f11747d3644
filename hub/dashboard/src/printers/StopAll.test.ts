import { flushPromises } from "@vue/test-utils";
import { afterEach, describe, expect, it, vi } from "vitest";
import { h, nextTick, shallowRef } from "vue";
import { api } from "@/api/client";
import * as hub from "@/api/hub";
import { Problem } from "@/api/problem";
import type { Printer } from "@/api/types";
import { byTestId, mountPage } from "@/testing/mountPage";
import { printerSample } from "@/testing/samples";
import StopAll from "./StopAll.vue";

let unmount: () => void = () => undefined;
const printers = shallowRef<Printer[]>([]);
const farm = (count: number): Printer[] => Array.from({ length: count }, (_, at) => printerSample({ id: `p${String(at + 1)}`, name: `Farm ${String(at + 1)}` }));

async function show(shown: Printer[]): Promise<void> {
  printers.value = shown;
  const { wrapper } = await mountPage({ render: () => h(StopAll, { printers: printers.value }) });
  unmount = () => wrapper.unmount();
}

async function press(testId: string): Promise<void> {
  byTestId(testId)?.click();
  await flushPromises();
}

const dialog = (): HTMLElement | null => document.querySelector<HTMLElement>("[role=alertdialog]");
const isOpen = (): boolean => Boolean(byTestId("confirm-yes")?.closest(".v-overlay--active"));
const boxes = (): HTMLInputElement[] => [...document.querySelectorAll<HTMLInputElement>("[data-testid=stop-targets] input[type=checkbox]")];
const ticked = (): string[] => boxes().filter((box) => box.checked).map((box) => box.dataset.printerId ?? "");
async function tick(id: string): Promise<void> {
  boxes().find((box) => box.dataset.printerId === id)?.click();
  await nextTick();
}
async function sayNo(): Promise<void> {
  [...(dialog()?.querySelectorAll("button") ?? [])].find((button) => button.textContent === "No")?.click();
  await flushPromises();
}
const yes = (): string => byTestId("confirm-yes")?.textContent ?? "";
const answered = { printers: [], unknown: [] };
/** What goes out to the hub. */
const listen = (unknown: string[] = []) => vi.spyOn(api, "POST").mockImplementation((() =>
  Promise.resolve({ data: { printers: [], unknown }, response: new Response(null, { status: 202 }) })) as unknown as typeof api.POST);
const asks = (body: object): [string, object] => ["/api/v1/printers/emergency-stop", { body }];

afterEach(() => {
  unmount();
  vi.restoreAllMocks();
});

describe("stop all", () => {
  it.each([[1, "Stop the printer at once?", "Stop the printer now"], [12, "Stop printers at once?", "Stop all 12 printers now"]])("asks once more, and says how many: %i", async (count, title, button) => {
    const post = listen();
    await show(farm(count));
    await press("stop-all");
    expect(post).not.toHaveBeenCalled();
    expect(dialog()?.textContent).toContain(title);
    expect(yes()).toBe(button);
    expect(boxes()).toHaveLength(count === 1 ? 0 : count);
    // Who presses Enter by then wants it.
    expect(document.activeElement).toBe(byTestId("confirm-yes"));
    await press("confirm-yes");
    expect(post).toHaveBeenCalledExactlyOnceWith(...asks({ all: true }));
    expect(isOpen()).toBe(false);
  });

  it("stops those that are ticked, and no other", async () => {
    const post = listen();
    await show(farm(12));
    await press("stop-all");
    await tick("p2");
    expect(yes()).toBe("Stop 11 printers now");
    await press("stop-choose-none");
    await tick("p10");
    expect(yes()).toBe("Stop 1 printer now");
    await tick("p3");
    expect(byTestId("stop-targets")?.textContent).toContain("2 of 12 chosen");
    // One that joins was not meant.
    printers.value = farm(13);
    await nextTick();
    expect(ticked()).toEqual(["p3", "p10"]);
    await press("confirm-yes");
    expect(post).toHaveBeenCalledExactlyOnceWith(...asks({ ids: ["p3", "p10"] }));
  });

  it("stops nobody when nobody is chosen, and says why it can't be pressed", async () => {
    const post = listen();
    await show(farm(3));
    await press("stop-all");
    await press("stop-choose-none");
    expect(ticked()).toEqual([]);
    expect(yes()).toBe("No printer chosen");
    expect(byTestId("stop-targets")?.textContent).toContain("choose at least one");
    expect(byTestId("confirm-yes")?.hasAttribute("disabled")).toBe(true);
    await press("confirm-yes");
    expect(post).not.toHaveBeenCalled();
    await press("stop-choose-all");
    await press("confirm-yes");
    expect(post).toHaveBeenCalledExactlyOnceWith(...asks({ all: true }));
  });

  it("means all when every one is ticked again, and whenever it is opened anew", async () => {
    const post = listen();
    await show(farm(2));
    await press("stop-all");
    await tick("p1");
    await tick("p1");
    expect(yes()).toBe("Stop all 2 printers now");
    await tick("p2");
    await press("confirm-yes");
    await press("stop-all");
    expect(ticked()).toEqual(["p1", "p2"]);
    await press("confirm-yes");
    expect(post.mock.calls).toEqual([asks({ ids: ["p1"] }), asks({ all: true })]);
  });

  it("lists them by name, with what each is doing, and which of them are out of reach", async () => {
    const lost = { state: "offline" as const, contact: { state: "lost" as const } };
    await show([printerSample({ id: "c", name: "Prusa 10", ...lost }), printerSample({ id: "b", name: "Prusa 2", state: "printing" }), printerSample({ id: "a", name: "Ada", ...lost, contact: { state: "lost", waits: true } })]);
    await press("stop-all");
    const rows = boxes().map((box) => box.closest("label")?.textContent?.replace(/\s/g, ""));
    expect(rows).toEqual(["AdaOffline", "Prusa2Printing", "Prusa10OutofreachOffline"]);
    expect(byTestId("stop-away")?.textContent).toContain("1 of them is out of reach: go there");
    await tick("c");
    expect(byTestId("stop-away")).toBeNull();
  });

  it("leaves the focus where somebody has put it before the dialog was all there", async () => {
    await show(farm(2));
    await press("stop-all");
    boxes()[0]?.focus();
    await new Promise((resolve) => requestAnimationFrame(resolve));
    await flushPromises();
    expect(document.activeElement).toBe(boxes()[0]);
  });

  it("stops nothing when somebody says no", async () => {
    const post = listen();
    await show(farm(2));
    await press("stop-all");
    await sayNo();
    expect(post).not.toHaveBeenCalled();
    expect(isOpen()).toBe(false);
  });

  it("says why when the hub could not be asked, and can be pressed again", async () => {
    const stop = vi.spyOn(hub, "stopAllPrinters").mockRejectedValueOnce(new Problem(503, "unavailable", "The hub is out of reach."));
    stop.mockResolvedValue(answered);
    await show(farm(2));
    await press("stop-all");
    await press("confirm-yes");
    expect(byTestId("confirm-problem")?.textContent).toContain("NOT stopped, as far as is known: The hub is out of reach. The printers go on.");
    expect(isOpen()).toBe(true);
    await press("confirm-yes");
    expect(stop).toHaveBeenCalledTimes(2);
  });

  it("names those that the hub did not know any more: they are not stopped", async () => {
    listen(["p3"]);
    await show(farm(3));
    await press("stop-all");
    await tick("p1");
    await press("confirm-yes");
    expect(isOpen()).toBe(true);
    expect(byTestId("confirm-problem")?.textContent).toContain("NOT stopped: Farm 3.");
  });

  // Whom somebody else removes before the second press may print on all the same.
  const without = (count: number, ...ids: string[]): Printer[] => farm(count).filter(({ id }) => !ids.includes(id));
  const leave = async (left: Printer[]): Promise<void> => {
    printers.value = left;
    await nextTick();
  };
  const row = (id: string): string => boxes().find((box) => box.dataset.printerId === id)?.closest("label")?.textContent ?? "";

  it("keeps those that are removed after they were chosen: they are asked for, and named", async () => {
    const post = listen(["p2"]);
    await show(farm(3));
    await press("stop-all");
    await tick("p1");
    await leave(without(3, "p2"));
    expect(ticked()).toEqual(["p2", "p3"]);
    expect(row("p2")).toContain("Removed from the hub");
    expect(row("p2"), "what it does is not known any more").not.toContain("Idle");
    expect(byTestId("stop-removed")?.textContent).toContain("1 of them was removed from the hub: go there and switch it off by hand");
    expect(yes()).toBe("Stop 2 printers now");
    await press("confirm-yes");
    expect(post).toHaveBeenCalledExactlyOnceWith(...asks({ ids: ["p2", "p3"] }));
    expect(byTestId("confirm-problem")?.textContent).toContain("NOT stopped: Farm 2.");
    expect(byTestId("confirm-problem")?.textContent).toContain("know it any more: switch it off by hand. The cards of the others");
    expect(isOpen()).toBe(true);
  });

  it("keeps the only one that was chosen", async () => {
    const post = listen(["p2"]);
    await show(farm(3));
    await press("stop-all");
    await press("stop-choose-none");
    await tick("p2");
    await leave(without(3, "p2"));
    expect(yes()).toBe("Stop 1 printer now");
    expect(byTestId("confirm-yes")?.hasAttribute("disabled")).toBe(false);
    await press("confirm-yes");
    expect(post).toHaveBeenCalledExactlyOnceWith(...asks({ ids: ["p2"] }));
    expect(byTestId("confirm-problem")?.textContent).toContain("NOT stopped: Farm 2.");
    expect(byTestId("confirm-problem")?.textContent, "there are none").not.toContain("the others");
  });

  it.each([3, 1])("keeps them where all are meant, and who joins is meant as well: %i", async (count) => {
    const post = listen(["p1"]);
    await show(farm(count));
    await press("stop-all");
    await leave(without(count + 1, "p1"));
    expect(ticked()).toEqual(farm(count + 1).map(({ id }) => id));
    await press("confirm-yes");
    expect(post).toHaveBeenCalledExactlyOnceWith(...asks({ all: true, ids: ["p1"] }));
    expect(byTestId("confirm-problem")?.textContent).toContain("NOT stopped: Farm 1.");
  });

  it("stays open when the hub's last printer is removed, and goes with it after that", async () => {
    const post = listen(["p1"]);
    await show(farm(1));
    await press("stop-all");
    await leave([]);
    expect(row("p1")).toContain("Farm 1");
    await press("confirm-yes");
    expect(post).toHaveBeenCalledExactlyOnceWith(...asks({ all: true, ids: ["p1"] }));
    expect(byTestId("confirm-problem")?.textContent).toContain("NOT stopped: Farm 1.");
    await sayNo();
    expect(byTestId("stop-all")).toBeNull();
  });

  it("can spare one that is removed, and does not know it any more when it is opened anew", async () => {
    const post = listen();
    await show(farm(3));
    await press("stop-all");
    await leave(without(3, "p2"));
    await tick("p2");
    expect(byTestId("stop-removed")).toBeNull();
    await press("confirm-yes");
    await press("stop-all");
    expect(ticked()).toEqual(["p1", "p3"]);
    await press("confirm-yes");
    expect(post.mock.calls).toEqual([asks({ ids: ["p1", "p3"] }), asks({ all: true })]);
  });

  it("has one back that the hub tells of again", async () => {
    await show(farm(3));
    await press("stop-all");
    await leave(without(3, "p2"));
    await leave(farm(3));
    expect(row("p2")).toContain("Idle");
    expect(byTestId("stop-removed")).toBeNull();
  });
});
