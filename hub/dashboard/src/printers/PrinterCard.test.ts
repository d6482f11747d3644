import { flushPromises } from "@vue/test-utils";
import { afterEach, describe, expect, it, vi } from "vitest";
import * as hub from "@/api/hub";
import { Problem } from "@/api/problem";
import type { PrintJob, Printer } from "@/api/types";
import { notices } from "@/app/notices";
import { jobs } from "@/live/live";
import { byTestId, mountPage } from "@/testing/mountPage";
import { jobSample, printerSample } from "@/testing/samples";
import PrinterCard from "./PrinterCard.vue";

let unmount: () => void = () => undefined;

async function show(printer: Partial<Printer>, job?: Partial<PrintJob>): Promise<HTMLElement> {
  if (job) jobs.put(jobSample({ printer_id: "p1", ...job }));
  const { wrapper } = await mountPage(PrinterCard, { printer: printerSample({ ...(job ? { current_job_id: "j1" } : {}), ...printer }) });
  unmount = () => wrapper.unmount();
  const card = byTestId("printer-card");
  if (!card) throw new Error("no card");
  return card;
}

const progress = { job_id: "j1", state: "printing" as const, fraction: 0.421, acknowledged_bytes: 1, total_bytes: 2, elapsed_s: 60, left_s: 3900, layer: 12 };

afterEach(() => {
  unmount();
  jobs.replace([]);
  notices.value = [];
  vi.restoreAllMocks();
});

describe("a printer's card", () => {
  it("says in words that it is idle", async () => {
    const card = await show({});
    expect(card.dataset).toMatchObject({ printerId: "p1", state: "idle" });
    expect(card.textContent).toContain("Idle");
    expect(card.textContent).toContain("Ready for a job");
    expect(card.textContent).toContain("24 °C");
    expect(byTestId("job-progress")).toBeNull();
  });

  it("shows a running job with its progress and the buttons for it", async () => {
    const card = await show({ state: "printing" }, { state: "printing", progress });
    expect(byTestId("job-progress")?.getAttribute("aria-valuenow")).toBe("42");
    expect(card.textContent).toContain("42%");
    expect(card.textContent).toContain("layer 12");
    expect(card.textContent).toMatch(/1\sh\s5\smin left/);
    expect(byTestId("job-pause")?.textContent).toContain("Pause");
    expect(byTestId("job-cancel")).not.toBeNull();
    expect(byTestId("confirm-removal")).toBeNull();
  });

  it("shows that a pause was asked for", async () => {
    await show({ state: "printing" }, { state: "printing", progress, requested: "pause" });
    expect(byTestId("job-pause")?.textContent).toContain("Pausing…");
    expect(byTestId("job-pause")?.hasAttribute("disabled")).toBe(true);
  });

  it("asks the hub to pause, and shows what it answers", async () => {
    vi.spyOn(hub, "pauseJob").mockResolvedValue(jobSample({ state: "printing", printer_id: "p1", requested: "pause", progress, version: 2 }));
    await show({ state: "printing" }, { state: "printing", progress });
    byTestId("job-pause")?.click();
    await flushPromises();
    expect(hub.pauseJob).toHaveBeenCalledWith("j1");
    expect(byTestId("job-pause")?.textContent).toContain("Pausing…");
  });

  it("tells in the hub's words why something cannot be done", async () => {
    vi.spyOn(hub, "pauseJob").mockRejectedValue(new Problem(409, "not_possible_now", "The print has just ended."));
    await show({ state: "printing" }, { state: "printing", progress });
    byTestId("job-pause")?.click();
    await flushPromises();
    expect(notices.value.map((notice) => notice.text)).toEqual(["The print has just ended."]);
  });

  it("asks before it cancels", async () => {
    const cancel = vi.spyOn(hub, "cancelJob").mockResolvedValue(jobSample({ state: "cancelling" }));
    await show({ state: "printing" }, { state: "printing", progress });
    byTestId("job-cancel")?.click();
    await flushPromises();
    expect(cancel).not.toHaveBeenCalled();
    expect(document.activeElement?.textContent).toBe("Keep printing");
    byTestId("confirm-yes")?.click();
    await flushPromises();
    expect(cancel).toHaveBeenCalledWith("j1");
  });

  it("asks for the bed to be cleared, also after a failure", async () => {
    const confirm = vi.spyOn(hub, "confirmRemoval").mockResolvedValue(jobSample({ state: "failed" }));
    const card = await show({ state: "awaiting_removal" }, { state: "failed", needs_removal: true });
    expect(card.textContent).toContain("Clear the bed");
    byTestId("confirm-removal")?.click();
    await flushPromises();
    expect(confirm).toHaveBeenCalledWith("j1");
  });

  it("says since when there has been no contact, and keeps the job in sight", async () => {
    const since = new Date(Date.now() - 3 * 3_600_000).toISOString();
    const card = await show({ state: "offline", contact: { state: "lost", since } }, { state: "printing", progress });
    expect(card.textContent).toContain("Offline");
    expect(card.textContent).toContain("Last contact 3 hours ago");
    expect(byTestId("job-progress")).not.toBeNull();
  });

  it("does not call the last contact now", async () => {
    const card = await show({ state: "offline", contact: { state: "lost", since: new Date(Date.now() - 20_000).toISOString() } });
    expect(card.textContent).toContain("Last contact less than a minute ago");
    expect(card.textContent).not.toMatch(/\bnow\b/);
  });

  it.each<[string, Partial<Printer>, boolean]>([
    ["in reach", {}, false],
    ["out of reach", { state: "offline", contact: { state: "lost" } }, true],
    ["halted", { state: "error", status: { state: "error", halted: true, tools: [{ actual: 24, target: 0 }] } }, true],
    ["without its cable", { state: "offline", status: { state: "offline", tools: [{ actual: 24, target: 0 }] } }, true],
  ])("says of a printer that is %s whether its temperatures are old", async (_, printer, old) => {
    const card = await show(printer);
    expect(card.textContent).toContain("24 °C");
    expect(byTestId("last-measured")?.textContent).toBe(old ? "Last measured" : undefined);
  });

  const asks = (buttons: string[], id = "a1"): Partial<Printer> => ({
    state: "attention",
    status: { state: "attention", message: "Nozzle Parked", tools: [], attention: { id, text: "Nozzle Parked", buttons } },
  });
  const answers = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>('[data-testid="printer-answer"]')];

  it("shows what the printer asks once, with its answers, and sends the one that is pressed", async () => {
    const answer = vi.spyOn(hub, "answerPrinter").mockResolvedValue(printerSample({ state: "attention" }));
    const card = await show(asks(["Purge More", "Continue"]));
    expect(card.textContent?.split("Nozzle Parked")).toHaveLength(2);
    expect(answers().map((button) => button.textContent?.trim())).toEqual(["Purge More", "Continue"]);
    answers()[1]?.click();
    await flushPromises();
    expect(answer).toHaveBeenCalledExactlyOnceWith("p1", "a1", 1);
    expect(answers()).toEqual([]);
    expect(card.textContent).toContain("Answered");
  });

  it("offers to continue when the printer waits without answers to choose from", async () => {
    const answer = vi.spyOn(hub, "answerPrinter").mockResolvedValue(printerSample());
    await show(asks([]));
    expect(answers().map((button) => button.textContent?.trim())).toEqual(["Continue"]);
    answers()[0]?.click();
    await flushPromises();
    expect(answer).toHaveBeenCalledExactlyOnceWith("p1", "a1", 0);
  });

  it("offers no answer where only the printer's own button is one", async () => {
    const attention = { id: "a1", text: "Press the button at the printer.", buttons: ["Continue"], only_at_printer: true };
    const card = await show({ state: "attention", status: { state: "attention", tools: [], attention } });
    expect(card.textContent).toContain("Press the button at the printer.");
    expect(answers()).toEqual([]);
  });

  it("keeps the answers when the hub refuses one, and says why", async () => {
    vi.spyOn(hub, "answerPrinter").mockRejectedValue(new Problem(409, "not_asked", "It was answered already."));
    await show(asks(["Continue"]));
    answers()[0]?.click();
    await flushPromises();
    expect(notices.value.map((notice) => notice.text)).toEqual(["It was answered already."]);
    expect(answers()).toHaveLength(1);
  });

  it("offers no answers while the printer is out of reach", async () => {
    const card = await show({ ...asks(["Continue"]), state: "offline", contact: { state: "lost" } });
    expect(byTestId("printer-asks")).toBeNull();
    expect(card.textContent).not.toContain("Nozzle Parked");
  });

  it("shows height, cooling, speed and flow of a running job, as far as they are known", async () => {
    const motion = { x: 101.3, y: 97, z: 2.45, fan_percent: 50, speed_percent: 110 };
    await show({ state: "printing", status: { state: "printing", tools: [], motion } }, { state: "printing", progress });
    const told = byTestId("printer-motion");
    expect(told?.textContent).toMatch(/Height2.45 mm.*Part cooling50%.*Speed110%/);
    expect(told?.textContent).not.toContain("Flow");
  });

  it("tells of a second agent that was refused", async () => {
    const at = new Date(Date.now() - 2 * 60_000).toISOString();
    const card = await show({ second_agent: { address: "192.0.2.7", at } });
    expect(card.textContent).toContain("refused at 192.0.2.7, 2 minutes ago");
    expect(card.textContent, "the first one goes on").toContain("Ready for a job");
  });

  const warm = { tools: [{ actual: 182.4, target: 0 }], bed: { actual: 55, target: 0 } };
  const hot = (): string | undefined => byTestId("still-hot")?.textContent.trim();

  it("says that it is still hot after a print, and to those who are read to without figures that change", async () => {
    await show({ state: "awaiting_removal", status: { state: "idle", ...warm } }, { state: "awaiting_removal", needs_removal: true });
    expect(hot()).toContain("Still hot: nozzle 182 °C, bed 55 °C");
    expect(byTestId("still-hot")?.parentElement?.getAttribute("role")).toBe("status");
    expect(byTestId("still-hot")?.querySelector(".unseen")?.textContent).toBe("Still hot: nozzle, bed");
  });

  it("says that one may be hot which its agent does not reach, whatever was measured", async () => {
    const card = await show({ state: "offline", status: { state: "offline", tools: [], may_be_hot: true } });
    expect(card.classList, "as loud as one that asks").toContain("asking");
    expect(hot()).toContain("May be HOT: its heaters stay as they were set until its agent reaches it again.");
  });

  it.each([
    ["after a failure", { state: "failed" as const, needs_removal: true }],
    ["after a cancel", { state: "cancelled" as const, needs_removal: true }],
    ["without a job", undefined],
  ])("says that it is still hot %s", async (_, job) => {
    await show({ state: job ? "awaiting_removal" : "idle", status: { state: "idle", ...warm } }, job);
    expect(hot()).toContain("Still hot: nozzle 182 °C, bed 55 °C");
  });

  it("says only what is hot, of several nozzles which, and nothing once all are cool", async () => {
    const status = (first: number, bed: number) =>
      ({ state: "idle" as const, tools: [{ actual: first, target: 0 }, { actual: 49.9, target: 0 }], bed: { actual: bed, target: 0 } });
    const card = await show({ status: status(50, 49) });
    expect(hot()).toContain("Still hot: nozzle 1 50 °C");
    expect(hot()).not.toContain("bed");
    unmount();
    expect(card.isConnected).toBe(false);
    await show({ status: status(49.9, 24) });
    expect(hot()).toBeUndefined();
  });

  it("says hot where somebody preheats", async () => {
    await show({ status: { state: "idle", tools: [{ actual: 120, target: 200 }], bed: { actual: 24, target: 0 } } });
    expect(hot()).toMatch(/^Hot: nozzle 120 °C/);
  });

  it.each([
    ["while a job is at work", { state: "printing" as const }, { state: "printing" as const, progress }],
    ["of a job that is not known yet", { state: "printing" as const, current_job_id: "j9" }, undefined],
    ["when what was measured is of another time", { state: "offline" as const, contact: { state: "lost" as const } }, undefined],
  ])("does not say hot %s", async (_, printer, job) => {
    await show({ ...printer, status: { state: "printing", ...warm } }, job);
    expect(hot()).toBeUndefined();
  });

  const away = { state: "offline" as const, contact: { state: "lost" as const } };
  it.each<[string, Partial<Printer>, Partial<PrintJob> | undefined, string | undefined]>([
    ["out of reach in mid-print", { ...away, status: { state: "printing", ...warm } }, { state: "printing", progress }, "nozzle 182 °C, bed 55 °C"],
    ["out of reach at the first heat", { ...away, status: { state: "preparing", bed: { actual: 21, target: 60 } } }, { state: "preparing" }, "bed 21 °C"],
    ["halted", { state: "error", status: { state: "error", halted: true, ...warm } }, { state: "failed", needs_removal: true }, "nozzle 182 °C"],
    ["without its cable", { state: "offline", status: { state: "offline", tools: [{ actual: 182, target: 200 }] } }, { state: "failed", needs_removal: true }, "nozzle 182 °C"],
    ["out of reach and done", { ...away, status: { state: "idle", ...warm } }, { state: "awaiting_removal", needs_removal: true }, undefined],
  ])("says what may be hot of a printer that is %s", async (_, printer, job, expected) => {
    await show(printer, job);
    if (expected === undefined) expect(hot()).toBeUndefined();
    else {
      expect(hot()).toContain(`May still be hot: ${expected}`);
      expect(hot()).toContain("when last measured. Look at the printer.");
    }
  });

  const waits = { state: "offline" as const, contact: { state: "lost" as const, since: "2026-11-23T05:00:00.000Z", waits: true } };
  it.each<[string, Printer["status"], Partial<PrintJob>, boolean]>([
    ["at work", null, { state: "printing" }, false],
    ["at work, and measured long ago", { state: "printing", ...warm }, { state: "paused" }, false],
    ["done", { state: "idle", ...warm }, { state: "awaiting_removal", needs_removal: true }, false],
    ["halted", { state: "error", halted: true, ...warm }, { state: "failed", needs_removal: true }, true],
  ])("does not say that contact was lost where the agent waits over HTTPS, nor what may be hot while its job is known: %s", async (_, status, job, mayBe) => {
    const card = await show({ ...waits, status }, job);
    expect(card.textContent).toContain("Gets commands at once over HTTPS");
    expect(card.textContent).not.toContain("Last contact");
    expect(hot() !== undefined).toBe(mayBe);
  });

  it("says once to look at one that has halted, where its agent says so", async () => {
    const card = await show({ state: "error", status: { state: "error", halted: true, message: "Look whether its heaters are off.", ...warm } });
    expect(hot()).toContain("when last measured.");
    expect(card.textContent?.match(/look/gi)).toHaveLength(1);
  });

  it("says that it may be hot where only its job is known", async () => {
    await show({ ...away, status: null }, { state: "paused" });
    expect(hot()).toContain("May be hot: a print was at work at the last contact.");
  });

  it("passes on what the printer says", async () => {
    const card = await show({ state: "attention", status: { state: "attention", message: "Filament runout", tools: [] } });
    expect(card.textContent).toContain("Filament runout");
  });
});
