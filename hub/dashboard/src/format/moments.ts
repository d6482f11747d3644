// Points in time, in the reader's language.
const DAY_MS = 86_400_000;
const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", DAY_MS],
  ["hour", 3_600_000],
  ["minute", 60_000],
];

const sameDay = (a: number, b: number): boolean => new Date(a).toDateString() === new Date(b).toDateString();

/** The time of day; with the day where it is not today. */
export function formatTime(at: number, now: number, locale: string): string {
  const near = Math.abs(at - now) < 6 * DAY_MS;
  const day: Intl.DateTimeFormatOptions = near ? { weekday: "short" } : { day: "numeric", month: "short" };
  const time = new Intl.DateTimeFormat(locale, { timeStyle: "short" }).format(at);
  return sameDay(at, now) ? time : `${new Intl.DateTimeFormat(locale, day).format(at)} ${time}`;
}

/** The time of day to the second. */
export function formatClock(at: number, locale: string): string {
  return new Intl.DateTimeFormat(locale, { timeStyle: "medium" }).format(at);
}

/** "5 minutes ago", "yesterday"; a date once it is weeks ago. */
export function formatAgo(at: number, now: number, locale: string): string {
  const passed = now - at;
  if (passed > 14 * DAY_MS) return new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(at);
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  for (const [unit, length] of STEPS) {
    if (passed >= length) return relative.format(-Math.floor(passed / length), unit);
  }
  return relative.format(0, "second");
}

/** Date and time in full, for a tooltip. */
export function formatMoment(at: number, locale: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" }).format(at);
}
