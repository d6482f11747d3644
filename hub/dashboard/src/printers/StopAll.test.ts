import { flushPromises } from "@vue/test-utils";
import { afterEach, describe, expect, it, vi } from "vitest";
import * as hub from "@/api/hub";
import { Problem } from "@/api/problem";
import { byTestId, mountPage } from "@/testing/mountPage";
import StopAll from "./StopAll.vue";

let unmount: () => void = () => undefined;

async function show(count: number): Promise<void> {
  const { wrapper } = await mountPage(StopAll, { count });
  unmount = () => wrapper.unmount();
}

async function press(testId: string): Promise<void> {
  byTestId(testId)?.click();
  await flushPromises();
}

const dialog = (): HTMLElement | null => document.querySelector<HTMLElement>("[role=alertdialog]");
const isOpen = (): boolean => Boolean(byTestId("confirm-yes")?.closest(".v-overlay--active"));
const answered = { printers: [], unknown: [] };

afterEach(() => {
  unmount();
  vi.restoreAllMocks();
});

describe("stop all", () => {
  it.each([[1, "Stop the printer at once?"], [12, "Stop all 12 printers at once?"]])("asks once more, and says how many: %i", async (count, title) => {
    const stop = vi.spyOn(hub, "stopAllPrinters").mockResolvedValue(answered);
    await show(count);
    await press("stop-all");
    expect(stop).not.toHaveBeenCalled();
    expect(dialog()?.textContent).toContain(title);
    // Who presses Enter by then wants it.
    expect(document.activeElement).toBe(byTestId("confirm-yes"));
    await press("confirm-yes");
    expect(stop).toHaveBeenCalledOnce();
    expect(isOpen()).toBe(false);
  });

  it("stops nothing when somebody says no", async () => {
    const stop = vi.spyOn(hub, "stopAllPrinters").mockResolvedValue(answered);
    await show(2);
    await press("stop-all");
    [...(dialog()?.querySelectorAll("button") ?? [])].find((button) => button.textContent === "No")?.click();
    await flushPromises();
    expect(stop).not.toHaveBeenCalled();
    expect(isOpen()).toBe(false);
  });

  it("says why when the hub could not be asked, and can be pressed again", async () => {
    const stop = vi.spyOn(hub, "stopAllPrinters").mockRejectedValueOnce(new Problem(503, "unavailable", "The hub is out of reach."));
    stop.mockResolvedValue(answered);
    await show(2);
    await press("stop-all");
    await press("confirm-yes");
    expect(byTestId("confirm-problem")?.textContent).toContain("NOT stopped, as far as is known: The hub is out of reach.");
    expect(isOpen()).toBe(true);
    await press("confirm-yes");
    expect(stop).toHaveBeenCalledTimes(2);
  });
});
