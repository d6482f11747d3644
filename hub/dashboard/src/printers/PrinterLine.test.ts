import { afterEach, describe, expect, it } from "vitest";
import type { Printer, PrintJob } from "@/api/types";
import { jobs } from "@/live/live";
import { byTestId, mountPage } from "@/testing/mountPage";
import { jobSample, printerSample } from "@/testing/samples";
import PrinterLine from "./PrinterLine.vue";

let unmount: () => void = () => undefined;

async function show(printer: Partial<Printer>, job?: Partial<PrintJob>): Promise<HTMLElement> {
  if (job) jobs.put(jobSample({ printer_id: "p1", ...job }));
  const { wrapper } = await mountPage(PrinterLine, { printer: printerSample({ ...(job ? { current_job_id: "j1" } : {}), ...printer }) });
  unmount = () => wrapper.unmount();
  const line = byTestId("printer-card");
  if (!line) throw new Error("no line");
  return line;
}

/** The columns before that of the emergency stop; what stands where file and course would be takes two. */
const columnsBeforeStop = (line: HTMLElement): number => {
  const cells = [...line.children];
  const stop = cells.findIndex((cell) => cell.querySelector('[data-testid="printer-stop"]'));
  return cells.slice(0, stop).reduce((columns, cell) => columns + (cell.classList.contains("says") ? 2 : 1), 0);
};

afterEach(() => {
  unmount();
  jobs.replace([]);
});

describe("a printer's line", () => {
  const never = { state: "offline" as const, contact: { state: "never" as const }, status: null };
  it.each<[string, Partial<Printer>, Partial<PrintJob> | undefined]>([
    ["that is idle", {}, undefined],
    ["that prints", { state: "printing" }, { state: "printing" }],
    ["whose bed waits", { state: "awaiting_removal" }, { state: "failed", needs_removal: true }],
    ["that is away", { state: "offline", contact: { state: "lost" } }, undefined],
    ["that was never heard", never, undefined],
    ["that was never heard and has a job", never, { state: "claimed" }],
  ])("has its emergency stop in the same column: of one %s", async (_, printer, job) => {
    expect(columnsBeforeStop(await show(printer, job))).toBe(6);
  });

  const WHY = "The serial port vanished: check the printer's power and the USB cable.";

  it("says why its job has ended in a row of its own, where there is room for what to do", async () => {
    const line = await show({ state: "error" }, { state: "failed", needs_removal: true, reason: WHY });
    expect(byTestId("job-reason")?.parentElement).toBe(line);
    expect(byTestId("job-reason")?.textContent).toBe(WHY);
    expect(columnsBeforeStop(line)).toBe(6);
  });

  it.each<[string, Partial<Printer>]>([
    ["its agent says", { status: { state: "error", message: WHY } }],
    ["is said of an agent that waits over HTTPS", { state: "offline", contact: { state: "lost", since: "2026-11-23T05:00:00.000Z", waits: true } }],
  ])("has two lines for what %s, and all of it in its title", async (_, printer) => {
    const says = (await show(printer)).querySelector<HTMLElement>(".says");
    expect(says?.classList).toContain("two-lines");
    expect(says?.title).toBe(says?.textContent);
  });

  it("says to look at one that has halted, as there is no room for its agent's words beside a job", async () => {
    const line = await show(
      { state: "error", status: { state: "error", halted: true, message: "Look whether its heaters are off.", tools: [{ actual: 200, target: 200 }] } },
      { state: "failed", needs_removal: true, reason: WHY },
    );
    expect(line.textContent).toContain("when last measured. Look at the printer.");
  });
});
