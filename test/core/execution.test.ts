// Executions: which outcome a session comes to, and scores and fitness worked out by hand.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Execution,
  executionWindows,
  fitnessOf,
  OUTCOMES,
  outcomeOf,
  ppmOf,
  scoreOf,
} from "../../src/core/execution.ts";
import type { Limit } from "../../src/core/limits.ts";
import { weekOf, windowAt } from "../../src/core/window.ts";

const limit = (spent: bigint, changes: Partial<Limit> = {}): Limit => ({
  scope: "session",
  scopeId: "ses_1",
  window: "session",
  measure: "cost_usd",
  limit: 100n,
  spent,
  held: 0n,
  resetsAt: null,
  ...changes,
});

describe("the outcome", () => {
  test.each([
    ["success", [limit(99n)], "success"],
    ["success", [limit(100n)], "over_budget"],
    ["success", [limit(101n)], "over_budget"],
    ["success", [limit(1n), limit(60_000n, { measure: "duration_ms", limit: 60_000n })], "over_budget"],
    // No tool calls at all is a permission, not a purse that is empty.
    ["success", [limit(0n, { measure: "tool_calls", limit: 0n })], "success"],
    ["error", [limit(101n)], "error"],
    ["cancelled", [limit(101n)], "cancelled"],
    ["success", [], "success"],
  ] as const)("of a session ended as %s is what its own limits say: case %#", (status, limits, outcome) => {
    expect(outcomeOf(status, limits)).toBe(outcome);
  });
});

const FREE: Execution = { outcome: "success", cost: 0n, costLimit: 1_000n, latencyMs: 0n, timeLimitMs: 1_000n };

describe("the score", () => {
  test.each([
    ["a success that used nothing", {}, 1_000_000n],
    ["half of the cost limit", { cost: 500n }, 875_000n],
    ["half of the time", { latencyMs: 500n }, 925_000n],
    ["all of both", { cost: 1_000n, latencyMs: 1_000n }, 600_000n],
    ["more than both", { cost: 5_000n, latencyMs: 5_000n }, 600_000n],
    ["a third, rounded in its favour", { cost: 333n, costLimit: 1_000n, latencyMs: 1n, timeLimitMs: 3n }, 866_750n],
    ["a limit that nobody knows", { costLimit: null, cost: 700n }, 875_000n],
    ["nothing of a limit of nothing", { costLimit: 0n }, 1_000_000n],
    ["something of a limit of nothing", { costLimit: 0n, cost: 1n, timeLimitMs: 0n, latencyMs: 1n }, 600_000n],
    [
      "half of the largest limit there may be, to a millionth",
      { cost: 5n * 10n ** 14n, costLimit: 10n ** 15n },
      875_001n,
    ],
  ])("of %s", (_, changes, score) => {
    expect(scoreOf({ ...FREE, ...changes })).toBe(score);
  });

  test("of whatever failed is nothing, however little it used", () => {
    for (const outcome of OUTCOMES) expect(scoreOf({ ...FREE, outcome })).toBe(outcome === "success" ? 1_000_000n : 0n);
  });

  const amount = fc.bigInt({ min: 0n, max: 10n ** 15n });
  test("lies between 600,000 and a million for a success, never rises with use, and fits SQL's integers", () => {
    fc.assert(
      fc.property(amount, amount, amount, amount, amount, (cost, more, costLimit, latencyMs, timeLimitMs) => {
        const execution = { outcome: "success", cost, costLimit, latencyMs, timeLimitMs } as const;
        const score = scoreOf(execution);
        expect(score >= 600_000n && score <= 1_000_000n).toBe(true);
        expect(scoreOf({ ...execution, cost: cost + more })).toBeLessThanOrEqual(score);
        expect(scoreOf({ ...execution, latencyMs: latencyMs + more })).toBeLessThanOrEqual(score);
        const scale = costLimit / 10_000_000_000_000n + 1n;
        if (cost < costLimit) expect(250_000n * (cost / scale)).toBeLessThan(2n ** 63n);
      }),
    );
  });
});

describe("the fitness of many", () => {
  test.each([
    ["none is one half", 0n, 0n, 500_000n],
    ["one perfect execution is no proof", 1n, 1_000_000n, 666_666n],
    ["nor is one failure", 1n, 0n, 333_333n],
    ["ten perfect ones are more", 10n, 10_000_000n, 916_666n],
    ["a thousand nearly speak for themselves", 1_000n, 1_000_000_000n, 999_001n],
  ])("%s", (_, executions, scores, fitness) => {
    expect(fitnessOf(executions, scores)).toBe(fitness);
  });

  test("a share in millionths is rounded down", () => {
    expect([ppmOf(2n, 3n), ppmOf(3n, 3n), ppmOf(0n, 3n)]).toEqual([666_666n, 1_000_000n, 0n]);
  });
});

describe("the windows of a day", () => {
  test.each([
    ["2026-11-22", "2026-11-16"],
    ["2026-11-23", "2026-11-23"],
    ["2027-01-01", "2026-12-28"],
    ["2024-02-29", "2024-02-26"],
    ["1969-12-31", "1969-12-29"],
  ])("%s lies in the week of %s", (day, week) => {
    expect(executionWindows(day)).toEqual([
      { kind: "day", key: day },
      { kind: "week", key: week },
      { kind: "month", key: day.slice(0, 7) },
    ]);
  });

  test("are those that limits count in, in every zone", () => {
    const zone = fc.constantFrom("UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Kiritimati", "Antarctica/Casey");
    const instant = fc.integer({ min: Date.parse("2020-01-01"), max: Date.parse("2035-01-01") });
    fc.assert(
      fc.property(zone, instant, (timezone, at) => {
        const day = windowAt("day", at, timezone).key;
        expect(weekOf(day)).toBe(windowAt("week", at, timezone).key);
        expect(day.slice(0, 7)).toBe(windowAt("month", at, timezone).key);
      }),
      { numRuns: 200 },
    );
  });
});
