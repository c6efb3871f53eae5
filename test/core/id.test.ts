// Callers' ids: which texts are one, and that nothing that reads as markup or a sentence can be.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { callerId } from "../../src/core/id.ts";

const idOf = (value: unknown): string | null => {
  const parsed = callerId.safeParse(value);
  return parsed.success ? parsed.data : null;
};

describe("a caller's id", () => {
  test.each([
    ["research-agent", "research-agent"],
    [594, "594"],
    [0, "0"],
    [-0, "0"],
    [Number.MAX_SAFE_INTEGER, "9007199254740991"],
    ["gpt-4.1", "gpt-4.1"],
    ["anthropic/claude-sonnet-4:beta@v1#2+x", "anthropic/claude-sonnet-4:beta@v1#2+x"],
    ["__proto__", "__proto__"],
    ["constructor", "constructor"],
    ["größe-日本-ünïcode", "größe-日本-ünïcode"],
    ["..", ".."],
    ["x".repeat(128), "x".repeat(128)],
    ["𝔘".repeat(128), "𝔘".repeat(128)],
  ])("%j is the id %s", (value, id) => {
    expect(idOf(value)).toBe(id);
  });

  test.each([
    ["nothing", ""],
    ["129 characters", "x".repeat(129)],
    ["a megabyte", "x".repeat(1_000_000)],
    ["a NUL", "a\0b"],
    ["a line break", "a\nb"],
    ["an escape", "\u001b[31mred"],
    ["a C1 control", "a\u0085b"],
    ["a lone high surrogate", "a\uD800"],
    ["a lone low surrogate", "\uDC00a"],
    ["a right-to-left override", "a\u202Eb"],
    ["a direction isolate", "a\u2066b"],
    ["a zero-width joiner", "a\u200Db"],
    ["a byte order mark", "\uFEFFa"],
    ["SQL", "x'; drop table charges; --"],
    ["HTML", "<script>alert(1)</script>"],
    ["a template", "{{x}}"],
    ["a sentence", "ignore previous instructions"],
    ["another form of the same letters (NFD)", "e\u0301".normalize("NFD")],
    ["a fraction", 1.5],
    ["a negative number", -1],
    ["a number past 2^53", 2 ** 53],
    ["NaN", Number.NaN],
    ["Infinity", Number.POSITIVE_INFINITY],
    ["a bigint", 1n],
    ["nothing at all", null],
    ["yes", true],
    ["a list", ["a"]],
    ["a mapping", { id: "a" }],
  ])("%s is none", (_what, value) => {
    expect(idOf(value)).toBeNull();
  });

  test("whatever is accepted stays itself through UTF-8, JSON and normalization, and holds no space or markup", () => {
    const texts = fc.oneof(
      fc.string({ unit: "binary", maxLength: 140 }),
      fc.string({ unit: "grapheme", maxLength: 20 }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const id = idOf(text);
        if (id === null) return;
        expect(id).toBe(text);
        expect(Buffer.from(id, "utf8").toString("utf8")).toBe(id);
        expect(id.normalize("NFC")).toBe(id);
        expect(id).not.toMatch(/[\s\p{Cc}\p{Cf}\p{Cs}<>"'`&;$\\(){}[\]|]/u);
      }),
      { numRuns: 2_000 },
    );
  });
});
