// What may be asked of a job now, and what is being waited for. The hub decides; this decides which buttons are shown.
import type { JobProgress, JobState, PrinterStatus, PrintJob } from "@/api/types";

const OVER: ReadonlySet<JobState> = new Set(["finished", "cancelled", "failed"]);
const NOT_STARTED: ReadonlySet<JobState> = new Set(["awaiting_approval", "queued"]);

export const isOver = (state: JobState): boolean => OVER.has(state);
export const isActive = (state: JobState): boolean => !OVER.has(state);
export const hasStarted = (state: JobState): boolean => !NOT_STARTED.has(state);

/** The bed must be cleared: after a finished print, and after one that ended in the middle. */
export const awaitsRemoval = (job: PrintJob): boolean =>
  job.needs_removal && !job.removed_at && (job.state === "awaiting_removal" || isOver(job.state));

export type Asked = "pause" | "resume" | "cancel";

/** What was asked of the printer and is not yet done. */
export function pendingOf(job: PrintJob): Asked | undefined {
  if (isOver(job.state)) return undefined;
  if (job.requested) return job.requested;
  if (job.state === "pausing") return "pause";
  if (job.state === "resuming") return "resume";
  if (job.state === "cancelling") return "cancel";
  return undefined;
}

/** The buttons to show; a pending one stays, disabled, where it was pressed. */
export function offered(job: PrintJob): { pause: boolean; resume: boolean; cancel: boolean } {
  const pending = pendingOf(job);
  return {
    pause: pending === "pause" || (job.state === "printing" && pending !== "resume"),
    resume: pending === "resume" || (job.state === "paused" && pending !== "pause"),
    cancel: isActive(job.state) && job.state !== "awaiting_removal",
  };
}

/** A job's progress, from the job or from its printer: whichever is further on. */
export function progressOf(job: PrintJob, status?: PrinterStatus | null): JobProgress | undefined {
  const told = job.progress ?? undefined;
  const seen = status?.job?.job_id === job.id ? status.job : undefined;
  if (isOver(job.state) || seen === undefined) return told;
  if (told === undefined) return seen;
  return (seen.elapsed_s ?? 0) > (told.elapsed_s ?? 0) ? seen : told;
}

/** The queue as it will run: what is on a printer first, then by the time it was queued. */
export function queueOrder(a: PrintJob, b: PrintJob): number {
  return Number(!hasStarted(a.state)) - Number(!hasStarted(b.state)) || a.queued_at.localeCompare(b.queued_at);
}

/** History, the latest first. */
export function historyOrder(a: PrintJob, b: PrintJob): number {
  return (b.finished_at ?? b.queued_at).localeCompare(a.finished_at ?? a.queued_at);
}
