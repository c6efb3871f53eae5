// Budget tags of tasks: what they come to, and that a misspelt one is never taken for an ordinary tag.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AstraError } from "../../src/core/error.ts";
import { costLimitOfTags, tagFault } from "../../src/core/task-tag.ts";

describe("budget tags", () => {
  test.each([
    [["budget:0.50"], 500_000_000n],
    [["budget:$0.50"], 500_000_000n],
    [["budget:0"], 0n],
    [["budget:000.000001"], 1_000n],
    [["budget:1000000"], 1_000_000_000_000_000n],
    [["bugfix", "budget:3", "budget:0.10", "budget:0.5"], 100_000_000n],
    [["bugfix", "budgeting"], null],
    [[], null],
  ])("%j come to %s nano-dollars", (tags, nano) => {
    expect(tags.map(tagFault)).toEqual(tags.map(() => null));
    expect(costLimitOfTags(tags)).toBe(nano);
  });

  test.each([
    "budget:",
    "budget:-1",
    "budget:+1",
    "budget:1e3",
    "budget:0.1234567",
    "budget:.5",
    "budget:5.",
    "budget: 0.50",
    " budget:0.50",
    "budget :1",
    "Budget:1",
    "BUDGET:1",
    "budget:$",
    "budget:€5",
    "budget:1,000",
    "budget:NaN",
    "budget:Infinity",
    "budget:0x10",
    "budget:１",
    "budget:1\n",
    "budget:1000000.000001",
    `budget:${"9".repeat(400)}`,
    `budget:${"0".repeat(40)}1`,
  ])("%j is refused and limits nothing in silence", (tag) => {
    expect(tagFault(tag)).toMatch(/^expected budget:USD /);
    expect(() => costLimitOfTags(["ok", tag])).toThrow(AstraError);
  });

  test.each(["", "x".repeat(65), " a", "a ", "a\tb", "a\u202eb", "a\ud800"])("the free tag %j is refused", (tag) => {
    expect(tagFault(tag)).toMatch(/^expected a tag of 1-64 characters/);
  });

  test("whatever limit a tag sets, adding a tag never raises it", () => {
    const tag = fc.nat(1_000_000).map((micro) => `budget:${(micro / 1e6).toFixed(6)}`);
    fc.assert(
      fc.property(fc.array(tag, { minLength: 1 }), tag, (tags, more) => {
        const [before, after] = [costLimitOfTags(tags), costLimitOfTags([...tags, more])];
        expect(before !== null && after !== null && after <= before).toBe(true);
      }),
    );
  });
});
