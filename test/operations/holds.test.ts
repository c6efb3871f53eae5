// Holds: an estimate set aside in every limit at once, settled, released or expired, each exactly once.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Answer, WIDE, type World, worldOf } from "../world.ts";
import { faultText, isClean, limitOf, rowsOf } from "./witness.ts";

const POLICY = {
  hardCaps: WIDE,
  workspace: { dailyCostLimitUsd: 100, monthlyCostLimitUsd: 1000 },
  teams: [{ id: "t", dailyCostLimitUsd: 50, taskCostLimitUsd: 20 }],
  agents: [{ id: "ada", team: "t", dailyCostLimitUsd: 30, quotas: { tokensPerHour: 100_000 } }],
};

/** Dollars spent and held against each cost limit that bears on the session. */
async function costsOf(world: World, session_id: string): Promise<Record<string, [unknown, unknown]>> {
  const { verdict } = await world.check({ session_id });
  const costs = verdict.limits.filter((limit) => limit.measure === "cost_usd");
  return Object.fromEntries(costs.map((limit) => [`${limit.scope} ${limit.window}`, [limit.spent, limit.held]]));
}

const everywhere = (spent: number, held: number) => ({
  "session session": [spent, held],
  "ancestor session": [spent, held],
  "task total": [spent, held],
  "agent day": [spent, held],
  "team day": [spent, held],
  "workspace day": [spent, held],
  "workspace month": [spent, held],
});

/** A child under a parent, so that a hold has an ancestor to hold in. */
async function swarm(policy: unknown = POLICY) {
  const world = await worldOf({ policy });
  const parent = await world.open({ task_id: 594 });
  const { session_id } = await world.open({ parent_session_id: parent.session_id });
  return { world, parent_id: parent.session_id, session_id };
}

const hold = (
  world: World,
  session_id: string,
  cost_usd: number,
  more: Record<string, unknown> = {},
): Promise<Answer> => world.check({ session_id, estimate: { cost_usd }, hold: true, ...more });

describe("a hold", () => {
  test("takes from every limit at once, tokens and tool calls too", async () => {
    const { world, session_id } = await swarm();
    const estimate = { cost_usd: 2, input_tokens: 300, output_tokens: 200, tool_calls: 4 };
    const held = await world.check({ session_id, estimate, hold: true });
    expect(held).toMatchObject({
      hold_id: expect.any(String),
      hold_expires_at: "2026-11-22T12:05:00.000Z",
      verdict: { decision: "allow" },
    });
    expect(await costsOf(world, session_id)).toEqual(everywhere(0, 2));
    const after = await world.check({ session_id });
    expect(limitOf(after, "session prompt_tokens").held).toBe(300);
    expect(limitOf(after, "session completion_tokens").held).toBe(200);
    expect(limitOf(after, "session total_tokens").held).toBe(500);
    expect(limitOf(after, "session tool_calls").held).toBe(4);
    expect(limitOf(after, "agent total_tokens")).toMatchObject({ window: "hour", held: 500, remaining: 99_500 });
    expect(await isClean(world)).toBe(true);
  });

  test.each([
    ["smaller", 0.5],
    ["the same", 2],
    ["larger", 3.75],
    ["nothing", 0],
  ])("is settled with the real cost: %s", async (_what, cost_usd) => {
    const { world, session_id } = await swarm();
    const { hold_id } = await hold(world, session_id, 2);
    const settled = await world.report({ session_id, hold_id, cost_usd });
    expect(settled).toMatchObject({ hold: "settled", cost_usd });
    expect(await costsOf(world, session_id)).toEqual(everywhere(cost_usd, 0));
    expect(await isClean(world)).toBe(true);
  });

  test("is settled once: the same one again adds the charge and frees nothing", async () => {
    const { world, session_id } = await swarm();
    const { hold_id } = await hold(world, session_id, 2);
    await hold(world, session_id, 1);
    await world.report({ session_id, hold_id, cost_usd: 0.5 });
    expect(await world.report({ session_id, hold_id, cost_usd: 0.25 })).toMatchObject({ hold: "was_closed" });
    expect(await costsOf(world, session_id)).toEqual(everywhere(0.75, 1));
    expect(await isClean(world)).toBe(true);
  });

  test("is released when its session ends, and the answer says how many", async () => {
    const { world, session_id } = await swarm();
    await hold(world, session_id, 2);
    await hold(world, session_id, 3);
    const { hold_id } = await hold(world, session_id, 4);
    await world.report({ session_id, hold_id, cost_usd: 1 });
    expect(await world.end({ session_id })).toMatchObject({ released_holds: 2 });
    expect(await costsOf(world, session_id)).toEqual(everywhere(1, 0));
    expect(await world.report({ session_id, hold_id, cost_usd: 1 })).toMatchObject({ late: true, hold: "was_closed" });
    expect(await isClean(world)).toBe(true);
  });

  test("of a descendant is released when a parent ends", async () => {
    const { world, parent_id, session_id } = await swarm();
    await hold(world, session_id, 2);
    expect(await world.end({ session_id: parent_id })).toMatchObject({ ended_children: 1, released_holds: 1 });
    expect(await costsOf(world, session_id)).toEqual(everywhere(0, 0));
  });

  test("expires by its own time, although nobody calls: the next one who asks finds the room", async () => {
    const { world, session_id } = await swarm();
    await hold(world, session_id, 15, { hold_ttl_ms: 1_000 });
    const other = await world.open({ task_id: 594 });
    const ask = { session_id: other.session_id, estimate: { cost_usd: 10 }, hold: true };
    world.pass(999);
    expect(await world.check(ask)).toMatchObject({
      hold_id: null,
      verdict: { decision: "deny", binding: { scope: "task" } },
    });
    world.pass(1);
    expect(await world.check(ask)).toMatchObject({ verdict: { decision: "allow" }, hold_id: expect.any(String) });
    expect(await isClean(world)).toBe(true);
  });

  test("expires in front of a look, a report and an opening alike", async () => {
    for (const ask of [
      async (world: World, session_id: string) => (await world.check({ session_id })).verdict,
      async (world: World, session_id: string) => (await world.report({ session_id })).verdict,
      async (world: World) => (await world.open({ task_id: 594 })).verdict,
    ]) {
      const { world, session_id } = await swarm();
      await hold(world, session_id, 20, { hold_ttl_ms: 5_000 });
      expect((await ask(world, session_id)).decision).toBe("deny");
      world.pass(5_000);
      expect((await ask(world, session_id)).decision).toBe("allow");
    }
  });

  test("that has expired books a late settlement in full and frees nothing twice", async () => {
    const { world, session_id } = await swarm();
    const { hold_id } = await hold(world, session_id, 2, { hold_ttl_ms: 1_000 });
    const still = await hold(world, session_id, 1);
    world.pass(1_000);
    await world.check({ session_id });
    expect(await world.report({ session_id, hold_id, cost_usd: 0.5 })).toMatchObject({
      hold: "was_closed",
      cost_usd: 0.5,
    });
    expect(await costsOf(world, session_id)).toEqual(everywhere(0.5, 1));
    expect(await world.report({ session_id, hold_id: still.hold_id, cost_usd: 1 })).toMatchObject({ hold: "settled" });
    expect(await isClean(world)).toBe(true);
  });

  test("lies in the day it was taken, and so does what settles it after midnight", async () => {
    const world = await worldOf({ policy: POLICY, start: Date.parse("2026-11-22T23:58:00Z") });
    const { session_id } = await world.open({ task_id: 594 });
    const { hold_id } = await hold(world, session_id, 15);
    world.pass(4 * 60_000);
    expect((await costsOf(world, session_id))["agent day"]).toEqual([0, 0]);
    expect((await costsOf(world, session_id))["task total"]).toEqual([0, 15]);
    await world.report({ session_id, hold_id, cost_usd: 3 });
    expect((await costsOf(world, session_id))["agent day"]).toEqual([0, 0]);
    expect((await costsOf(world, session_id))["task total"]).toEqual([3, 0]);
    expect((await world.costs({ group_by: ["day"] })).by_day).toEqual([{ day: "2026-11-22", cost_usd: 3 }]);
    expect(await isClean(world)).toBe(true);
  });

  test("that is denied sets nothing aside", async () => {
    const { world, session_id } = await swarm();
    const denied = await hold(world, session_id, 20.000000001);
    expect(denied).toMatchObject({
      hold_id: null,
      hold_expires_at: null,
      verdict: { decision: "deny", binding: { scope: "task" } },
    });
    expect((await rowsOf(world.ledger)).holds).toEqual([]);
    expect(await costsOf(world, session_id)).toEqual(everywhere(0, 0));
  });

  test("of another session, or of nobody, is refused and nothing is booked", async () => {
    const { world, session_id, parent_id } = await swarm();
    const { hold_id } = await hold(world, session_id, 2);
    const before = await rowsOf(world.ledger);
    const refused = "hold_not_found:";
    expect(await faultText(world.report({ session_id: parent_id, hold_id, cost_usd: 1 }))).toBe(refused);
    expect(await faultText(world.report({ session_id, hold_id: "hold_999999", cost_usd: 1 }))).toBe(refused);
    expect(await rowsOf(world.ledger)).toEqual(before);
  });
});

describe("a cap with holds is exact", () => {
  test("fifty agents that ask for a cent at once from twenty cents are twenty", async () => {
    const world = await worldOf({ policy: { hardCaps: WIDE, tasks: [{ id: "shared", tags: ["budget:0.20"] }] } });
    const sessions = await Promise.all(
      Array.from({ length: 50 }, (_, i) => world.open({ agent_id: `agent-${i}`, task_id: "shared" })),
    );
    const answers = await Promise.all(sessions.map(({ session_id }) => hold(world, session_id, 0.01)));
    expect(answers.filter(({ hold_id }) => hold_id !== null)).toHaveLength(20);
    expect(answers.map(({ verdict }) => verdict.decision === "deny")).toEqual(
      answers.map(({ hold_id }) => hold_id === null),
    );
    const last = await world.check({ agent_id: "agent-0", task_id: "shared" });
    expect(limitOf(last, "task cost_usd")).toMatchObject({ spent: 0, held: 0.2, remaining: 0, overspend: 0 });
  });

  test("whatever is held, settled within its hold, left to expire or released, spent and held never pass a limit", async () => {
    const cents = fc.integer({ min: 0, max: 60 });
    const step = fc.oneof(
      fc.record({ do: fc.constant("hold" as const), session: fc.nat(2), cents }),
      fc.record({ do: fc.constant("settle" as const), hold: fc.nat(20), share: fc.integer({ min: 0, max: 100 }) }),
      fc.record({ do: fc.constant("pass" as const), seconds: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ do: fc.constant("reopen" as const), session: fc.nat(2) }),
    );
    const policy = {
      hardCaps: { ...WIDE, maxCostCents: 100 },
      teams: [{ id: "t", dailyCostLimitUsd: 2 }],
      agents: ["a", "b", "c"].map((id) => ({ id, team: "t", dailyCostLimitUsd: 1.5 })),
    };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        const world = await worldOf({ policy });
        const sessions = await Promise.all(["a", "b", "c"].map((agent_id) => world.open({ agent_id })));
        const holds: { session_id: string; hold_id: string; cents: number; until: number }[] = [];
        const open = (of: { until: number }) => world.context.now() < of.until;
        for (const each of steps) {
          if (each.do === "pass") world.pass(each.seconds * 1000);
          else if (each.do === "reopen") {
            const { session_id } = sessions[each.session] as Answer;
            await world.end({ session_id });
            for (const of of holds) if (of.session_id === session_id) of.until = 0;
            const again = await world.open({ agent_id: ["a", "b", "c"][each.session] });
            if (again.session_id !== null) sessions[each.session] = again;
          } else if (each.do === "settle") {
            const chosen = holds.filter(open)[each.hold % Math.max(1, holds.filter(open).length)];
            if (!chosen) continue;
            const cost_usd = Math.floor((chosen.cents * each.share) / 100) / 100;
            await world.report({ session_id: chosen.session_id, hold_id: chosen.hold_id, cost_usd });
            chosen.until = 0;
          } else {
            const { session_id } = sessions[each.session] as Answer;
            const { hold_id } = await hold(world, session_id, each.cents / 100, { hold_ttl_ms: 30_000 });
            if (hold_id) holds.push({ session_id, hold_id, cents: each.cents, until: world.context.now() + 30_000 });
          }
          for (const { session_id } of sessions) {
            for (const limit of (await world.check({ session_id })).verdict.limits) {
              expect(limit.overspend, `${limit.scope} ${limit.measure}`).toBe(0);
            }
          }
        }
        expect(await isClean(world)).toBe(true);
        await world.ledger.close();
      }),
      { numRuns: 40 },
    );
  });
});
