import { flushPromises } from "@vue/test-utils";
import { afterEach, describe, expect, it, vi } from "vitest";
import { h, shallowRef } from "vue";
import * as hub from "@/api/hub";
import type { EmergencyStop, Printer, PrintJob } from "@/api/types";
import { jobs } from "@/live/live";
import { byTestId, mountPage } from "@/testing/mountPage";
import { jobSample, printerSample } from "@/testing/samples";
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
  jobs.replace([]);
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
    expect(card.textContent).toContain("Stop asked for by Ada Lovelace");
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

  const headline = (): string => byTestId("stop-told")?.textContent?.trim() ?? "";
  const since = new Date(Date.now() - 3 * 3_600_000).toISOString();
  const away = { state: "offline" as const, contact: { state: "lost" as const, since } };

  it.each<[EmergencyStop["state"], Partial<Printer>, RegExp]>([
    ["sending", {}, /^NOT stopped yet: the agent of Prusa 1 has not answered\.$/],
    ["sending", away, /^NOT stopped, as far as is known: the agent of Prusa 1 does not answer \(last contact 3 hours ago\)\.$/],
    ["sending", { ...away, contact: { ...away.contact, waits: true } }, /^NOT stopped yet: the agent of Prusa 1 has not answered\.$/],
    ["port_closed", { state: "offline" }, /^NOT stopped: the port of Prusa 1 is closed\. M112 is sent if it is open again within 10 minutes, also to a printer just switched on\.$/],
    ["not_delivered", {}, /^NOT stopped, as far as is known: the agent of Prusa 1 does not answer\.$/],
    ["not_delivered", away, /^NOT stopped, as far as is known: .*\(last contact 3 hours ago\)\.$/],
    ["failed", {}, /^NOT stopped: its agent could not send M112\.$/],
  ])("that has not arrived says first that it has not, then why, then what to do: %s %o", async (state, change, told) => {
    const card = await show(stopped(state, change));
    expect(headline()).toMatch(told);
    expect(card.textContent?.split("switch the printer off by hand")).toHaveLength(2);
    expect(card.textContent).not.toContain("Stopped by");
  });

  it.each(["The port takes nothing. Switch the printer off by hand.", "The port takes nothing."])("says what to do once, also where its agent does: %s", async (reason) => {
    const stop = { ...stopped("failed").emergency_stop, reason } as EmergencyStop;
    const card = await show({ state: "error", emergency_stop: stop });
    expect(headline()).toBe("NOT stopped: The port takes nothing.");
    expect(card.textContent?.match(/switch the printer off by hand/gi)).toHaveLength(1);
  });

  const hot = { tools: [{ actual: 200, target: 200 }], bed: { actual: 60, target: 60 } };
  const onIt = (change: Partial<PrintJob>): Partial<Printer> => {
    jobs.put(jobSample({ printer_id: "p1", needs_removal: true, ...change }));
    return { current_job_id: "j1" };
  };

  it("says once on its card when its agent was heard", async () => {
    const card = await show(stopped("not_delivered", { ...away, ...onIt({ state: "printing" }), status: { state: "printing", ...hot } }));
    expect(card.textContent?.match(/last contact/gi)).toHaveLength(1);
  });

  it("says once on its card to look: neither the job that it ended nor the heat says so, too", async () => {
    const reason = "Stopped at once from the hub (M112). Look whether the printer's heaters are off, else switch it off.";
    const job = onIt({ state: "failed", finished_at: "2026-11-23T06:00:01.000Z", reason });
    const card = await show(stopped("sent", { ...job, status: { state: "error", halted: true, ...hot, message: "It has stopped. Look whether its heaters are off." } }));
    expect(card.textContent).toContain("May still be hot: nozzle 200 °C, bed 60 °C when last measured.");
    expect(card.textContent?.match(/look/gi)).toHaveLength(1);
  });

  it.each<[string, EmergencyStop["state"], string]>([
    ["before the stop", "sent", "2026-11-23T05:59:00.000Z"],
    ["without it", "port_closed", "2026-11-23T06:00:01.000Z"],
  ])("keeps the reason of a job that ended %s", async (_, state, finished) => {
    await show(stopped(state, onIt({ state: "failed", finished_at: finished, reason: "The serial port vanished." })));
    expect(byTestId("job-reason")?.textContent).toBe("The serial port vanished.");
  });

  it("says that a stop could not be written down, once it is known to be sent", async () => {
    for (const [state, recorded, said] of [["sending", false, false], ["sent", false, true], ["sent", true, false]] as const) {
      const stop = { ...stopped(state).emergency_stop, recorded } as EmergencyStop;
      const card = await show({ state: "error", emergency_stop: stop });
      expect(card.textContent.includes("could not write this down"), `${state} ${String(recorded)}`).toBe(said);
      unmount();
    }
  });

  it("takes jobs again when somebody says that the printer is in order, and means the stop that is shown", async () => {
    const clear = vi.spyOn(hub, "clearStop").mockResolvedValue(printerSample());
    await show(stopped("sent"));
    byTestId("stop-clear")?.click();
    await flushPromises();
    expect(clear).toHaveBeenCalledExactlyOnceWith("p1", "c1");
  });

  it.each(["sending", "port_closed", "failed", "not_delivered"] as const)("that has not arrived is taken back only by who has read that it has not: %s", async (state) => {
    const clear = vi.spyOn(hub, "clearStop").mockResolvedValue(printerSample());
    await show(stopped(state));
    byTestId("stop-clear")?.click();
    await flushPromises();
    expect(clear).not.toHaveBeenCalled();
    const asked = document.querySelector('[role="alertdialog"]')?.textContent ?? "";
    expect(asked).toContain("Take back the stop of Prusa 1?");
    expect(asked).toMatch(/has NOT reached the printer.*taken back.*may be hot.*[Ss]witch it off by hand/);
    expect(document.activeElement?.textContent).toBe("Keep the stop");
    byTestId("confirm-yes")?.click();
    await flushPromises();
    expect(clear).toHaveBeenCalledExactlyOnceWith("p1", "c1");
  });

  it.each<[string, Partial<Printer>]>([
    ["the stop arrives", stopped("sent")],
    ["it is stopped anew", { ...stopped("sending"), emergency_stop: { ...stopped("sending").emergency_stop, id: "c2" } as EmergencyStop }],
  ])("does not go on asking that when %s meanwhile", async (_, later) => {
    const printer = shallowRef(printerSample(stopped("sending")));
    const { wrapper } = await mountPage({ render: () => h(PrinterCard, { printer: printer.value }) });
    unmount = () => wrapper.unmount();
    byTestId("stop-clear")?.click();
    await flushPromises();
    printer.value = printerSample(later);
    await flushPromises();
    await vi.waitFor(() => expect(document.querySelector(".v-overlay--active")).toBeNull());
  });
});
