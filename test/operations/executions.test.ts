// Executions through the operations: which outcome a session ends with, and what becomes of those that nobody ends.
import { describe, expect, test } from "vitest";
import { OPERATOR, START, WIDE, type World, worldOf } from "../world.ts";
import { faultText, isClean } from "./witness.ts";

const HOUR = 3_600_000;
const MINUTE = 60_000;
const POLICY = {
  hardCaps: WIDE,
  agents: [
    { id: "ada", budget: { maxCostCents: 100, maxToolCalls: 2, maxTotalTokens: 1_000, maxDuration: 10 * MINUTE } },
    { id: "calm", budget: { maxToolCalls: 0 } },
  ],
};

const world = (policy: unknown = POLICY) => worldOf({ policy });
type Line = Record<string, unknown>;

const executions = async (of: World, args: Line = {}) => (await of.call("list_executions", args)).executions as Line[];
const ended = async (of: World, status: string, report: Line | null, args: Line = {}): Promise<string> => {
  const { session_id } = await of.open(args);
  if (report) await of.report({ session_id, ...report });
  await of.end({ session_id, status });
  return session_id;
};

describe("the outcome of a session", () => {
  test.each([
    ["success", null, "success"],
    ["success", { cost_usd: 0.999999999 }, "success"],
    ["success", { cost_usd: 1 }, "over_budget"],
    ["success", { cost_usd: 1.5 }, "over_budget"],
    ["success", { input_tokens: 600, output_tokens: 400 }, "over_budget"],
    ["success", { input_tokens: 600, output_tokens: 399 }, "success"],
    ["success", { tool_calls: 2 }, "over_budget"],
    ["success", { tool_calls: 1 }, "success"],
    ["error", { cost_usd: 1 }, "error"],
    ["cancelled", { cost_usd: 1 }, "cancelled"],
  ])("ended as %s after %j is %s, and its answer says so", async (status, report, outcome) => {
    const of = await world();
    const { session_id } = await of.open();
    if (report) await of.report({ session_id, ...report });
    expect(await of.end({ session_id, status })).toMatchObject({ status, outcome });
    expect(await of.end({ session_id, status: "error" })).toMatchObject({ already_ended: true, status, outcome });
    expect(await executions(of)).toMatchObject([{ session_id, outcome }]);
    expect(await isClean(of)).toBe(true);
  });

  test("of one that may use no tools and used none is a success", async () => {
    const of = await world();
    await ended(of, "success", { cost_usd: 0.01 }, { agent_id: "calm" });
    expect(await executions(of)).toMatchObject([{ outcome: "success" }]);
  });

  test("is over budget from its deadline on", async () => {
    const of = await world();
    for (const ms of [10 * MINUTE - 1, 10 * MINUTE]) {
      const { session_id } = await of.open();
      of.pass(ms);
      await of.end({ session_id });
    }
    expect((await executions(of)).map((each) => [each.outcome, each.latency_ms])).toEqual([
      ["over_budget", 10 * MINUTE],
      ["success", 10 * MINUTE - 1],
    ]);
  });

  test("counts what sub-agents used, and theirs that were still open are cancelled", async () => {
    const of = await world();
    const parent = await of.open();
    const child = await of.open({ agent_id: "calm", parent_session_id: parent.session_id });
    await of.report({ session_id: child.session_id, cost_usd: 1 });
    await of.end({ session_id: parent.session_id });
    expect(new Map((await executions(of)).map((each) => [each.agent_id, [each.outcome, each.cost_usd]]))).toEqual(
      new Map([
        ["ada", ["over_budget", 0]],
        ["calm", ["cancelled", 1]],
      ]),
    );
  });

  test("is measured against its own limits alone, raised by a grant, lowered by a hard cap", async () => {
    const team = { ...POLICY, teams: [{ id: "t", dailyCostLimitUsd: 0.1 }] };
    const of = await world({ ...team, agents: [{ ...POLICY.agents[0], team: "t" }] });
    const first = await of.open();
    await of.report({ session_id: first.session_id, cost_usd: 0.5 });
    await of.end({ session_id: first.session_id });
    of.setPolicy(POLICY);
    const raised = await of.open();
    const lowered = await of.open();
    const expires_at = new Date(START + HOUR).toISOString();
    const grant = { scope: "session", scope_id: raised.session_id, amount: 1, expires_at, reason: "more" };
    await of.call("grant", grant);
    for (const { session_id } of [raised, lowered]) await of.report({ session_id, cost_usd: 0.9 });
    await of.report({ session_id: raised.session_id, cost_usd: 0.2 });
    await of.end({ session_id: raised.session_id });
    of.setPolicy({ ...POLICY, hardCaps: { ...WIDE, maxCostCents: 80 } });
    await of.end({ session_id: lowered.session_id });
    const outcomes = new Map((await executions(of)).map((each) => [each.session_id, each.outcome]));
    expect(outcomes).toEqual(
      new Map([
        [lowered.session_id, "over_budget"],
        [raised.session_id, "success"],
        [first.session_id, "success"],
      ]),
    );
  });

  test("does not change with what is reported late, but its score does", async () => {
    const of = await world();
    const session_id = await ended(of, "success", { cost_usd: 0.2 });
    expect(await executions(of)).toMatchObject([{ score: 0.95, cost_limit_usd: 1, time_limit_ms: 10 * MINUTE }]);
    await of.report({ session_id, cost_usd: 1 });
    expect(await executions(of)).toMatchObject([{ outcome: "success", cost_usd: 1.2, score: 0.75, charges: 2 }]);
    expect(await isClean(of)).toBe(true);
  });
});

describe("a session that nobody ended", () => {
  test("is closed as of its deadline by the first opening an hour after it", async () => {
    const of = await world();
    const { session_id } = await of.open();
    await of.report({ session_id, cost_usd: 0.1 });
    of.pass(10 * MINUTE + HOUR - 1);
    await of.open();
    expect(await executions(of)).toEqual([]);
    of.pass(1);
    await of.open();
    expect(await executions(of)).toMatchObject([
      {
        session_id,
        outcome: "expired",
        ended_at: new Date(START + 10 * MINUTE).toISOString(),
        latency_ms: 10 * MINUTE,
        score: 0,
      },
    ]);
    expect((await of.call("leaderboard")).agents).toMatchObject([{ agent_id: "ada", executions: 1, success_rate: 0 }]);
    const { sessions } = await of.call("list_sessions", {}, OPERATOR);
    expect((sessions as Line[]).find((each) => each.session_id === session_id)?.status).toBe("expired");
    expect(await isClean(of)).toBe(true);
  });

  test("may still be reported to and ended: the money counts, the outcome stays", async () => {
    const of = await world();
    const { session_id } = await of.open();
    of.pass(2 * HOUR);
    await of.open();
    expect(await of.report({ session_id, cost_usd: 0.1 })).toMatchObject({ recorded: true, late: true });
    expect(await of.end({ session_id })).toMatchObject({ already_ended: true, outcome: "expired" });
    expect(await executions(of)).toMatchObject([{ outcome: "expired", cost_usd: 0.1 }]);
    expect(await isClean(of)).toBe(true);
  });

  test("is closed by a refused opening too, by none that is repeated, and ten at a time", async () => {
    const of = await world({ ...POLICY, unknownAgents: "deny" });
    for (let i = 0; i < 12; i++) await of.open({ idempotency_key: `k${i}` });
    of.pass(2 * HOUR);
    await of.open({ idempotency_key: "k0" });
    expect(await executions(of)).toHaveLength(0);
    expect(await of.open({ agent_id: "eve" })).toMatchObject({ session_id: null });
    expect(await executions(of)).toHaveLength(10);
    await of.open();
    expect(await executions(of)).toHaveLength(12);
  });

  test("has its forgotten hold booked first, and what its report takes back later is followed", async () => {
    const of = await world({ ...POLICY, onHoldExpiry: "charge" });
    const { session_id } = await of.open();
    const { hold_id } = await of.check({ session_id, estimate: { cost_usd: 0.1 }, hold: true, hold_ttl_ms: 2 * HOUR });
    of.pass(10 * MINUTE + HOUR);
    await of.open();
    expect(await executions(of)).toMatchObject([{ session_id, outcome: "expired", cost_usd: 0.1, charges: 1 }]);
    await of.report({ session_id, hold_id, cost_usd: 0.04 });
    expect(await executions(of)).toMatchObject([{ session_id, outcome: "expired", cost_usd: 0.04, charges: 3 }]);
    expect(await isClean(of)).toBe(true);
  });

  test("counts on the day of its deadline in the workspace's zone", async () => {
    const of = await worldOf({
      policy: { ...POLICY, workspace: { timezone: "Asia/Tokyo" } },
      start: Date.parse("2026-11-22T14:45:00Z"),
    });
    await of.open();
    of.pass(2 * HOUR);
    await of.open();
    // 23:55 in Tokyo, whatever day it is now.
    expect(await executions(of, { start_date: "2026-11-22", end_date: "2026-11-22" })).toHaveLength(1);
    expect((await of.call("leaderboard", { period: "day" })).agents).toEqual([]);
    expect(await executions(of, { start_date: "2026-11-23" })).toEqual([]);
  });
});

describe("the lists", () => {
  test("go on where a page ended, each of them", async () => {
    const of = await world();
    for (const [i, user] of ["u1", "u2", "u3"].entries()) {
      of.pass(MINUTE);
      await ended(of, "success", null, { agent_id: `a${i}`, user_id: user, role: `role-${i}` });
    }
    for (const [name, list] of [
      ["list_executions", "executions"],
      ["get_role_ledger", "roles"],
      ["get_user_role_ledger", "user_roles"],
    ] as const) {
      const whole = await of.call(name);
      expect(whole.next_cursor).toBeNull();
      const paged: unknown[] = [];
      for (let cursor: unknown = undefined; cursor !== null; ) {
        const page = await of.call(name, { limit: 1, ...(cursor === undefined ? {} : { cursor }) });
        expect(page[list]).toHaveLength(1);
        paged.push(...(page[list] as unknown[]));
        cursor = page.next_cursor;
      }
      expect(paged).toEqual(whole[list]);
      expect(paged).toHaveLength(3);
      expect(await faultText(of.call(name, { cursor: "nonsense" }))).toContain("cursor expected next_cursor");
    }
  });

  test("are narrowed by what they take, a role in any case", async () => {
    const of = await world();
    await ended(
      of,
      "success",
      { cost_usd: 0.5, output_tokens: 7, error: "x" },
      { agent_id: "a", user_id: "u1", role: "Scout" },
    );
    await ended(of, "error", null, { agent_id: "b", user_id: "u2" });
    expect(await executions(of, { role: "SCOUT" })).toMatchObject([{ agent_id: "a", role: "scout", errors: 1 }]);
    expect(await executions(of, { outcome: "error" })).toMatchObject([{ agent_id: "b" }]);
    expect(await executions(of, { user_id: "u2", agent_id: "a" })).toEqual([]);
    expect((await of.call("get_role_ledger", { role: "scout" })).roles).toEqual([
      {
        role: "scout",
        executions: 1,
        successes: 1,
        success_rate: 1,
        latency_mean_ms: 0,
        latency_p50_ms: 0,
        latency_p95_ms: 0,
        input_tokens: 0,
        output_tokens: 7,
        cache_read_tokens: 0,
        cache_write_tokens: 0,
        tool_calls: 0,
        errors: 1,
        cost_usd: 0.5,
        // Half a dollar of ten thousand cost it 12 millionths: (999,988 + 1,000,000) / 3.
        fitness: 0.666662,
      },
    ]);
    expect((await of.call("get_user_role_ledger", { user_id: "u2" })).user_roles).toMatchObject([
      { user_id: "u2", role: null, executions: 1, success_rate: 0, fitness: 0.333333 },
    ]);
    const wrong = of.call("list_executions", { start_date: "2026-11-23", end_date: "2026-11-22" });
    expect(await faultText(wrong)).toContain("start_date expected a date not after end_date");
  });
});
