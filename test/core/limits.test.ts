// Limits: which numbers bear on a spend, against which balances they stand, and when they reset.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Attribution, type BalanceKey, balanceKeys, keyText, sortKeys } from "../../src/core/balance-key.ts";
import { BUILT_IN_HARD_CAPS } from "../../src/core/budget.ts";
import { type LimitedSession, lookup, sessionLimits, sharedLimits } from "../../src/core/limits.ts";
import { NANO_PER_USD } from "../../src/core/money.ts";
import { type Amounts, type Balance, EMPTY_BALANCE, NOTHING } from "../../src/core/usage.ts";
import { policyOf } from "../world.ts";

const NOW = Date.parse("2026-11-22T23:30:00Z");
const SPEND: Attribution = {
  workspaceId: "default",
  chain: ["root", "child"],
  agentId: "ada",
  teamId: "night",
  taskId: "594",
  hour: "2026-11-22T23",
};
const cost = (usd: bigint): Amounts => ({ ...NOTHING, cost: usd * NANO_PER_USD });
const spent = (amounts: Amounts): Balance => ({ spent: amounts, held: NOTHING });
const key = (scope: BalanceKey["scope"], scopeId: string, window: BalanceKey["window"], windowKey: string) =>
  ({ scope, scopeId, window, windowKey }) as const;

describe("limits of a session", () => {
  const session: LimitedSession = {
    id: "ses_1",
    agentId: "ada",
    budget: { ...BUILT_IN_HARD_CAPS, maxCostCents: NANO_PER_USD / 2n, maxToolCalls: 20n, maxTotalTokens: 50_000n },
    openedAt: NOW - 20_000,
    expiresAt: NOW + 40_000,
  };
  const balance: Balance = {
    spent: { cost: 120_000_000n, promptTokens: 2_500n, completionTokens: 800n, toolCalls: 4n },
    held: { cost: 30_000_000n, promptTokens: 100n, completionTokens: 10n, toolCalls: 1n },
  };
  const of = (hardCaps = BUILT_IN_HARD_CAPS, scope: "session" | "ancestor" = "session") =>
    Object.fromEntries(
      sessionLimits(session, scope, balance, hardCaps, [], NOW).map((limit) => [limit.measure, limit]),
    );

  test("are cost, tokens in all and by direction, tool calls and time, and never reset", () => {
    const limits = of();
    expect(Object.keys(limits).sort()).toEqual([
      "completion_tokens",
      "cost_usd",
      "duration_ms",
      "prompt_tokens",
      "tool_calls",
      "total_tokens",
    ]);
    expect(limits.cost_usd).toMatchObject({ limit: 500_000_000n, spent: 120_000_000n, held: 30_000_000n });
    expect(limits.total_tokens).toMatchObject({ limit: 50_000n, spent: 3_300n, held: 110n });
    expect(limits.prompt_tokens).toMatchObject({ limit: 500_000n, spent: 2_500n, held: 100n });
    expect(limits.completion_tokens).toMatchObject({ limit: 100_000n, spent: 800n, held: 10n });
    expect(limits.tool_calls).toMatchObject({ limit: 20n, spent: 4n, held: 1n });
    expect(limits.duration_ms).toMatchObject({ limit: 60_000n, spent: 20_000n, held: 0n });
    expect(new Set(Object.values(limits).map((limit) => limit.resetsAt))).toEqual(new Set([null]));
  });

  test("hard caps that were lowered since it opened bite at once, raised ones do not widen it", () => {
    expect(of({ ...BUILT_IN_HARD_CAPS, maxToolCalls: 3n, maxDuration: 1_000n })).toMatchObject({
      tool_calls: { limit: 3n },
      duration_ms: { limit: 1_000n },
    });
    expect(of({ ...BUILT_IN_HARD_CAPS, maxToolCalls: 1_000n, maxDuration: 10_000_000n })).toMatchObject({
      tool_calls: { limit: 20n },
      duration_ms: { limit: 60_000n },
    });
  });

  test("an ancestor's are named by its agent, since its id is a handle", () => {
    const limits = Object.values(of(BUILT_IN_HARD_CAPS, "ancestor"));
    expect(limits.every((limit) => limit.scope === "ancestor" && limit.scopeId === "ada")).toBe(true);
  });

  test("a clock that runs backwards makes no negative duration", () => {
    const limits = sessionLimits(session, "session", balance, BUILT_IN_HARD_CAPS, [], session.openedAt - 5_000);
    expect(limits.find((limit) => limit.measure === "duration_ms")?.spent).toBe(0n);
  });
});

describe("limits over many sessions", () => {
  const FULL = policyOf({
    workspace: { timezone: "Europe/Berlin", dailyCostLimitUsd: 50, monthlyCostLimitUsd: 300 },
    teams: [{ id: "night", dailyCostLimitUsd: 10, taskCostLimitUsd: 2 }],
    agents: [
      {
        id: "ada",
        team: "night",
        dailyCostLimitUsd: 5,
        quotas: { tokensPerHour: 200_000, tokensPerDay: 1_000_000, costPerDayUsd: 4 },
      },
    ],
  });
  const spend = { ...SPEND, hour: "2026-11-23T00" };
  const runTime = { teamDaily: 10n * NANO_PER_USD, task: 2n * NANO_PER_USD, raises: [] };
  const shared = (policy = FULL, rows: [BalanceKey, Balance][] = [], of: Attribution = spend) =>
    sharedLimits(of, policy, runTime, lookup(rows), NOW);
  const names = (limits: ReturnType<typeof shared>) => limits.map((l) => `${l.scope} ${l.window} ${l.measure}`).sort();

  test("are the task's, the agent's hour and day, the team's day and the workspace's day and month", () => {
    expect(names(shared())).toEqual([
      "agent day cost_usd",
      "agent day total_tokens",
      "agent hour total_tokens",
      "task total cost_usd",
      "team day cost_usd",
      "workspace day cost_usd",
      "workspace month cost_usd",
    ]);
  });

  test("where two limits say the same thing of one day, the smaller one is it", () => {
    const agentDay = shared().find((l) => l.scope === "agent" && l.measure === "cost_usd");
    expect(agentDay?.limit).toBe(4n * NANO_PER_USD);
  });

  test("what is not limited is not there", () => {
    expect(names(shared(policyOf({}), [], { ...spend, teamId: null }))).toEqual(["task total cost_usd"]);
    expect(
      sharedLimits(
        { ...spend, taskId: null },
        policyOf({}),
        { teamDaily: null, task: null, raises: [] },
        lookup([]),
        NOW,
      ),
    ).toEqual([]);
  });

  test("each stands against the balance of its own scope and window, and of no other", () => {
    const rows: [BalanceKey, Balance][] = [
      [key("task", "594", "total", ""), spent(cost(1n))],
      [key("agent", "ada", "day", "2026-11-23"), spent({ ...cost(2n), promptTokens: 20n, completionTokens: 1n })],
      [key("agent", "ada", "day", "2026-11-22"), spent(cost(99n))],
      [key("agent", "bob", "day", "2026-11-23"), spent(cost(99n))],
      [key("agent", "ada", "hour", "2026-11-23T00"), spent({ ...NOTHING, promptTokens: 7n })],
      [key("agent", "ada", "hour", "2026-11-22T23"), spent({ ...NOTHING, promptTokens: 99n })],
      [key("team", "night", "day", "2026-11-23"), spent(cost(3n))],
      [key("team", "day", "day", "2026-11-23"), spent(cost(99n))],
      [key("workspace", "default", "day", "2026-11-23"), spent(cost(4n))],
      [key("workspace", "default", "month", "2026-11"), { spent: cost(5n), held: cost(1n) }],
      [key("workspace", "default", "month", "2026-10"), spent(cost(99n))],
    ];
    const found = Object.fromEntries(shared(FULL, rows).map((l) => [`${l.scope} ${l.window} ${l.measure}`, l]));
    expect(found["task total cost_usd"]?.spent).toBe(1n * NANO_PER_USD);
    expect(found["agent day cost_usd"]?.spent).toBe(2n * NANO_PER_USD);
    expect(found["agent day total_tokens"]?.spent).toBe(21n);
    expect(found["agent hour total_tokens"]?.spent).toBe(7n);
    expect(found["team day cost_usd"]?.spent).toBe(3n * NANO_PER_USD);
    expect(found["workspace day cost_usd"]?.spent).toBe(4n * NANO_PER_USD);
    expect(found["workspace month cost_usd"]).toMatchObject({ spent: 5n * NANO_PER_USD, held: NANO_PER_USD });
  });

  test("reset when their window ends in the workspace's zone; a task's never", () => {
    const resets = Object.fromEntries(
      shared().map((l) => [`${l.scope} ${l.window}`, l.resetsAt && new Date(l.resetsAt).toISOString()]),
    );
    expect(resets).toEqual({
      "task total": null,
      "agent hour": "2026-11-23T00:00:00.000Z",
      "agent day": "2026-11-23T23:00:00.000Z",
      "team day": "2026-11-23T23:00:00.000Z",
      "workspace day": "2026-11-23T23:00:00.000Z",
      "workspace month": "2026-11-30T23:00:00.000Z",
    });
  });
});

describe("balances of a spend", () => {
  test("are all scopes and windows that a limit may look at, whatever the policy says", () => {
    expect(balanceKeys(SPEND).map(keyText)).toEqual([
      "agent ada day 2026-11-22",
      "agent ada hour 2026-11-22T23",
      "session child session ",
      "session root session ",
      "task 594 total ",
      "team night day 2026-11-22",
      "workspace default day 2026-11-22",
      "workspace default month 2026-11",
    ]);
    expect(balanceKeys({ ...SPEND, teamId: null, taskId: null, chain: [] })).toHaveLength(4);
  });

  test("are sorted and different however they are given, so that all transactions lock them in one order", () => {
    const ids = fc.constantFrom("a", "b", "é", "Z", "10", "9");
    const keys = fc.record({
      scope: fc.constantFrom<BalanceKey["scope"]>("agent", "session", "task"),
      scopeId: ids,
      window: fc.constantFrom<BalanceKey["window"]>("day", "total"),
      windowKey: fc.constantFrom("", "2026-11-22"),
    });
    fc.assert(
      fc.property(fc.array(keys, { maxLength: 12 }), (given) => {
        const sorted = sortKeys(given);
        const texts = sorted.map(keyText);
        expect(texts.every((text, i) => i === 0 || (texts[i - 1] ?? "") < text)).toBe(true);
        expect(new Set(texts)).toEqual(new Set(given.map(keyText)));
        expect(sortKeys([...given].reverse()).map(keyText)).toEqual(texts);
      }),
    );
  });

  test("a row that is not there is an empty balance", () => {
    expect(lookup([])(key("task", "594", "total", ""))).toEqual(EMPTY_BALANCE);
  });
});
