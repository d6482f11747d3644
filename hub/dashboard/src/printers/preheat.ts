// Heat without a job: when a printer may be preheated, and with what people usually begin.
import type { Printer } from "@/api/types";

/** What most filaments of a kind want: a beginning, not a rule. °C. */
export const MATERIALS = [
  { name: "PLA", nozzle: 200, bed: 60 },
  { name: "PETG", nozzle: 235, bed: 80 },
  { name: "ABS", nozzle: 245, bed: 100 },
  { name: "TPU", nozzle: 225, bed: 50 },
] as const;

/** The hub takes 1 to 240 minutes. */
export const MINUTES = [15, 30, 60, 120, 240] as const;
export const USUAL_MINUTES = 30;

/** As hot as the hub lets any printer be set; what this one can do its agent knows. */
export const MOST = { nozzle: 350, bed: 150 } as const;

/** Only a printer in reach that has nothing else to do. */
export const mayPreheat = (printer: Printer): boolean =>
  printer.state === "idle" && printer.contact.state === "online" && !printer.emergency_stop && !printer.current_job_id;

/** What was typed, as a target: whole degrees, 0 for nothing; `undefined` where it is no target. */
export function targetOf(typed: string, most: number): number | undefined {
  const text = typed.trim();
  if (text === "") return 0;
  const target = Number(text);
  return Number.isInteger(target) && target >= 0 && target <= most ? target : undefined;
}
