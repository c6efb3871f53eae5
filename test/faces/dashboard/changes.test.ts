// What the audit's page says was changed.
import { describe, expect, test } from "vitest";
import { changesOf, changeText } from "../../../src/faces/dashboard/page/changes.ts";

const texts = (before: unknown, after: unknown) => changesOf(before, after).map(changeText);

describe("the changes of an audit entry", () => {
  test("only what differs is told, with both sides", () => {
    const before = { team_id: "night", daily_cost_limit_usd: 1, task_cost_limit_usd: null };
    expect(texts(before, { ...before, daily_cost_limit_usd: 2.5 })).toEqual(["daily_cost_limit_usd: 1 → 2.5"]);
  });

  test("what is new has one side, what went away says so", () => {
    expect(texts(null, { reason: "loops" })).toEqual(["reason: loops"]);
    expect(texts({ reason: "loops" }, null)).toEqual(["reason: loops (gone)"]);
    expect(texts({ limit: 3 }, { limit: null })).toEqual(["limit: 3 (gone)"]);
  });

  test("a zero and a false are values, not nothing", () => {
    expect(texts({ limit: 5, on: true }, { limit: 0, on: false })).toEqual(["limit: 5 → 0", "on: true → false"]);
  });

  test("fields within fields have a path, lists are one value", () => {
    expect(texts({ a: { b: 1 }, tags: ["x"] }, { a: { b: 2 }, tags: ["x", "y"] })).toEqual([
      "a.b: 1 → 2",
      "tags: x → x, y",
    ]);
  });

  test("an entry that changed nothing tells nothing", () => {
    expect(texts({ a: 1 }, { a: 1 })).toEqual([]);
    expect(texts(null, null)).toEqual([]);
  });
});
