import { describe, expect, it } from "vitest";
import { formatCountdown, formatDuration } from "./duration";
import { formatAgo, formatTime } from "./moments";
import { formatBytes, formatLength, formatPercent, formatSpeed, formatTemperature, formatVolume, formatWeight, percentOf } from "./quantities";
import { regional } from "./regional";

describe("durations", () => {
  it.each([
    [0, "0 s"], [-5, "0 s"], [59.4, "59 s"], [59.6, "1 min"], [60, "1 min"], [3_569, "59 min"], [3_599, "1 h"], [3_600, "1 h"],
    [3_900, "1 h 5 min"], [86_399, "1 d"], [90_000, "1 d 1 h"], [48_803, "13 h 33 min"],
  ])("%d s is %s", (seconds, wanted) => {
    expect(formatDuration(seconds, "en").replaceAll("\u00a0", " ")).toBe(wanted);
  });

  it.each([[600, "10:00"], [65.2, "1:06"], [0, "0:00"], [-3, "0:00"]])("counts down %d s as %s", (seconds, wanted) => {
    expect(formatCountdown(seconds)).toBe(wanted);
  });
});

describe("sizes", () => {
  it.each([
    [0, "0 bytes"], [1, "1 byte"], [999, "999 bytes"], [1_000, "1 kB"], [935_823, "936 kB"], [999_600, "1 MB"],
    [5_479_103, "5.5 MB"], [1_073_741_824, "1.1 GB"],
  ])("%d is %s", (bytes, wanted) => {
    expect(formatBytes(bytes, "en")).toBe(wanted);
  });

  it("has a decimal comma where the reader has one", () => {
    expect(formatBytes(5_479_103, "de")).toMatch(/^5,5\sMB$/);
    expect(formatSpeed(1_200_000, "en")).toBe("1.2 MB/s");
  });
});

describe("temperatures", () => {
  it.each([
    [{ actual: 214.6, target: 215 }, "215/215 °C"], [{ actual: 24.3, target: 0 }, "24 °C"], [{ actual: -0.3, target: 0 }, "0 °C"],
  ])("%j is %s", (temperature, wanted) => {
    expect(formatTemperature(temperature, "en")).toBe(wanted);
  });
});

describe("filament and percent", () => {
  it("tells lengths in metres and weights in grams", () => {
    expect(formatLength(4_312, "en")).toBe("4.31 m");
    expect(formatLength(38_620.3, "en")).toBe("38.6 m");
    expect(formatWeight(12.86, "en")).toBe("12.9 g");
    expect(formatWeight(1234.5, "en")).toBe("1,235 g");
    expect(formatVolume(5.048, "en")).toBe("5.05 cm³");
  });

  it.each([[0, 0], [0.29, 29], [0.999, 99], [1, 100], [1.2, 100], [-1, 0]])("%d is %d percent", (fraction, wanted) => {
    expect(percentOf(fraction)).toBe(wanted);
  });

  it("writes percent as the language does", () => {
    expect(formatPercent(0.999, "en")).toBe("99%");
    expect(formatPercent(0.5, "de")).toMatch(/^50\s%$/);
  });
});

describe("moments", () => {
  const now = new Date(2026, 10, 23, 14, 20).getTime();

  it("names the day only when it is not today", () => {
    expect(formatTime(now, now, "en-GB")).toBe("14:20");
    expect(formatTime(now + 86_400_000, now, "en-GB")).toBe("Tue 14:20");
    expect(formatTime(now - 20 * 86_400_000, now, "en-GB")).toBe("3 Nov 14:20");
  });

  it.each([
    [0, "now"], [30, "now"], [90, "1 minute ago"], [7_300, "2 hours ago"], [86_400, "yesterday"], [-5, "now"],
  ])("%d seconds ago is %s", (seconds, wanted) => {
    expect(formatAgo(now - seconds * 1000, now, "en-GB")).toBe(wanted);
  });

  it("gives a date for what is long ago", () => {
    expect(formatAgo(now - 30 * 86_400_000, now, "en-GB")).toBe("24 Oct 2026");
  });
});

describe("the region", () => {
  it.each([
    ["en", ["nl-NL", "en-GB"], "en-GB"], ["de", ["en-US"], "de"], ["nl", ["nl"], "nl"],
  ])("of %s among %j is %s", (language, preferred, wanted) => {
    expect(regional(language, preferred)).toBe(wanted);
  });
});
