// Sizes, speeds, temperatures and filament, in the reader's language.
import type { Temperature } from "@/api/types";

const SIZES = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** Decimal units, as file managers and disks count: "1.2 MB". */
export function formatBytes(bytes: number, locale: string): string {
  let value = bytes;
  let step = 0;
  // 999.5 would be rounded to "1000".
  while (value >= 999.5 && step < SIZES.length - 1) {
    value /= 1000;
    step += 1;
  }
  return new Intl.NumberFormat(locale, {
    style: "unit",
    unit: SIZES[step],
    unitDisplay: step === 0 ? "long" : "short",
    maximumFractionDigits: step === 0 || value >= 100 ? 0 : 1,
  }).format(value);
}

export function formatSpeed(bytesPerSecond: number, locale: string): string {
  return `${formatBytes(bytesPerSecond, locale)}/s`;
}

const whole = (locale: string, value: number): string =>
  // Without this a sensor at -0.3 would show as "-0".
  new Intl.NumberFormat(locale, { maximumFractionDigits: 0, signDisplay: "negative" }).format(value);

/** "214/215 °C"; without a target (heater off) only what is measured. */
export function formatTemperature(temperature: Temperature, locale: string): string {
  const actual = whole(locale, temperature.actual);
  return temperature.target > 0 ? `${actual}/${whole(locale, temperature.target)} °C` : `${actual} °C`;
}

/** "4.31 m", from millimetres. */
export function formatLength(millimetres: number, locale: string): string {
  const metres = millimetres / 1000;
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: metres < 10 ? 2 : 1 }).format(metres)} m`;
}

/** "12.45 mm". */
export function formatMillimetres(millimetres: number, locale: string): string {
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format(millimetres)} mm`;
}

/** A setting in percent, which may be above 100. */
export function formatSetting(percent: number, locale: string): string {
  return new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 }).format(percent / 100);
}

export function formatWeight(grams: number, locale: string): string {
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: grams < 100 ? 1 : 0 }).format(grams)} g`;
}

/** "5.05 cm³". */
export function formatVolume(cubicCentimetres: number, locale: string): string {
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: cubicCentimetres < 10 ? 2 : 1 }).format(cubicCentimetres)} cm³`;
}

/** Whole percent of a fraction; 100 only when it is really done. */
export function percentOf(fraction: number): number {
  return Math.min(100, Math.max(0, Math.floor(fraction * 100 + 1e-9)));
}

export function formatPercent(fraction: number, locale: string): string {
  return new Intl.NumberFormat(locale, { style: "percent" }).format(percentOf(fraction) / 100);
}
