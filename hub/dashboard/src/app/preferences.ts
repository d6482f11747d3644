// Small choices that this browser remembers. Storage may be refused (private windows): then they last for the page.
export function remembered(key: string): string | null {
  try {
    return localStorage.getItem(`stardust.${key}`);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`stardust.${key}`, value);
  } catch {
    // Not remembered, but in use.
  }
}
