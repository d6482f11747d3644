// What of a printer is too hot to be touched although no job is at work on it.
import type { Printer, PrintJob } from "@/api/types";
import { awaitsRemoval, isOver } from "@/jobs/rules";

/** From here on, in °C, a nozzle or bed counts as hot. */
const HOT_C = 50;

export interface HotPart {
  part: "nozzle" | "bed";
  /** From 1, where there are several nozzles. */
  number?: number;
  actual: number;
}

/** Nothing while a job heats on purpose, and nothing that is not measured now. */
export function hotPartsOf(printer: Printer, job: PrintJob | undefined): HotPart[] {
  const { status } = printer;
  if (!status || printer.contact.state !== "online" || isAtWork(printer, job)) return [];
  const nozzles = status.tools ?? [];
  const parts: HotPart[] = nozzles.map(({ actual }, index) =>
    ({ part: "nozzle", actual, ...(nozzles.length > 1 ? { number: index + 1 } : {}) }));
  if (status.bed) parts.push({ part: "bed", actual: status.bed.actual });
  return parts.filter(({ actual }) => actual >= HOT_C);
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
