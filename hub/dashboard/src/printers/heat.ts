// What of a printer is too hot to be touched although no job is at work on it.
import type { Printer, PrintJob } from "@/api/types";
import { awaitsRemoval, isOver } from "@/jobs/rules";
import { waitsUnseen } from "./contact";

/** From here on, in °C, a nozzle or bed counts as hot. */
const HOT_C = 50;

export interface HotPart {
  part: "nozzle" | "bed";
  /** From 1, where there are several nozzles. */
  number?: number;
  actual: number;
}

/** Whether what its live data say is so now: its agent is connected and reaches the printer, and its board has not halted. */
export const isMeasured = ({ contact, status }: Printer): boolean =>
  contact.state === "online" && status?.state !== "offline" && status?.halted !== true;

/** Nothing while a job heats on purpose, and nothing that is not measured now. */
export function hotPartsOf(printer: Printer, job: PrintJob | undefined): HotPart[] {
  if (!isMeasured(printer) || isAtWork(printer, job)) return [];
  return partsOf(printer).filter(({ actual }) => actual >= HOT_C);
}

const AT_THE_PRINTER: ReadonlySet<PrintJob["state"]> = new Set(["preparing", "printing", "pausing", "paused", "resuming", "cancelling"]);

/**
 * What may be hot although nobody measures it any more: a print was at work, it was being heated, or its board has halted. Empty:
 * it may be hot, and nothing more is known; undefined: there is no reason to think so.
 */
export function lastHotPartsOf(printer: Printer, job: PrintJob | undefined): HotPart[] | undefined {
  if (isMeasured(printer)) return undefined;
  const { status } = printer;
  const works = job ? AT_THE_PRINTER.has(job.state) : Boolean(status?.job);
  // Its agent tells how the job goes: that is hot on purpose, as one that is seen at work.
  if (waitsUnseen(printer) && job && works) return undefined;
  // Of a preheat its own words tell.
  const heats = isHeating(printer) && !status?.preheat;
  if (!works && !heats && status?.halted !== true) return undefined;
  const hot = partsOf(printer).filter(({ actual, target }) => actual >= HOT_C || target >= HOT_C);
  return hot.length > 0 || works ? hot : undefined;
}

/** The same, a preheat whose end nobody sees, and what its agent can't turn off now. */
export const mayBeHotUnseen = (printer: Printer, job: PrintJob | undefined): boolean =>
  printer.status?.may_be_hot === true || lastHotPartsOf(printer, job) !== undefined || (!isMeasured(printer) && Boolean(printer.status?.preheat));

function partsOf({ status }: Printer): (HotPart & { target: number })[] {
  if (!status) return [];
  const nozzles = status.tools ?? [];
  const parts: (HotPart & { target: number })[] = nozzles.map(({ actual, target }, index) =>
    ({ part: "nozzle", actual, target, ...(nozzles.length > 1 ? { number: index + 1 } : {}) }));
  if (status.bed) parts.push({ part: "bed", ...status.bed });
  return parts;
}

/** Whether any heater is on without a job: somebody preheats. Each of them keeps the hub from removing the printer. */
export const isHeating = ({ status }: Printer): boolean =>
  [...(status?.tools ?? []), status?.bed, status?.chamber].some((heater) => (heater?.target ?? 0) > 0);

/** Heated by something that shows no way to end it, as somebody at its panel: it can be cooled down from here all the same. */
export const mayCoolDown = (printer: Printer): boolean =>
  printer.contact.state === "online" && !printer.current_job_id && !printer.status?.preheat && isHeating(printer);

function isAtWork(printer: Printer, job: PrintJob | undefined): boolean {
  if (job) return !isOver(job.state) && !awaitsRemoval(job);
  return printer.state === "printing" || printer.state === "preparing" || printer.state === "paused";
}
