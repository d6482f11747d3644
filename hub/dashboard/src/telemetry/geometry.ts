// Where things are on a chart: scales, marks of the axes, paths. Plain numbers in, plain numbers and SVG paths out.
const MINUTE_MS = 60_000;
const DAY_MIN = 1440;
const TIME_STEPS_MIN = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, DAY_MIN];

export type Scale = (value: number) => number;

/** Takes `from`–`to` to `start`–`end`. */
export const scale = (from: number, to: number, start: number, end: number): Scale =>
  (value) => start + ((value - from) / (to - from || 1)) * (end - start);

/** Round marks that enclose all values, 0 among them: a wobble of a degree is to look like one. */
export function temperatureMarks(lowest: number, highest: number, most = 6): number[] {
  const [from, to] = [Math.min(0, lowest), Math.max(50, highest)];
  for (const step of [10, 20, 25, 50, 100, 200, 500]) {
    const first = Math.floor(from / step);
    const count = Math.ceil(to / step) - first + 1;
    if (count <= most) return Array.from({ length: count }, (_, index) => (first + index) * step);
  }
  return [from, to];
}

/** Round times of day between two moments, `most` at most. Counted on the local clock, so that 12:00 stays 12:00 when it is changed. */
export function timeMarks(from: number, to: number, most: number): number[] {
  const long = (to - from) / MINUTE_MS;
  const step = TIME_STEPS_MIN.find((minutes) => Math.floor(long / minutes) < most) ?? Math.ceil(long / DAY_MIN / most) * DAY_MIN;
  const marks: number[] = [];
  const mark = new Date(from);
  const passed = Math.floor((mark.getHours() * 60 + mark.getMinutes()) / step);
  mark.setHours(0, 0, 0, 0);
  for (mark.setMinutes(passed * step); mark.getTime() <= to; mark.setMinutes(mark.getMinutes() + step)) {
    if (mark.getTime() >= from) marks.push(mark.getTime());
  }
  return marks;
}

type Places = (number | undefined)[];
const tenth = (value: number): string => String(Math.round(value * 10) / 10);

/** A line through the points; one that stands alone becomes a dot (with round caps). */
export function linePath(xs: number[], ys: Places, gapAfter: boolean[]): string {
  let path = "";
  let on = false;
  xs.forEach((x, index) => {
    const y = ys[index];
    const goesOn = !gapAfter[index] && ys[index + 1] !== undefined;
    if (y !== undefined) {
      path += `${on ? "L" : "M"}${tenth(x)} ${tenth(y)}`;
      if (!on && !goesOn) path += "h0";
    }
    on = y !== undefined && goesOn;
  });
  return path;
}

/** What was set holds until it is known to be another. */
export function stepPath(xs: number[], ys: Places, gapAfter: boolean[]): string {
  let path = "";
  let on: number | undefined;
  xs.forEach((x, index) => {
    const y = ys[index];
    if (on !== undefined) path += `H${tenth(x)}`;
    if (y !== undefined && y !== on) path += on === undefined ? `M${tenth(x)} ${tenth(y)}` : `V${tenth(y)}`;
    on = gapAfter[index] ? undefined : y;
  });
  return path;
}

/** Moves places apart so that labels of that height do not lie on each other; the order stays. */
export function spread(wanted: number[], height: number, least: number, most: number): number[] {
  const apart = Math.min(height, (most - least) / Math.max(1, wanted.length - 1));
  const order = wanted.map((_, index) => index).sort((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0));
  const places = [...wanted];
  let free = least;
  for (const index of order) {
    places[index] = Math.max(free, places[index] ?? free);
    free = places[index] + apart;
  }
  free = most;
  for (const index of order.reverse()) {
    places[index] = Math.min(free, places[index] ?? free);
    free = places[index] - apart;
  }
  return places;
}
