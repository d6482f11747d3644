// What is told of a job in a word or two.
import type { PrintJob } from "@/api/types";
import { isOver } from "./rules";

/** The printer it is on, was on, or is meant for. */
export function whereOf(job: PrintJob, nameOf: (id: string) => string | undefined, firstAvailable: string): string {
  if (job.printer_id) return nameOf(job.printer_id) ?? job.printer_name ?? "–";
  if (job.target_printer_id) return nameOf(job.target_printer_id) ?? job.printer_name ?? "–";
  return job.printer_name ?? (isOver(job.state) ? "–" : firstAvailable);
}

/** How long it printed, from its start to its end; undefined when it never started. */
export function printedSeconds(job: PrintJob): number | undefined {
  if (!job.started_at || !job.finished_at) return undefined;
  return Math.max(0, (Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000);
}
