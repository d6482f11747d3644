import { describe, expect, it } from "vitest";
import { linePath, scale, spread, stepPath, temperatureMarks, timeMarks } from "./geometry";

const at = (hours: number, minutes = 0, seconds = 0): number => new Date(2026, 10, 23, hours, minutes, seconds).getTime();
const clock = (time: number): string => new Date(time).toTimeString().slice(0, 5);

describe("a scale", () => {
  it("takes one stretch to another, either way round", () => {
    expect(scale(0, 250, 200, 0)(50)).toBe(160);
    expect(scale(10, 10, 0, 100)(10), "a stretch without length").toBe(0);
  });
});

describe("marks of temperature", () => {
  it.each([
    [23, 219.8, [0, 50, 100, 150, 200, 250]], [22, 24, [0, 10, 20, 30, 40, 50]], [-4, 96, [-25, 0, 25, 50, 75, 100]],
    [20, 305, [0, 100, 200, 300, 400]], [0, 0, [0, 10, 20, 30, 40, 50]],
  ])("from %d to %d are %j", (lowest, highest, wanted) => {
    expect(temperatureMarks(lowest, highest)).toEqual(wanted);
  });

  it("enclose whatever a broken sensor says", () => {
    const marks = temperatureMarks(-270, 4_000);
    expect(marks[0]).toBeLessThanOrEqual(-270);
    expect(marks.at(-1)).toBeGreaterThanOrEqual(4_000);
    expect(marks.length).toBeLessThanOrEqual(6);
  });
});

describe("marks of time", () => {
  it.each([
    [at(10, 2), at(11, 47), 4, ["10:30", "11:00", "11:30"]],
    [at(10, 2), at(11, 47), 8, ["10:15", "10:30", "10:45", "11:00", "11:15", "11:30", "11:45"]],
    [at(10, 0), at(10, 3), 6, ["10:00", "10:01", "10:02", "10:03"]],
    [at(22, 30), at(29, 10), 4, ["00:00", "02:00", "04:00"]],
  ])("%d to %d, at most %d", (from, to, most, wanted) => {
    expect(timeMarks(from, to, most).map(clock)).toEqual(wanted);
  });

  it("are midnights in a print of days, and never more than asked for", () => {
    const marks = timeMarks(at(7), at(7) + 9 * 86_400_000, 4);
    expect(marks.map(clock)).toEqual(marks.map(() => "00:00"));
    for (let minutes = 1; minutes < 20_000; minutes += 37) {
      const count = timeMarks(at(9, 7, 13), at(9, 7 + minutes, 13), 4).length;
      expect(count).toBeLessThanOrEqual(4);
      expect(count).toBeGreaterThan(0);
    }
  });
});

describe("a line", () => {
  it("is broken at a gap and where a heater is not told of", () => {
    expect(linePath([0, 1, 2, 3, 4], [9, 8, 7, 6, 5], [false, true, false, false])).toBe("M0 9L1 8M2 7L3 6L4 5");
    expect(linePath([0, 1, 2, 3], [9, 8, undefined, 6], [false, false, false])).toBe("M0 9L1 8M3 6h0");
    expect(linePath([0, 1, 2], [9, 8, 7], [true, true]), "points alone are dots").toBe("M0 9h0M1 8h0M2 7h0");
    expect(linePath([], [], [])).toBe("");
  });

  it("has no more digits than can be seen", () => {
    expect(linePath([0.123, 1.98], [2.449, 3], [false])).toBe("M0.1 2.4L2 3");
  });
});

describe("a line of steps", () => {
  it("holds until another is set, and ends where it is off or nothing is known", () => {
    expect(stepPath([0, 1, 2], [9, 9, 5], [false, false])).toBe("M0 9H1H2V5");
    expect(stepPath([0, 1, 2, 3], [9, undefined, undefined, 5], [false, false, false])).toBe("M0 9H1M3 5");
    expect(stepPath([0, 1, 2, 3], [9, 9, 9, 9], [false, true, false])).toBe("M0 9H1M2 9H3");
  });
});

describe("labels", () => {
  it("stay where they are when there is room", () => {
    expect(spread([90, 20], 18, 0, 100)).toEqual([90, 20]);
  });

  it("are moved apart, in their order and within the chart", () => {
    expect(spread([50, 50, 51], 18, 0, 100)).toEqual([50, 68, 86]);
    expect(spread([98, 99], 18, 0, 100)).toEqual([82, 100]);
    expect(spread([100, 0], 18, 10, 90)).toEqual([90, 10]);
  });

  it("come closer when there are too many", () => {
    expect(spread([0, 0, 0, 0, 0], 50, 0, 100)).toEqual([0, 25, 50, 75, 100]);
  });
});
