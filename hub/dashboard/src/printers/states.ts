// How a printer's state looks (always an icon and a word beside the colour) and in which order states are listed.
import {
  mdiAccountWrenchOutline, mdiAlertCircleOutline, mdiAlertOutline, mdiCancel, mdiCheckCircleOutline, mdiHelpCircleOutline,
  mdiLanConnect, mdiPauseCircleOutline, mdiPowerPlugOffOutline, mdiPrinter3dNozzleOutline, mdiThermometerChevronUp, mdiTrayRemove,
} from "@mdi/js";
import type { Attention, Interruption, Printer, PrinterState, PrintJob } from "@/api/types";
import { JOB_LOOKS } from "@/jobs/looks";

export type Tone = "idle" | "busy" | "paused" | "waiting" | "trouble" | "off";

interface Look {
  icon: string;
  tone: Tone;
}

export const LOOKS: Record<PrinterState, Look> = {
  attention: { icon: mdiAlertOutline, tone: "trouble" },
  error: { icon: mdiAlertCircleOutline, tone: "trouble" },
  awaiting_removal: { icon: mdiTrayRemove, tone: "waiting" },
  paused: { icon: mdiPauseCircleOutline, tone: "paused" },
  printing: { icon: mdiPrinter3dNozzleOutline, tone: "busy" },
  preparing: { icon: mdiThermometerChevronUp, tone: "busy" },
  idle: { icon: mdiCheckCircleOutline, tone: "idle" },
  connecting: { icon: mdiLanConnect, tone: "off" },
  maintenance: { icon: mdiAccountWrenchOutline, tone: "off" },
  disabled: { icon: mdiCancel, tone: "off" },
  unknown: { icon: mdiHelpCircleOutline, tone: "off" },
  offline: { icon: mdiPowerPlugOffOutline, tone: "off" },
};

/** All states, those first that want a person's eye. */
export const STATES = Object.keys(LOOKS) as PrinterState[];

/** What a printer is seen to be doing. To the hub it is paused from the first moment of a pause until it prints again. */
export type SeenState = PrinterState | "pausing" | "resuming";

/** `job`: the one that is on it, for a printer that does not tell live how far it is with it. */
export function seenState(printer: Printer, job?: PrintJob): SeenState {
  if (printer.state !== "paused") return printer.state;
  const state = printer.status?.job?.state ?? job?.state;
  return state === "pausing" || state === "resuming" ? state : "paused";
}

/** A state that a newer hub may send is shown as unknown. */
export const lookOf = (state: SeenState): Look =>
  state === "pausing" || state === "resuming" ? JOB_LOOKS[state] : (LOOKS[state] ?? LOOKS.unknown);

/** The key of its word. */
export const wordOf = (state: SeenState): string =>
  state === "pausing" || state === "resuming" ? `job.${state}` : `printer.state.${state}`;

/** Nothing goes on at this printer until somebody goes there. */
export const needsPerson = (state: SeenState): boolean =>
  state === "awaiting_removal" || state === "attention" || state === "error";

/** What the printer asks of a person; nothing while nobody could pass the answer on. */
export const askedBy = (printer: Printer): Attention | undefined =>
  printer.contact.state === "online" && printer.state === "attention" ? (printer.status?.attention ?? undefined) : undefined;

/** Where the printer's job was cut off; nothing while nobody could pass on how it goes on. */
export const cutOffOn = (printer: Printer): Interruption | undefined =>
  printer.contact.state === "online" ? (printer.status?.interruption ?? undefined) : undefined;

/** How many printers are in each state that occurs, in the order of STATES. */
export function countByState(printers: Iterable<Printer>): [PrinterState, number][] {
  const counts = new Map<PrinterState, number>();
  for (const { state } of printers) counts.set(state, (counts.get(state) ?? 0) + 1);
  return STATES.flatMap((state): [PrinterState, number][] => {
    const count = counts.get(state);
    return count === undefined ? [] : [[state, count]];
  });
}

/** "Prusa 2" stands before "Prusa 10". */
const byName = new Intl.Collator(undefined, { numeric: true });

/** Printers whose name, model or state (in words) holds every word of the text, by name. */
export function filterPrinters(
  printers: Iterable<Printer>,
  text: string,
  state: PrinterState | undefined,
  wordFor: (printer: Printer) => string,
): Printer[] {
  const words = text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return [...printers]
    .filter((printer) => {
      if (state !== undefined && printer.state !== state) return false;
      const told = `${printer.name} ${printer.model ?? ""} ${wordFor(printer)}`.toLocaleLowerCase();
      return words.every((word) => told.includes(word));
    })
    .sort((a, b) => byName.compare(a.name, b.name) || byName.compare(a.id, b.id));
}
