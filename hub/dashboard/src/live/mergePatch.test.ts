import { describe, expect, it } from "vitest";
import { mergePatch } from "./mergePatch";

describe("mergePatch", () => {
  // The examples of RFC 7396, appendix A, as far as the target is an object.
  it.each([
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])("%j with %j is %j", (target, patch, wanted) => {
    expect(mergePatch<object>(target, patch)).toEqual(wanted);
  });

  it("leaves what it was given as it was", () => {
    const target = { status: { tools: [1], bed: 2 } };
    const before = structuredClone(target);
    const merged = mergePatch(target, { status: { bed: 3 } });
    expect(target).toEqual(before);
    expect(merged).not.toBe(target);
    expect(merged.status.tools).toBe(target.status.tools);
  });

  it("keeps an object's prototype out of reach", () => {
    mergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}'));
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
