// Lengths of time, in the reader's language: "1h 5m", "1 Std. 5 Min.".
const part = (locale: string, value: number, unit: "hour" | "minute" | "second" | "day"): string =>
  new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "narrow" }).format(value);

/** At most two units; seconds only below a minute. */
export function formatDuration(seconds: number, locale: string): string {
  if (seconds < 59.5) return part(locale, Math.max(0, Math.round(seconds)), "second");
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return part(locale, minutes, "minute");
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return joined(part(locale, hours, "hour"), minutes % 60 && part(locale, minutes % 60, "minute"));
  const days = Math.floor(hours / 24);
  return joined(part(locale, days, "day"), hours % 24 && part(locale, hours % 24, "hour"));
}

const joined = (larger: string, smaller: string | 0): string => (smaller === 0 ? larger : `${larger} ${smaller}`);

/** Minutes and seconds for a countdown: "4:05". */
export function formatCountdown(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${String(Math.floor(whole / 60))}:${String(whole % 60).padStart(2, "0")}`;
}
