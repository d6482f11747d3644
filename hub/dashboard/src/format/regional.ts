/** The reader's own region of a language where the browser knows it: "en" becomes "en-GB", and so a 24-hour clock. */
export function regional(language: string, preferred: readonly string[]): string {
  return preferred.find((tag) => tag === language || tag.startsWith(`${language}-`)) ?? language;
}
