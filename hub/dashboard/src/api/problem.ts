// An error as the hub tells it (RFC 9457): `detail` is a sentence a person can act on, `code` a stable word.
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
  ) {
    super(detail);
    this.name = "Problem";
  }
}

/** The hub did not answer at all. */
export const unreachable = (): Problem => new Problem(0, "hub_unreachable", "");

/** Reads whatever an error answer holds; an answer that is no problem document still becomes a Problem. */
export function problemFrom(status: number, body: unknown): Problem {
  if (typeof body === "object" && body !== null) {
    const { code, detail, title } = body as Record<string, unknown>;
    const sentence = typeof detail === "string" ? detail : typeof title === "string" ? title : "";
    return new Problem(status, typeof code === "string" ? code : `http_${String(status)}`, sentence);
  }
  return new Problem(status, `http_${String(status)}`, "");
}

/**
 * Codes whose translation loses nothing that the hub's own sentence would have said: those that the hub has one sentence for. What a
 * person has to do at a hot printer, say, depends on it: cool it down, or switch it off.
 */
const TRANSLATED = new Set([
  "bad_credentials", "not_signed_in", "hub_unreachable", "empty_file", "upload_incomplete",
  "printer_busy", "file_in_use", "nothing_to_remove",
]);

/** The sentence to show: the hub's own, or ours where it is known to say the same in the reader's language. */
export function sentenceOf(error: unknown, t: (key: string) => string): string {
  if (!(error instanceof Problem)) return t("problem.unexpected");
  if (TRANSLATED.has(error.code)) return t(`problem.${error.code}`);
  return error.detail || t("problem.unexpected");
}
