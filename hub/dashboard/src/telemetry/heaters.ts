// What of a print's samples is drawn: a line for each heater, broken where nothing is known.
import type { TelemetryPoint, Temperature } from "@/api/types";

export interface Heater {
  kind: "nozzle" | "bed" | "chamber";
  /** From 1; only where a printer has several. */
  number?: number;
  /** One for each point; undefined: that point does not tell of this heater. */
  values: (Temperature | undefined)[];
}

const SHORTEST_GAP_MS = 60_000;
const GAP_IS_TIMES = 3;
/** So many distances on either side say how often samples were taken just there. */
const BESIDE = 4;

/** Nozzles that stayed off while another was heated say nothing of the print, and would only crowd the chart. */
export function heatersOf(points: TelemetryPoint[]): Heater[] {
  const count = Math.max(0, ...points.map((point) => point.tools?.length ?? 0));
  const nozzles = Array.from({ length: count }, (_, index): Heater => ({
    kind: "nozzle",
    ...(count > 1 ? { number: index + 1 } : {}),
    values: points.map((point) => point.tools?.[index]),
  }));
  const heated = nozzles.filter((nozzle) => nozzle.values.some((value) => value !== undefined && value.target > 0));
  const others = (["bed", "chamber"] as const).map((kind): Heater => ({ kind, values: points.map((point) => point[kind] ?? undefined) }));
  return [...(heated.length > 0 ? heated : nozzles), ...others.filter((heater) => heater.values.some((value) => value !== undefined))];
}

const middle = (values: number[], round: (place: number) => number): number =>
  [...values].sort((a, b) => a - b)[round((values.length - 1) / 2)] ?? 0;

/**
 * For each point whether a gap comes after it. Samples are thinned where an agent was long without its hub, so the usual
 * distance of the whole print is not enough: a distance must stand out among those beside it, too.
 */
export function gapsAfter(times: number[]): boolean[] {
  const distances = times.slice(1).map((time, index) => time - (times[index] ?? time));
  const usual = middle(distances, Math.floor);
  return distances.map((distance, index) => {
    if (distance <= SHORTEST_GAP_MS || distance <= GAP_IS_TIMES * usual) return false;
    const beside = [...distances.slice(Math.max(0, index - BESIDE), index), ...distances.slice(index + 1, index + 1 + BESIDE)];
    return distance > GAP_IS_TIMES * middle(beside, Math.ceil);
  });
}

/** The point that is nearest in time; -1 when there is none. `times` rise. */
export function nearest(times: number[], at: number): number {
  const after = times.findIndex((time) => time >= at);
  if (after === -1) return times.length - 1;
  const [before, next] = [times[after - 1], times[after]];
  return before !== undefined && next !== undefined && at - before < next - at ? after - 1 : after;
}

/** The last that is known of a heater. */
export const lastOf = (heater: Heater): Temperature | undefined => heater.values.findLast((value) => value !== undefined);

export const highestOf = (heater: Heater): number =>
  heater.values.reduce((highest, value) => Math.max(highest, value?.actual ?? -Infinity), -Infinity);
