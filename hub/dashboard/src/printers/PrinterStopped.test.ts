import { flushPromises } from "@vue/test-utils";
import { afterEach, describe, expect, it, vi } from "vitest";
import * as hub from "@/api/hub";
import type { EmergencyStop, Printer } from "@/api/types";
import { byTestId, mountPage } from "@/testing/mountPage";
import { printerSample } from "@/testing/samples";
import PrinterCard from "./PrinterCard.vue";

let unmount: () => void = () => undefined;

async function show(printer: Partial<Printer>): Promise<HTMLElement> {
  const { wrapper } = await mountPage(PrinterCard, { printer: printerSample(printer) });
  unmount = () => wrapper.unmount();
  const card = byTestId("printer-card");
  if (!card) throw new Error("no card");
  return card;
}

afterEach(() => {
  unmount();
  vi.restoreAllMocks();
});

type Told = Pick<NonNullable<Printer["status"]>, "state"> & { message?: string; halted?: boolean };
const LOOK = "Look whether the heaters are off";

const stopped = (state: EmergencyStop["state"], change: Partial<Printer> = {}): Partial<Printer> => ({
  state: "error",
  emergency_stop: {
    id: "c1", asked_by: "Ada Lovelace", asked_at: "2026-11-23T06:00:00.000Z", state, state_since: "2026-11-23T06:00:01.000Z", recorded: true,
  },
  ...change,
});

describe("an emergency stop", () => {
  it("stops the printer at once with a press and one more, which names it", async () => {
    const stop = vi.spyOn(hub, "stopPrinter").mockResolvedValue(printerSample());
    await show({ state: "printing" });
    byTestId("printer-stop")?.click();
    await flushPromises();
    expect(stop).not.toHaveBeenCalled();
    expect(document.body.textContent).toContain("Stop Prusa 1 at once?");
    byTestId("confirm-yes")?.click();
    await flushPromises();
    expect(stop).toHaveBeenCalledExactlyOnceWith("p1");
  });

  it("can be stopped whatever its state, also out of reach", async () => {
    await show({ state: "offline", contact: { state: "lost" } });
    expect(byTestId("printer-stop")?.hasAttribute("disabled")).toBe(false);
  });

  it("tells plainly how far a stop is, and what to do", async () => {
    const card = await show(stopped("sent_and_reset"));
    expect(byTestId("printer-stopped")?.textContent).toMatch(/M112 sent to Prusa 1 at .*:00:01.*board was reset/);
    expect(card.textContent).toContain("Look whether the heaters are off");
    expect(card.textContent).toContain("Stopped by Ada Lovelace");
  });

  it.each<[string, Told]>([
    ["it goes on", { state: "error", message: "It still heats to 100 °C. Switch it off." }],
    ["it has halted", { state: "error", halted: true, message: "It says that it has stopped. See whether its heaters are off." }],
    ["it has halted, by an agent that calls that otherwise", { state: "unknown", halted: true, message: "It has stopped. Switch it off." }],
  ])("leaves it to its agent to say what to do, where that speaks of the stop: %s", async (_what, status) => {
    const card = await show(stopped("sent", { status }));
    expect(byTestId("stop-since")?.textContent).toBe(status.message);
    expect(card.textContent).not.toContain(LOOK);
  });

  // The printer's state is "error" all the same: that is the hub's word for the stop.
  it.each<[string, Told]>([
    ["a remark of its firmware, after a reset", { state: "idle", message: "This firmware has no thermal runaway protection." }],
    ["trouble of its computer", { state: "printing", message: "The printer host's disk is full: the print goes on." }],
    ["a port that is gone", { state: "offline", message: "The port /dev/ttyUSB0 is not there." }],
    ["a board that is silent", { state: "connecting", message: "The printer does not answer yet." }],
    ["a question", { state: "attention", message: "Load filament" }],
    ["an interrupted print", { state: "paused", message: "The printer was reset." }],
  ])("says what to do also beside something else that its agent says: %s", async (_what, status) => {
    const card = await show(stopped("sent_and_reset", { status }));
    expect(byTestId("stop-since")?.textContent).toBe(status.message);
    expect(card.textContent).toContain(LOOK);
  });

  it.each<[string, Partial<Printer>]>([
    ["says nothing", { status: { state: "error", halted: true } }],
    ["is out of reach", { contact: { state: "lost" }, status: { state: "error", halted: true, message: "It has stopped." } }],
    ["was never heard", { status: null }],
  ])("says what to do while its agent %s", async (_what, change) => {
    const card = await show(stopped("sent", change));
    expect(byTestId("stop-since")).toBeNull();
    expect(card.textContent).toContain(LOOK);
  });

  it("says of an agent that does not answer what is known, and since when, and blames no connection", async () => {
    const since = new Date(Date.now() - 3 * 3_600_000).toISOString();
    const card = await show(stopped("not_delivered", { state: "offline", contact: { state: "lost", since } }));
    expect(card.textContent).toContain("The agent of Prusa 1 does not answer: it may be down or cut off (last contact 3 hours ago)");
    expect(card.textContent).toContain("the stop has not reached the printer, which goes on");
    expect(card.textContent).toContain("switch the printer off by hand");
  });

  it("names no last contact of one that waits over HTTPS", async () => {
    const contact = { state: "lost" as const, since: new Date(Date.now() - 3 * 3_600_000).toISOString(), waits: true };
    const card = await show(stopped("sending", { state: "offline", contact }));
    expect(card.textContent).toContain("Being sent to Prusa 1");
    expect(card.textContent).not.toContain("3 hours ago");
  });

  it("says the same of one that hangs and has not been noticed to", async () => {
    const card = await show(stopped("not_delivered"));
    expect(card.textContent).toContain("The agent of Prusa 1 does not answer: it may be down or cut off.");
    expect(card.textContent).toContain("which goes on");
    expect(card.textContent).toContain("switch the printer off by hand");
  });

  it("says that a stop could not be written down, once it is known to be sent", async () => {
    for (const [state, recorded, said] of [["sending", false, false], ["sent", false, true], ["sent", true, false]] as const) {
      const stop = { ...stopped(state).emergency_stop, recorded } as EmergencyStop;
      const card = await show({ state: "error", emergency_stop: stop });
      expect(card.textContent.includes("could not write this down"), `${state} ${String(recorded)}`).toBe(said);
      unmount();
    }
  });

  it("passes on why the agent could not stop it", async () => {
    const stop = { ...stopped("failed").emergency_stop, reason: "The port takes nothing." } as EmergencyStop;
    const card = await show({ state: "error", emergency_stop: stop });
    expect(card.textContent).toContain("The port takes nothing.");
  });

  it("takes jobs again when somebody says that the printer is in order, and means the stop that is shown", async () => {
    const clear = vi.spyOn(hub, "clearStop").mockResolvedValue(printerSample());
    await show(stopped("sent"));
    byTestId("stop-clear")?.click();
    await flushPromises();
    expect(clear).toHaveBeenCalledExactlyOnceWith("p1", "c1");
  });
});
