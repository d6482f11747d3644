// Lengths of time, by the symbols that every language of ours knows: "1 h 5 min".
const part = (locale: string, value: number, unit: string): string => `${new Intl.NumberFormat(locale).format(value)}\u00a0${unit}`;

const joined = (larger: string, smaller: string | 0): string => (smaller === 0 ? larger : `${larger}\u00a0${smaller}`);

/** At most two units; seconds only below a minute. */
export function formatDuration(seconds: number, locale: string): string {
  if (seconds < 59.5) return part(locale, Math.max(0, Math.round(seconds)), "s");
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return part(locale, minutes, "min");
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return joined(part(locale, hours, "h"), minutes % 60 && part(locale, minutes % 60, "min"));
  const days = Math.floor(hours / 24);
  return joined(part(locale, days, "d"), hours % 24 && part(locale, hours % 24, "h"));
}

/** Minutes and seconds for a countdown: "4:05". */
export function formatCountdown(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${String(Math.floor(whole / 60))}:${String(whole % 60).padStart(2, "0")}`;
}
