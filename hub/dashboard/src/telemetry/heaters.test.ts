import { describe, expect, it } from "vitest";
import { telemetrySample } from "@/testing/samples";
import { gapsAfter, heatersOf, highestOf, lastOf, nearest } from "./heaters";

/** Times from the distances between them, in seconds. */
const times = (...distances: number[]): number[] =>
  distances.reduce((all, distance) => [...all, (all.at(-1) ?? 0) + distance * 1000], [0]);
const gaps = (...distances: number[]): number[] => gapsAfter(times(...distances)).flatMap((gap, index) => (gap ? [index] : []));
const many = (count: number, distance: number): number[] => Array.from({ length: count }, () => distance);

describe("gaps", () => {
  it("are distances that stand out", () => {
    expect(gaps(10, 10, 10, 600, 10, 10)).toEqual([3]);
    expect(gaps(10, 600)).toEqual([1]);
    expect(gaps(600, 10, 10, 10)).toEqual([0]);
    expect(gaps(10, 10, 600, 500, 10, 10, 10)).toEqual([2, 3]);
  });

  it("are not a sample or two that were lost", () => {
    expect(gaps(10, 10, 45, 10, 60, 10)).toEqual([]);
    expect(gaps(60, 60, 170, 60)).toEqual([]);
    expect(gaps(60, 60, 190, 60)).toEqual([2]);
  });

  it("are not where samples were taken less often", () => {
    expect(gaps(...many(30, 10), ...many(10, 80))).toEqual([]);
    expect(gaps(...many(10, 80), ...many(30, 10))).toEqual([]);
    expect(gaps(...many(30, 10), ...many(5, 80), 700, ...many(5, 80))).toEqual([35]);
  });

  it("need two points", () => {
    expect(gapsAfter([])).toEqual([]);
    expect(gapsAfter([5])).toEqual([]);
    expect(gapsAfter([5, 15])).toEqual([false]);
  });
});

describe("the nearest point", () => {
  it.each([[-5, 0], [0, 0], [14, 0], [16, 1], [30, 1], [999, 2]])("to %d is %d", (at, wanted) => {
    expect(nearest([0, 30, 100], at)).toBe(wanted);
  });

  it("is none of none", () => {
    expect(nearest([], 5)).toBe(-1);
  });
});

describe("heaters", () => {
  const cold = { actual: 24, target: 0 };
  const hot = { actual: 214, target: 215 };

  it("are those that the points tell of", () => {
    const heaters = heatersOf([telemetrySample({ bed: null }), telemetrySample({ tools: [{ actual: 220, target: 215 }] })]);
    expect(heaters.map(({ kind, number }) => [kind, number])).toEqual([["nozzle", undefined], ["bed", undefined]]);
    expect(heaters[1]?.values).toEqual([undefined, { actual: 60, target: 60 }]);
    expect(heaters.map(highestOf)).toEqual([220, 60]);
    expect(heaters.map(lastOf)).toEqual([{ actual: 220, target: 215 }, { actual: 60, target: 60 }]);
    expect(heatersOf([])).toEqual([]);
  });

  it("are told apart by the printer's numbers, without nozzles that the print did not use", () => {
    const chamber = { actual: 40, target: 0 };
    const heaters = heatersOf([telemetrySample({ tools: [cold, hot, cold, hot], chamber })]);
    expect(heaters.map(({ kind, number }) => [kind, number])).toEqual([["nozzle", 2], ["nozzle", 4], ["bed", undefined], ["chamber", undefined]]);
    expect(heatersOf([telemetrySample({ tools: [cold, cold] })]).map(({ number }) => number), "none is heated yet").toEqual([1, 2, undefined]);
  });
});
