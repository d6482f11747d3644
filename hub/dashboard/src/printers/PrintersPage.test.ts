import { flushPromises } from "@vue/test-utils";
import { afterEach, describe, expect, it, vi } from "vitest";
import { nextTick } from "vue";
import * as hub from "@/api/hub";
import { Problem } from "@/api/problem";
import type { Printer } from "@/api/types";
import { printers, stream } from "@/live/live";
import { byTestId, mountPage } from "@/testing/mountPage";
import { printerSample } from "@/testing/samples";
import PrintersPage from "./PrintersPage.vue";

let unmount: () => void = () => undefined;
const one = printerSample({ id: "p1", name: "Farm 1", state: "printing" });
const idle = printerSample({ id: "p2", name: "Farm 2" });
const third = printerSample({ id: "p3", name: "Farm 3", state: "printing" });

async function show(): Promise<void> {
  (stream.loaded as { value: boolean }).value = true;
  printers.replace([one, idle, third]);
  const { wrapper } = await mountPage(PrintersPage);
  unmount = () => wrapper.unmount();
}
const cards = (): string[] => [...document.querySelectorAll<HTMLElement>('[data-testid="printer-card"]')].map((card) => card.dataset.printerId ?? "");
const press = async (element: HTMLElement | null | undefined): Promise<void> => {
  element?.click();
  await flushPromises();
};
/** Those that print are looked at alone, and the first of them is to be stopped. */
async function askAtThePrinting(): Promise<void> {
  await show();
  await press([...document.querySelectorAll<HTMLElement>("button")].find((button) => button.textContent?.includes("Printing")));
  expect(cards()).toEqual(["p1", "p3"]);
  await press(byTestId("printer-stop"));
}

afterEach(() => {
  unmount();
  printers.replace([]);
  (stream.loaded as { value: boolean }).value = false;
  vi.restoreAllMocks();
});

describe("the printers", () => {
  it.each<[string, Printer[], string[]]>([
    ["is in another state than is looked at", [printerSample({ ...one, state: "paused" }), idle, third], ["p3"]],
    ["is removed", [idle, third], ["p3"]],
    ["is removed, the last one", [], []],
  ])("keep the question whether to stop one at once, also when it %s", async (_, told, left) => {
    const stop = vi.spyOn(hub, "stopPrinter").mockRejectedValue(new Problem(404, "not_found", "There is no such printer."));
    await askAtThePrinting();
    printers.replace(told);
    await nextTick();
    expect(cards()).toContain("p1");
    await press(byTestId("confirm-yes"));
    expect(stop).toHaveBeenCalledExactlyOnceWith("p1");
    expect(byTestId("confirm-problem")?.textContent).toContain("There is no such printer.");
    await press([...document.querySelectorAll<HTMLElement>("[role=alertdialog] button")].find((button) => button.textContent === "No"));
    await nextTick();
    expect(cards(), "answered").toEqual(left);
  });
});
