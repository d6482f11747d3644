// JSON merge patch (RFC 7396), without changing what it is given.
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const isObject = (value: unknown): value is Record<string, Json> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function merge(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  // Entries, not assignment: a key named "__proto__" stays a key.
  const merged = new Map<string, unknown>(isObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, merge(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

/** The target with the patch applied: null removes a member, objects merge, all else (arrays too) is replaced. */
export function mergePatch<T extends object>(target: T, patch: unknown): T {
  return merge(target, patch) as T;
}
