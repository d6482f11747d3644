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

/** How much is known of the place: picks the sentence. */
export function knownOf(cutOff: Interruption): "both" | "layer" | "height" | "unknown" {
  const height = typeof cutOff.height_mm === "number";
  if (typeof cutOff.layer === "number") return height ? "both" : "layer";
  return height ? "height" : "unknown";
}
