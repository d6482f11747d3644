// Which printers an emergency stop is for: all, also those that join meanwhile, or these.
import type { Printer } from "@/api/types";

export type StopChoice = "all" | ReadonlySet<string>;

export const NOBODY: StopChoice = new Set<string>();

export const isChosen = (choice: StopChoice, { id }: Printer): boolean => choice === "all" || choice.has(id);

/** The choice when this printer is ticked, or is not any more. Who has ticked every one means all. */
export function toggled(choice: StopChoice, printer: Printer, printers: Printer[]): StopChoice {
  const chosen = printers.filter((other) => isChosen(choice, other) !== (other.id === printer.id));
  return chosen.length === printers.length ? "all" : new Set(chosen.map(({ id }) => id));
}
