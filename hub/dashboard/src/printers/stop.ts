// How far a printer's emergency stop is, and what it says itself of what others would say beside it.
import type { EmergencyStop, Printer, PrintJob } from "@/api/types";
import { isOver } from "@/jobs/rules";
import { isInReach } from "./contact";

/** The printer was told. Anything else, also what a newer hub may send, is not stopped as far as is known. */
export const hasReached = ({ state }: EmergencyStop): boolean => state === "sent" || state === "sent_and_reset";

/** It waits for an agent that is out of reach: since when belongs to why the printer is not stopped. */
export function unheardSince(printer: Printer): string | undefined {
  const state = printer.emergency_stop?.state;
  const waits = state === "sending" || state === "not_delivered";
  return waits && !isInReach(printer) ? (printer.contact.since ?? undefined) : undefined;
}

/** The stop is what ended this job: why, and what to do, the stop says. */
export const hasEnded = ({ emergency_stop: stop }: Printer, job: PrintJob): boolean =>
  Boolean(stop && hasReached(stop) && isOver(job.state) && job.finished_at && Date.parse(job.finished_at) >= Date.parse(stop.asked_at));
