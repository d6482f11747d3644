import { describe, expect, it } from "vitest";
import { JOB_STATES } from "@/jobs/looks";
import { STATES } from "@/printers/states";
import de from "./de.json";
import en from "./en.json";
import nl from "./nl.json";

type Texts = { [key: string]: string | Texts };

const flat = (texts: Texts, above = ""): [string, string][] =>
  Object.entries(texts).flatMap(([key, value]): [string, string][] =>
    typeof value === "string" ? [[above + key, value]] : flat(value, `${above}${key}.`));

const english = new Map(flat(en));
const names = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g))].sort();
const sources = import.meta.glob<string>(["../**/*.vue", "../**/*.ts", "!../**/*.test.ts"], { query: "?raw", import: "default", eager: true });

describe.each([["nl", nl], ["de", de]] as const)("the texts in %s", (_language, texts) => {
  const translated = new Map(flat(texts));

  it("are complete, and no more than that", () => {
    expect([...translated.keys()].sort()).toEqual([...english.keys()].sort());
  });

  it("say something, with the same values and as many forms as the English ones", () => {
    for (const [key, text] of translated) {
      expect(text.trim(), key).not.toBe("");
      expect(names(text), key).toEqual(names(english.get(key) ?? ""));
      expect(text.split("|").length, key).toBe(english.get(key)?.split("|").length);
    }
  });
});

describe("the texts", () => {
  const used = Object.values(sources).flatMap((source) =>
    [...source.matchAll(/(?:\bt\(|\$t\(|"says": )"([\w.-]+)"/g)].map(([, key]) => key ?? ""));

  it("that the code names exist", () => {
    expect(used.length).toBeGreaterThan(50);
    expect(used.filter((key) => !english.has(key))).toEqual([]);
  });

  it("name every state", () => {
    for (const state of STATES) expect(english.has(`printer.state.${state}`), state).toBe(true);
    for (const state of STATES) expect(english.has(`printer.stateHint.${state}`), state).toBe(true);
    for (const state of JOB_STATES) expect(english.has(`job.state.${state}`), state).toBe(true);
    for (const state of ["awaiting_removal", "cancelled", "failed", "finished"]) expect(english.has(`printer.removal.${state}`)).toBe(true);
  });

  it("are all used somewhere", () => {
    const everything = Object.values(sources).join("\n");
    // A key that is put together ends in a value: its beginning must be named.
    const isUsed = (key: string): boolean =>
      everything.includes(`"${key}"`) || everything.includes(`'${key}'`) || everything.includes(`\`${key.slice(0, key.lastIndexOf(".") + 1)}\${`);
    expect([...english.keys()].filter((key) => !isUsed(key))).toEqual([]);
  });
});
