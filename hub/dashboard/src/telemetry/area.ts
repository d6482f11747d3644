// The part of the chart that the lines are drawn in.
import { scale } from "./geometry";
import type { Scale } from "./geometry";

export interface Area {
  /** The first moment and the last. */
  from: number;
  to: number;
  width: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
  x: Scale;
  y: Scale;
  /** The moment at a place: `x` the other way. */
  at: Scale;
}

export const CHART_HEIGHT = 224;
const LEFT = 36;
const BELOW = 26;
const ABOVE = 22;
const SHORTEST_MS = 60_000;

/** `labels`: how wide the signs at the ends of the lines are. */
export function areaOf(width: number, labels: number, times: number[], degrees: number[]): Area {
  const [left, right, top, bottom] = [LEFT, Math.max(LEFT + 1, width - labels), ABOVE, CHART_HEIGHT - BELOW];
  const from = times[0] ?? 0;
  const to = Math.max(from + SHORTEST_MS, times.at(-1) ?? 0);
  return {
    from, to, width, left, right, top, bottom,
    x: scale(from, to, left, right),
    y: scale(degrees[0] ?? 0, degrees.at(-1) ?? 1, bottom, top),
    at: scale(left, right, from, to),
  };
}
