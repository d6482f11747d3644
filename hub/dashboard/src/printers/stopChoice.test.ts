import { describe, expect, it } from "vitest";
import { printerSample } from "@/testing/samples";
import { isChosen, NOBODY, toggled } from "./stopChoice";

const [a, b, c] = ["a", "b", "c"].map((id) => printerSample({ id })) as [ReturnType<typeof printerSample>, ReturnType<typeof printerSample>, ReturnType<typeof printerSample>];
const three = [a, b, c];

describe("the choice of whom to stop", () => {
  it("is everybody, who joins meanwhile included, until somebody is spared", () => {
    const spared = toggled("all", b, three);
    expect(isChosen("all", printerSample({ id: "new" }))).toBe(true);
    expect(spared).toEqual(new Set(["a", "c"]));
    expect(isChosen(spared, printerSample({ id: "new" }))).toBe(false);
  });

  it("is all again when every one is ticked", () => {
    expect(toggled(toggled("all", b, three), b, three)).toBe("all");
    expect(three.reduce((choice, printer) => toggled(choice, printer, three), NOBODY)).toBe("all");
  });

  it("forgets those that are not in the list any more", () => {
    expect(toggled(new Set(["gone", "a"]), b, three)).toEqual(new Set(["a", "b"]));
  });
});
