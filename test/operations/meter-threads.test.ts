// Threads that are metered: the sessions they are booked to, whose budgets those spend, and the verdicts on them.
import { describe, expect, test } from "vitest";
import { OPERATOR, START, WIDE, worldOf } from "../world.ts";
import { aResponse, charges, meter, sessions, threadsOf } from "./metering.ts";
import { isClean } from "./witness.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const POLICY = { hardCaps: WIDE, agents: [{ id: "ada" }] };
/** A budget of one agent, everything else without an end. */
const budgeted = (budget: Record<string, number>) => ({ hardCaps: WIDE, agents: [{ id: "ada", budget }] });

describe("what was used before a session was open", () => {
  const old = aResponse("msg_old", { occurredAt: START - 3 * DAY_MS });

  test("goes to an ended session of the past, and counts in its own day", async () => {
    const world = await worldOf({ policy: POLICY });
    const more = aResponse("msg_older", { occurredAt: START - 4 * DAY_MS });
    const { session } = await meter(world, [old, more, aResponse("msg_1")]);
    const [past, now] = await sessions(world);
    expect(past).toMatchObject({ status: "success", opened_at: BigInt(more.occurredAt), cost_nano_usd: 4_000_000n });
    expect(now).toMatchObject({ id: session.id, status: "open", cost_nano_usd: 2_000_000n });
    expect((await world.costs({ group_by: ["day"] })).by_day).toEqual([
      { day: "2026-11-18", cost_usd: 0.002 },
      { day: "2026-11-19", cost_usd: 0.002 },
      { day: "2026-11-22", cost_usd: 0.002 },
    ]);
    expect(await isClean(world)).toBe(true);
  });

  test("goes to the same one when more of it is found", async () => {
    const world = await worldOf({ policy: POLICY });
    await meter(world, [old]);
    await meter(world, [aResponse("msg_older", { occurredAt: START - 5 * DAY_MS })]);
    expect(await sessions(world)).toHaveLength(2);
    expect(await isClean(world)).toBe(true);
  });

  test("adds nothing, and makes no empty session, where a forked conversation repeats it", async () => {
    const world = await worldOf({ policy: POLICY });
    const own = aResponse("msg_1");
    await meter(world, [old, own]);
    world.pass(HOUR_MS);
    const threads = threadsOf({ fork: [old, own], "fork/sub": [own] }, { "fork/sub": "fork" });
    await meter(world, [], { threads, asking: "fork" });
    expect(await charges(world)).toHaveLength(2);
    expect((await sessions(world)).map(({ status }) => status)).toEqual(["success", "open", "open"]);
  });

  test("does not take a sub-agent's place of now", async () => {
    const world = await worldOf({ policy: POLICY });
    const threads = threadsOf({ main: [], sub: [old] }, { sub: "main" });
    const { session } = await meter(world, [], { threads });
    expect((await sessions(world)).map(({ id }) => id)).toEqual([expect.not.stringMatching(session.id), session.id]);
  });
});

describe("sessions of threads", () => {
  const SMALL = budgeted({ maxCostCents: 1, maxDuration: HOUR_MS });

  test("are found again, and go on when nobody asks for more, though over", async () => {
    const world = await worldOf({ policy: SMALL });
    const { session } = await meter(world, [aResponse("msg_1")]);
    world.pass(2 * HOUR_MS);
    const later = await meter(world, [aResponse("msg_2", { occurredAt: START + 2 * HOUR_MS })]);
    expect(later.session.id).toBe(session.id);
    expect(later.verdict.decision).toBe("deny");
    expect(await world.costs()).toMatchObject({ total_cost_usd: 0.004 });
  });

  test("renewed by a person before their time have only what was left, afterwards a fresh budget", async () => {
    const world = await worldOf({ policy: SMALL });
    const first = await meter(world, [aResponse("msg_1", { inputTokens: 7_000 })]);
    await world.end({ session_id: first.session.id, status: "success" });
    world.pass(60_000);
    const second = await meter(world, [], { renewal: "renew" });
    expect(second.session.id).not.toBe(first.session.id);
    expect(second.session.budget).toMatchObject({ maxCostCents: 2_000_000n, maxDuration: BigInt(HOUR_MS - 60_000) });
    expect(second.session.expiresAt).toBe(first.session.expiresAt);
    world.at(second.session.expiresAt);
    const third = await meter(world, [], { renewal: "renew" });
    expect(third.session.budget).toMatchObject({ maxCostCents: 10_000_000n, maxDuration: BigInt(HOUR_MS) });
    expect(third.verdict.decision).toBe("allow");
  });

  test("renewed before their time count what was used while none was open", async () => {
    const world = await worldOf({ policy: SMALL });
    const first = await meter(world, [aResponse("msg_1")]);
    await world.end({ session_id: first.session.id, status: "success" });
    world.pass(60_000);
    const unseen = aResponse("msg_2", { inputTokens: 9_000, occurredAt: world.context.now() });
    world.pass(180_000);
    const second = await meter(world, [unseen], { renewal: "renew" });
    expect(second.session.id).not.toBe(first.session.id);
    expect(second.verdict.decision).toBe("deny");
  });

  test("of sub-agents spend from their parents' budgets, also what was used before they were heard of", async () => {
    const world = await worldOf({ policy: SMALL });
    await meter(world, [aResponse("msg_1")]);
    world.pass(10 * 60_000);
    const threads = threadsOf({ main: [], sub: [aResponse("msg_2", { inputTokens: 7_000 })] }, { sub: "main" });
    const { session, verdict } = await meter(world, [], { threads, asking: "sub" });
    expect(session).toMatchObject({ parentAgentId: "ada", depth: 1, totals: { cost: 8_000_000n } });
    expect(verdict).toMatchObject({ decision: "deny", binding: { scope: "ancestor", measure: "cost_usd" } });
    expect((await meter(world, [])).verdict).toMatchObject({ decision: "deny", binding: { scope: "session" } });
  });
});

describe("the verdict", () => {
  test("says apart whether one more sub-agent may start", async () => {
    const world = await worldOf({ policy: budgeted({ maxChildAgents: 1, maxSpawnDepth: 1 }) });
    const ask = { starting: 1 } as const;
    expect((await meter(world, [], ask)).spawn?.decision).not.toBe("deny");
    const threads = threadsOf({ main: [], sub: [] }, { sub: "main" });
    const inSub = await meter(world, [], { ...ask, threads, asking: "sub" });
    expect(inSub.spawn).toMatchObject({ decision: "deny", binding: { kind: "spawn_depth" } });
    const main = await meter(world, [], ask);
    expect(main.spawn).toMatchObject({ decision: "deny", binding: { measure: "child_agents" } });
    expect(main.verdict.decision).toBe("allow");
    expect((await meter(world, [])).spawn).toBeNull();
  });

  test("is no where the responses under way would not fit, as they usually are", async () => {
    const world = await worldOf({ policy: budgeted({ maxCostCents: 1 }) });
    await meter(world, [aResponse("msg_1"), aResponse("msg_2")]);
    for (const [count, decision] of [
      [0, "allow"],
      [1, "allow"],
      [2, "warn"],
      [3, "warn"],
      [4, "deny"],
    ] as const) {
      const underWay = Array.from({ length: count }, () => aResponse("msg_2"));
      expect((await meter(world, [], { underWay })).verdict.decision, String(count)).toBe(decision);
    }
  });

  test("is no after a stop of the operator", async () => {
    const world = await worldOf({ policy: POLICY });
    await meter(world, [aResponse("msg_1")]);
    await world.call("stop", { agent_id: "ada", reason: "Enough." });
    const { verdict } = await meter(world, [aResponse("msg_2")]);
    expect(verdict).toMatchObject({ decision: "deny", binding: { kind: "stop" } });
    expect(await charges(world)).toHaveLength(2);
  });

  test("is no for a model that the policy does not know, and what it used is booked all the same", async () => {
    const world = await worldOf({ policy: { ...POLICY, unknownModel: "deny" } });
    const model = "mystery-1";
    const { verdict } = await meter(world, [aResponse("msg_1", { model })], { model });
    expect(verdict).toMatchObject({ decision: "deny", binding: { kind: "unknown_model" } });
    expect(await charges(world)).toMatchObject([{ cost_nano_usd: 20_000_000n, cost_source: "worst_known" }]);
    expect((await meter(world, [], { model: "known-1" })).verdict.decision).toBe("allow");
  });

  test("tells once per thread and window what is nearly used up", async () => {
    const world = await worldOf({
      policy: { hardCaps: WIDE, agents: [{ id: "ada", quotas: { tokensPerHour: 2_000 } }] },
    });
    const told = async (threadId: string, responseId?: string) => {
      const responses =
        responseId === undefined
          ? []
          : [aResponse(responseId, { occurredAt: world.context.now(), inputTokens: 1_700 })];
      const answer = await meter(world, [], { threads: threadsOf({ [threadId]: responses }), asking: threadId });
      return answer.nearlyUsedUp.map(({ measure, window }) => `${measure} ${window}`);
    };
    expect(await told("main", "msg_1")).toEqual(["total_tokens hour"]);
    expect(await told("main")).toEqual([]);
    expect(await told("other")).toEqual(["total_tokens hour"]);
    expect(await told("other")).toEqual([]);
    world.pass(HOUR_MS);
    expect(await told("main", "msg_2")).toEqual(["total_tokens hour"]);
    expect(await told("main")).toEqual([]);
  });
});

test("metered usage raises incidents as reports do", async () => {
  const world = await worldOf({ policy: { hardCaps: WIDE } });
  await meter(world, [aResponse("msg_0", { inputTokens: 1_000 })]);
  for (let minute = 1; minute <= 12; minute++) {
    world.pass(60_000);
    const inputTokens = minute === 12 ? 5_000_000 : 1_000;
    await meter(world, [aResponse(`msg_${minute}`, { inputTokens, occurredAt: world.context.now() })]);
  }
  const { incidents } = await world.call("list_incidents", {}, OPERATOR);
  expect(incidents).toMatchObject([{ kind: "token_spike" }]);
});
