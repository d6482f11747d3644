import { flushPromises } from "@vue/test-utils";
import { afterEach, describe, expect, it, vi } from "vitest";
import * as hub from "@/api/hub";
import { Problem } from "@/api/problem";
import { printers } from "@/live/live";
import { byTestId, mountPage } from "@/testing/mountPage";
import { printerSample } from "@/testing/samples";
import AddPrinterDialog from "./AddPrinterDialog.vue";

let unmount: () => void = () => undefined;

afterEach(() => {
  unmount();
  printers.replace([]);
  vi.restoreAllMocks();
});

async function show(): Promise<void> {
  const expires_at = new Date(Date.now() + 600_000).toISOString();
  vi.spyOn(hub, "createPairingCode").mockResolvedValue({ code: "K7QM-4TXP", expires_at, command: "sudo stardust-agent pair http://hub K7QM-4TXP" });
  const { wrapper } = await mountPage(AddPrinterDialog, { modelValue: true });
  unmount = () => wrapper.unmount();
  await flushPromises();
}

async function type(pin: string): Promise<void> {
  byTestId("by-pin")?.click();
  await flushPromises();
  const field = document.querySelector<HTMLInputElement>("[data-testid=pin] input, input[data-testid=pin]");
  if (!field) throw new Error("no field for the PIN");
  field.value = pin;
  field.dispatchEvent(new Event("input"));
  await flushPromises();
  byTestId("send-pin")?.click();
  await flushPromises();
}

describe("adding a printer", () => {
  it("shows a code and the command for the printer host", async () => {
    await show();
    expect(byTestId("pairing-code")?.textContent).toBe("K7QM-4TXP");
    expect(byTestId("add-printer-dialog")?.innerHTML).toContain("sudo stardust-agent pair");
  });

  it("takes the PIN of a printer", async () => {
    const pair = vi.spyOn(hub, "pairByPin").mockResolvedValue(printerSample({ id: "new", name: "Ender left" }));
    await show();
    await type(" abcd-efgh ");
    expect(pair).toHaveBeenCalledWith("abcd-efgh");
    expect(byTestId("printer-joined")?.textContent).toContain("Ender left");
  });

  it("says why a PIN is not taken", async () => {
    vi.spyOn(hub, "pairByPin").mockRejectedValue(new Problem(422, "bad_pin", "No printer shows this PIN."));
    await show();
    await type("AAAA-AAAA");
    expect(byTestId("add-printer-dialog")?.textContent).toContain("No printer shows this PIN.");
    expect(byTestId("printer-joined")).toBeNull();
  });
});
