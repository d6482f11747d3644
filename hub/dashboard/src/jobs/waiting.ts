// Why a queued job does not print yet, as far as the printers' states tell.
import type { Printer, PrintJob } from "@/api/types";
import { waitsUnseen } from "@/printers/contact";

export interface Waiting {
  /** The end of a translation key under `job.waits`. */
  why: "offline" | "removal" | "attention" | "busy" | "noPrinters" | "noneFree" | "soon" | "unseen";
  printer: string;
}

const BECAUSE: Partial<Record<Printer["state"], Waiting["why"]>> = {
  idle: "soon",
  offline: "offline",
  unknown: "offline",
  connecting: "offline",
  awaiting_removal: "removal",
  attention: "attention",
  error: "attention",
  maintenance: "attention",
  disabled: "attention",
};

function whyOf(printer: Printer): Waiting["why"] {
  if (!waitsUnseen(printer)) return BECAUSE[printer.state] ?? "busy";
  // Of such a printer the hub's own books are all that is known.
  if (printer.emergency_stop) return "attention";
  return printer.current_job_id ? "busy" : "unseen";
}

/** Undefined for a job that is not waiting, or for a printer that is not known. */
export function waitingReason(job: PrintJob, printers: ReadonlyMap<string, Printer>): Waiting | undefined {
  if (job.state !== "queued") return undefined;
  if (job.target_printer_id) {
    const printer = printers.get(job.target_printer_id);
    return printer && { why: whyOf(printer), printer: printer.name };
  }
  if (printers.size === 0) return { why: "noPrinters", printer: "" };
  const free = [...printers.values()].some((printer) => printer.state === "idle");
  return { why: free ? "soon" : "noneFree", printer: "" };
}
