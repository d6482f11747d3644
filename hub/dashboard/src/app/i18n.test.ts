import { describe, expect, it } from "vitest";
import { preferredLanguage } from "./i18n";

describe("the language", () => {
  it.each([
    [null, ["fr-FR", "de-AT", "en"], "de"],
    [null, ["NL-be"], "nl"],
    [null, ["fr"], "en"],
    [null, [], "en"],
    ["nl", ["de"], "nl"],
    ["xx", ["de"], "de"],
  ] as const)("chosen %s, preferred %j: %s", (chosen, preferred, wanted) => {
    expect(preferredLanguage(chosen, preferred)).toBe(wanted);
  });
});
