// Whether a printer's agent hears at once what it is asked.
import type { Printer } from "@/api/types";

/** It is not connected, but waits for commands over HTTPS: it hears them at once, and only its live data are missing. */
export const waitsUnseen = ({ contact }: Printer): boolean => contact.waits === true;

export const isInReach = (printer: Printer): boolean => printer.contact.state === "online" || waitsUnseen(printer);
