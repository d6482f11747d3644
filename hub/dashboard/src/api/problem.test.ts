import { describe, expect, it } from "vitest";
import en from "@/locales/en.json";
import { Problem, sentenceOf } from "./problem";

const t = (key: string): string => key;

describe("the sentence of a problem", () => {
  // What to do at a printer, or what is wrong with a file, depends on it: a translation would give the wrong advice, or none.
  it.each([
    ["printer_hot", "“Ada” is being heated (bed 60 °C), and could not be cooled down from here any more. Cool it down first."],
    ["printer_hot", "“Ada” is to stop at once, and is being heated all the same (bed 60 °C). Switch it off first; then remove it."],
    ["file_not_ready", "This file can't be printed: it is binary G-code, and its blocks are damaged."],
  ])("is the hub's own where its words differ with the case: %s", (code, detail) => {
    expect(sentenceOf(new Problem(409, code, detail), t)).toBe(detail);
  });

  it.each(Object.keys(en.problem).filter((code) => code !== "unexpected"))("is ours where we have one: %s", (code) => {
    expect(sentenceOf(new Problem(409, code, "the hub's words"), t)).toBe(`problem.${code}`);
  });

  it("is ours where the hub has no words", () => {
    expect(sentenceOf(new Problem(500, "http_500", ""), t)).toBe("problem.unexpected");
  });
});
