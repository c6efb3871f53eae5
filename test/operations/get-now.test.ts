// get_now: one snapshot of all that a live view shows, with the numbers that were reported; and a feed that tells each charge once.
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { engines } from "../ledger/engines.ts";
import { AGENT, type Answer, OPERATOR, START, WIDE, type World, worldOf } from "../world.ts";
import { privateWorld } from "./privacy-world.ts";
import { faultText } from "./witness.ts";

const VIEWER = { kind: "viewer", actor: "key_viewer" } as const;
const OWNER = { kind: "owner", actor: "key_owner" } as const;
const DAY = 86_400_000;

const POLICY = {
  workspace: { id: "home", timezone: "Europe/Berlin", dailyCostLimitUsd: 100, monthlyCostLimitUsd: 1_000 },
  hardCaps: WIDE,
  teams: [{ id: "eng", dailyCostLimitUsd: 10 }],
  agents: [
    { id: "ada", team: "eng", dailyCostLimitUsd: 5, budget: { maxCostCents: 200, maxDuration: 3_600_000 } },
    { id: "bob", dailyCostLimitUsd: 4, quotas: { tokensPerDay: 1_000 } },
  ],
  tasks: [{ id: "t1", title: "One", tags: ["budget:1"] }],
};

type Line = Record<string, unknown>;
type Now = Answer & {
  readonly limits: Line[];
  readonly sessions: Line[];
  readonly stops: Line[];
  readonly grants: Line[];
  readonly incidents: Line[];
  readonly feed: Line[];
  readonly feed_cursor: string;
  readonly feed_left_out: number;
};

const now = (world: World, args: object = {}, principal: typeof VIEWER | typeof OPERATOR = VIEWER) =>
  world.call("get_now", { ...args }, principal) as Promise<Now>;

const limitOf = ({ limits }: Now, name: string) =>
  limits.find((each) => `${each.scope} ${each.scope_id} ${each.window} ${each.measure}` === name);

/** Charges of one cent's fraction each: their costs tell them apart. */
async function charge(world: World, session_id: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await world.report({ session_id, cost_usd: 0.001 });
}

describe("an empty ledger", () => {
  test("has a day, limits that nothing stands against, and a cursor to go on from", async () => {
    const answer = await now(await worldOf({ policy: POLICY }));
    expect(answer).toMatchObject({
      workspace_id: "home",
      timezone: "Europe/Berlin",
      at: "2026-11-22T12:00:00.000Z",
      day: "2026-11-22",
      today: { spent_usd: 0, projected_usd: 0, ends_at: "2026-11-22T23:00:00.000Z" },
      month: { spent_usd: 0, ends_at: "2026-11-30T23:00:00.000Z" },
      sessions: [],
      open_sessions: 0,
      stops: [],
      grants: [],
      incidents: [],
      open_incidents: 0,
      feed: [],
      feed_cursor: "0",
      feed_left_out: 0,
      feed_hidden: false,
    });
    expect(answer.limits.map(({ share, state }) => [share, state])).toEqual(Array(7).fill([0, "ok"]));
  });
});

describe("what was reported", () => {
  async function busy() {
    const world = await worldOf({ policy: POLICY });
    world.at(START - DAY);
    const earlier = await world.open({ agent_id: "bob" });
    await world.report({ session_id: earlier.session_id, cost_usd: 1.5 });
    await world.end({ session_id: earlier.session_id });
    world.at(START);
    const { session_id: ada } = await world.open({ agent_id: "ada", task_id: "t1", model: "known-1" });
    const { session_id: child } = await world.open({ agent_id: "bob", parent_session_id: ada });
    const tool_calls = [{ tool: "web", count: 2, cost_usd: 0.25 }];
    await world.report({ session_id: ada, input_tokens: 70, output_tokens: 5, cost_usd: 0.75, tool_calls });
    await world.report({ session_id: child, input_tokens: 30, cost_usd: 0.5, error: "password hunter2" });
    return { world, ada, child, earlier: earlier.session_id };
  }

  test("is in today's and the month's spend, to the cent, and where that is going", async () => {
    const { world } = await busy();
    const answer = await now(world);
    const { forecast } = (await world.costs({}, OPERATOR)) as unknown as { forecast: { day: Line; month: Line } };
    expect(answer.today).toEqual(forecast.day);
    expect(answer.month).toEqual(forecast.month);
    expect(answer.today).toMatchObject({ spent_usd: 1.5 });
    expect(answer.month).toMatchObject({ spent_usd: 3 });
  });

  test("is in the open sessions, the newest first, with what they and those below them cost", async () => {
    const { world, ada, child } = await busy();
    const { sessions, open_sessions } = await now(world);
    expect(open_sessions).toBe(2);
    expect(sessions.map((each) => each.session_id)).toEqual([child, ada]);
    expect(sessions[1]).toEqual({
      session_id: ada,
      parent_session_id: null,
      agent_id: "ada",
      team_id: "eng",
      task_id: "t1",
      model: "known-1",
      started_at: "2026-11-22T12:00:00.000Z",
      expires_at: "2026-11-22T13:00:00.000Z",
      tokens: 75,
      tool_calls: 2,
      cost_usd: 1,
      tree_cost_usd: 1.5,
      max_cost_usd: 2,
      decision: "deny",
      message: expect.stringContaining("task t1"),
      binding: {
        kind: "limit",
        scope: "task",
        scope_id: "t1",
        window: "total",
        measure: "cost_usd",
        limit: 1,
        spent: 1.5,
        held: 0,
        remaining: 0,
      },
    });
  });

  test("has for each open session the verdict that check_budget gives", async () => {
    const { world, ada, child } = await busy();
    await world.call("stop", { agent_id: "bob", reason: "a test" });
    const { sessions } = await now(world);
    for (const session_id of [ada, child]) {
      const { verdict } = await world.check({ session_id });
      const line = sessions.find((each) => each.session_id === session_id);
      expect(line).toMatchObject({ decision: verdict.decision, message: verdict.message });
      expect(line?.binding).toMatchObject(verdict.binding ?? {});
    }
    expect(sessions[0]?.binding).toMatchObject({ kind: "stop", scope: "agent", limit: null, remaining: null });
  });

  test("is in the feed, oldest first, without the text of an agent's error", async () => {
    const { world, ada, earlier } = await busy();
    const { feed, feed_cursor } = await now(world);
    expect(feed.map((each) => [each.agent_id, each.cost_usd, each.decision])).toEqual([
      ["bob", 1.5, null],
      ["ada", 1, "deny"],
      ["bob", 0.5, "deny"],
    ]);
    expect(feed[0]?.session_id).toBe(earlier);
    expect(feed[1]).toEqual({
      charge_id: expect.stringMatching(/^chg_.*-1$/),
      session_id: ada,
      agent_id: "ada",
      task_id: "t1",
      model: "known-1",
      provider: "anthropic",
      tool: null,
      tools: [{ tool: "web", calls: 2, cost_usd: 0.25 }],
      recorded_at: "2026-11-22T12:00:00.000Z",
      occurred_at: "2026-11-22T12:00:00.000Z",
      input_tokens: 70,
      output_tokens: 5,
      cost_usd: 1,
      source: "self_reported",
      metered_by: null,
      late: false,
      failed: false,
      decision: "deny",
    });
    expect(feed[2]).toMatchObject({ failed: true });
    expect(JSON.stringify(feed)).not.toContain("hunter2");
    expect(feed_cursor).toBe("3");
  });

  test("leaves sessions out that can no longer spend, and shows as many as are asked for", async () => {
    const { world, ada, child } = await busy();
    const one = await now(world, { sessions: 1 });
    expect([one.sessions.length, one.open_sessions]).toEqual([1, 2]);
    // Not listed, but in the feed: its verdict stands there all the same.
    expect(one.feed.find((each) => each.session_id === ada)?.decision).toBe("deny");
    await world.end({ session_id: child });
    expect((await now(world)).sessions.map((each) => each.session_id)).toEqual([ada]);
    world.pass(3_600_000);
    expect(await now(world)).toMatchObject({ sessions: [], open_sessions: 0 });
  });
});

describe("limits", () => {
  test("come the fullest first, each ok, warn or over, with the instant a cap is met", async () => {
    const world = await worldOf({ policy: POLICY });
    const { session_id } = await world.open({ agent_id: "bob" });
    await world.report({ session_id, input_tokens: 100, cost_usd: 3.5 });
    const warned = await now(world);
    expect(warned.limits[0]).toMatchObject({ scope: "agent", scope_id: "bob", share: 0.875, state: "warn" });
    // 3.5 dollars in 13 local hours: four take some two hours more.
    expect(warned.limits[0]?.reached_at).toBe("2026-11-22T13:51:25.715Z");
    expect(limitOf(warned, "agent bob day total_tokens")).toMatchObject({ share: 0.1, state: "ok", reached_at: null });
    expect(limitOf(warned, "workspace home day cost_usd")).toMatchObject({ share: 0.035, state: "ok" });
    await world.report({ session_id, cost_usd: 1 });
    const over = await now(world);
    expect(over.limits[0]).toMatchObject({ scope_id: "bob", spent: 4.5, overspend: 0.5, state: "over", share: 1.125 });
    expect(over.limits[0]?.reached_at).toBe(over.at);
    const shares = over.limits.map((each) => Number(each.share));
    expect(shares).toEqual(shares.toSorted((a, b) => b - a));
  });

  test("count what is held, and say the same numbers as list_limits", async () => {
    const world = await worldOf({ policy: POLICY });
    const { session_id } = await world.open({ agent_id: "bob" });
    await world.check({ session_id, estimate: { cost_usd: 1 }, hold: true });
    const answer = await now(world);
    expect(limitOf(answer, "agent bob day cost_usd")).toMatchObject({ spent: 0, held: 1, share: 0.25 });
    const { limits } = await world.call("list_limits");
    const set = (limits as Line[]).filter((each) => each.limit !== null);
    expect(answer.limits).toHaveLength(set.length);
    for (const limit of set) expect(answer.limits).toContainEqual(expect.objectContaining(limit));
  });

  test("of nothing are over, unused or not", async () => {
    const world = await worldOf({ policy: { hardCaps: WIDE, agents: [{ id: "ada", dailyCostLimitUsd: 0 }] } });
    expect((await now(world)).limits).toMatchObject([{ share: 1, state: "over", limit: 0, spent: 0 }]);
  });

  test("beyond sixty are counted, not shown", async () => {
    const agents = Array.from({ length: 75 }, (_, i) => ({ id: `agent-${i}`, dailyCostLimitUsd: 1 }));
    const world = await worldOf({ policy: { hardCaps: WIDE, agents } });
    const { session_id } = await world.open({ agent_id: "agent-74" });
    await world.report({ session_id, cost_usd: 0.5 });
    const answer = await now(world);
    expect([answer.limits.length, answer.limits_left_out]).toEqual([60, 15]);
    expect(answer.limits[0]).toMatchObject({ scope_id: "agent-74", share: 0.5 });
  });
});

test("orders in force and what nobody has acknowledged yet are in it, and gone when they are lifted", async () => {
  const policy = {
    hardCaps: WIDE,
    agents: [{ id: "ada", dailyCostLimitUsd: 5 }],
    tasks: [{ id: "typo", task_type: "typo" }],
  };
  const world = await worldOf({ policy });
  const { stop_id } = await world.call("stop", { task_id: "t9", reason: "a test" });
  const raise = { scope: "agent", scope_id: "ada", amount: 1, expires_at: "2026-11-22T13:00:00Z", reason: "demo" };
  const { grant_id } = await world.call("grant", raise);
  const { session_id } = await world.open({ task_id: "typo" });
  await world.report({ session_id, cost_usd: 2 });
  const answer = await now(world);
  expect(answer.stops).toEqual((await world.call("list_stops")).stops);
  expect(answer.grants).toEqual((await world.call("list_grants")).grants);
  expect(limitOf(answer, "agent ada day cost_usd")).toMatchObject({ limit: 6 });
  const { incidents } = await world.call("list_incidents", {}, VIEWER);
  expect(answer.incidents).toEqual(incidents);
  expect(answer.open_incidents).toBe((incidents as Line[]).length);
  expect(answer.open_incidents).toBeGreaterThan(0);
  await world.call("resume", { stop_id });
  await world.call("revoke_grant", { grant_id });
  for (const { incident_id } of incidents as Line[]) await world.call("acknowledge_incident", { incident_id });
  expect(await now(world)).toMatchObject({ stops: [], grants: [], incidents: [], open_incidents: 0 });
});

describe("the feed", () => {
  test("begins with the newest thirty, goes on with at most a hundred, and counts those between", async () => {
    const world = await worldOf();
    const { session_id } = await world.open();
    await charge(world, session_id, 40);
    const begun = await now(world);
    expect([begun.feed.length, begun.feed_left_out, begun.feed_cursor]).toEqual([30, 0, "40"]);
    expect(begun.feed.at(-1)?.charge_id).toMatch(/-40$/);
    expect(await now(world, { after: "40" })).toMatchObject({ feed: [], feed_left_out: 0, feed_cursor: "40" });
    await charge(world, session_id, 110);
    const next = await now(world, { after: begun.feed_cursor });
    expect([next.feed.length, next.feed_left_out, next.feed_cursor]).toEqual([100, 10, "150"]);
    expect([next.feed[0]?.charge_id, next.feed.at(-1)?.charge_id]).toEqual([
      expect.stringMatching(/-51$/),
      expect.stringMatching(/-150$/),
    ]);
  });

  test("begins anew with a cursor that this ledger never gave, and takes no other text for one", async () => {
    const world = await worldOf();
    const { session_id } = await world.open();
    await charge(world, session_id, 2);
    expect(await now(world, { after: "9000" })).toMatchObject({ feed: [{}, {}], feed_cursor: "2", feed_left_out: 0 });
    for (const after of ["", "x", "-1", "1.5", "99999999999999"])
      expect(await faultText(now(world, { after })), after).toContain("after expected feed_cursor");
    for (const sessions of [0, 101, 1.5])
      expect(await faultText(now(world, { sessions }))).toContain("sessions expected");
  });

  test("goes on over charges that were pruned", async () => {
    const world = await worldOf({ start: START - 400 * DAY });
    const { session_id } = await world.open();
    await charge(world, session_id, 5);
    await world.end({ session_id });
    const { feed_cursor } = await now(world);
    world.at(START);
    await world.call("prune_charges", { before: "2026-01-01" }, OWNER);
    expect(await now(world, { after: feed_cursor })).toMatchObject({ feed: [], feed_left_out: 0, feed_cursor });
    expect(await now(world, { after: "2" })).toMatchObject({ feed: [], feed_left_out: 3, feed_cursor });
    const later = await world.open();
    await charge(world, later.session_id, 1);
    expect(await now(world, { after: feed_cursor })).toMatchObject({ feed: [{}], feed_left_out: 0 });
  });
});

const RUNS: Readonly<Record<string, number>> = {
  "SQLite in memory": 12,
  "SQLite in a file": 3,
  "Postgres (PGlite)": 2,
};

describe.each(engines())("$name", (engine) => {
  afterAll(() => engine.clear());

  test("whoever asks again with the cursor is told each charge exactly once, but for those it was told were too many", async () => {
    const batches = fc.array(fc.oneof({ weight: 5, arbitrary: fc.nat({ max: 9 }) }, fc.constant(104)), {
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(batches, async (sizes) => {
        const world = await worldOf({ ledger: await engine.make() });
        const { session_id } = await world.open();
        const told: string[] = [];
        let leftOut = 0;
        let after = (await now(world)).feed_cursor;
        for (const size of sizes) {
          await charge(world, session_id, size);
          const answer = await now(world, { after });
          expect(answer.feed_left_out).toBe(Math.max(0, size - 100));
          leftOut += answer.feed_left_out;
          told.push(...answer.feed.map((each) => String(each.charge_id)));
          after = answer.feed_cursor;
        }
        const all = sizes.reduce((sum, size) => sum + size, 0);
        expect(new Set(told).size).toBe(told.length);
        expect(told.length + leftOut).toBe(all);
        const numbers = told.map((id) => Number(id.split("-").at(-1)));
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
        expect(await now(world)).toMatchObject({ today: { spent_usd: all / 1_000 }, open_sessions: 1 });
        await world.ledger.close();
      }),
      { numRuns: RUNS[engine.name] ?? 1 },
    );
  });
});

describe("who may see it", () => {
  test("a viewer of a workspace with a privacy budget sees no user and no single charge; an operator sees the charges", async () => {
    const world = await privateWorld();
    await world.open({ user_id: "dora" });
    const seen = await now(world);
    expect(seen).toMatchObject({ feed: [], feed_hidden: true, feed_cursor: "0", feed_left_out: 0, open_sessions: 1 });
    expect(JSON.stringify(seen)).not.toMatch(/alice|bob|carol|dora|user/);
    const whole = await now(world, {}, OPERATOR);
    expect(whole.feed).toHaveLength(5);
    expect(whole.feed_hidden).toBe(false);
  });

  test("agents may not", async () => {
    const world = await worldOf();
    for (const principal of [AGENT, { kind: "agent", agentId: "ada" }] as const)
      expect(await faultText(world.call("get_now", {}, principal))).toBe("forbidden:");
  });
});
