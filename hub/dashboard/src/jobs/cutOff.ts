// A print that was cut off: where, and from which layer it may go on.
import type { Interruption, LayerStart, Printer, PrintJob } from "@/api/types";
import { cutOffOn } from "@/printers/states";
import { isOver } from "./rules";

/** Where this job was cut off, as its printer tells it; undefined when it was not, or goes on already. */
export function cutOffOf(job: PrintJob, printer: Printer | undefined): Interruption | undefined {
  const told = printer && cutOffOn(printer);
  return told?.job_id === job.id && !isOver(job.state) ? told : undefined;
}

/** The layer to propose: the one that was being printed. Any other is somebody's own choice. */
export function proposed(cutOff: Interruption): LayerStart | undefined {
  return cutOff.layers?.find((start) => start.layer === cutOff.layer);
}

/** How high a pause has left the nozzle, mm: it is to stay there. Undefined where it stands at the part. */
export const parkedAt = (cutOff: Interruption): number | undefined =>
  cutOff.parked ? (cutOff.height_mm ?? undefined) : undefined;

/** Whether it can only be given up. With layers to choose, the refusal is of the one that was chosen last. */
export const isHopeless = (cutOff: Interruption): boolean => Boolean(cutOff.refusal) && !cutOff.layers?.length;

/** What its job's reason says beside the pause's own, which is told here in the reader's language, and the refusal: that of a request. */
export const saidBeside = (job: PrintJob, { reason, refusal }: Interruption): string | undefined =>
  job.reason && job.reason !== refusal && job.reason !== reason ? job.reason : undefined;

/** How much is known of the place: picks the sentence. */
export function knownOf(cutOff: Interruption): "both" | "layer" | "height" | "unknown" | "parked" | "parkedSomewhere" {
  const height = typeof cutOff.height_mm === "number";
  if (parkedAt(cutOff) !== undefined) return typeof cutOff.layer === "number" ? "parked" : "parkedSomewhere";
  if (typeof cutOff.layer === "number") return height ? "both" : "layer";
  return height ? "height" : "unknown";
}
