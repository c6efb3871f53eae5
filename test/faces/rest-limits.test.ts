// Limits that operators change at run time: a team's settings, and grants that raise one limit for a while.
import { describe, expect, test } from "vitest";
import { WIDE } from "../world.ts";
import { type Caller, newServerRoom, type Reply, type ServerRoom } from "./server-room.ts";

const POLICY = {
  workspace: { id: "home", dailyCostLimitUsd: 100 },
  hardCaps: { ...WIDE, maxCostCents: 900 },
  teams: [{ id: "eng", dailyCostLimitUsd: 5, taskCostLimitUsd: 2 }, { id: "free" }],
  agents: [{ id: "ada", team: "eng", budget: { maxCostCents: 800 }, dailyCostLimitUsd: 50 }],
  tasks: [{ id: "t1", title: "One", team: "eng" }],
};
const TEAM = "/api/v1/settings/teams/eng";
const NOON = Date.parse("2026-11-22T12:00:00Z");
const HOUR = 3_600_000;
const inHours = (hours: number) => new Date(NOON + hours * HOUR).toISOString();
const raise = (rest: object) => ({
  scope: "team",
  scope_id: "eng",
  amount: 1,
  expires_at: inHours(1),
  reason: "demo",
  ...rest,
});

type Scene = ServerRoom & { session: string; spend(usd: number): Promise<Reply>; check(usd: number): Promise<string> };

async function scene(): Promise<Scene> {
  const room = await newServerRoom({ policy: POLICY });
  room.at(NOON);
  const session = (await room.owner.post("/api/v1/agents/ada/sessions", { task_id: "t1" })).body.session_id;
  const usage = { input_tokens: 0, output_tokens: 0 };
  const path = `/api/v1/sessions/${session}`;
  return {
    ...room,
    session,
    spend: (cost_usd) => room.owner.post(`${path}/usage`, { ...usage, cost_usd }),
    check: async (cost_usd) =>
      (await room.owner.post(`${path}/check`, { estimate: { cost_usd } })).body.verdict.decision,
  };
}

describe("a team's settings", () => {
  test("are those of astra.yml until an operator sets one; an absent field stays, null takes the limit away", async () => {
    const { owner } = await scene();
    const both = (daily: number | null, task: number | null) => ({
      team_id: "eng",
      daily_cost_limit_usd: daily,
      task_cost_limit_usd: task,
    });
    expect((await owner.get(TEAM)).body).toEqual(both(5, 2));
    expect((await owner.patch(TEAM, { daily_cost_limit_usd: 10.5 })).body).toEqual(both(10.5, 2));
    expect((await owner.patch(TEAM, { task_cost_limit_usd: 0 })).body).toEqual(both(10.5, 0));
    expect((await owner.patch(TEAM, { daily_cost_limit_usd: null })).body).toEqual(both(null, 0));
    expect((await owner.patch(TEAM, { reason: "nothing" })).body).toEqual(both(null, 0));
    expect((await owner.get(TEAM)).body).toEqual(both(null, 0));
  });

  test("are felt at once by sessions that are open, for the day and for the task", async () => {
    const { owner, spend, check } = await scene();
    await spend(1.5);
    expect([await check(0.5), await check(0.6)]).toEqual(["warn", "deny"]);
    await owner.patch(TEAM, { task_cost_limit_usd: 4 });
    expect(await check(0.6)).toBe("allow");
    await owner.patch(TEAM, { daily_cost_limit_usd: 1 });
    expect(await check(0.01)).toBe("deny");
    expect((await spend(0.1)).body).toMatchObject({ over_budget: true, verdict: { decision: "deny" } });
    expect((await owner.post("/api/v1/agents/ada/sessions")).status).toBe(402);
    await owner.patch(TEAM, { daily_cost_limit_usd: null, task_cost_limit_usd: null });
    expect(await check(0.6)).toBe("allow");
    const { body } = await owner.get("/api/v1/agents/ada/budget?task_id=t1");
    expect(body).toMatchObject({ daily_limit_usd: 50, task_limit_usd: null, task_spent_usd: 1.6 });
  });

  test("outlast the server, and no policy file undoes them", async () => {
    const room = await scene();
    await room.owner.patch(TEAM, { daily_cost_limit_usd: 7 });
    room.setPolicy({ ...POLICY, teams: [{ id: "eng", dailyCostLimitUsd: 6 }] });
    expect((await room.owner.get(TEAM)).body.daily_cost_limit_usd).toBe(7);
    const later = await newServerRoom({ beside: room, policy: POLICY });
    expect((await later.owner.get(TEAM)).body.daily_cost_limit_usd).toBe(7);
  });

  test.each([
    { daily_cost_limit_usd: -1 },
    { daily_cost_limit_usd: "10" },
    { daily_cost_limit_usd: 1e10 },
    { daily_cost_limit: 10 },
    { dailyCostLimitUsd: 10 },
    { daily_cost_limit_usd: 1, task_cost_limit_usd: "x" },
  ])("refuse %j and stay as they were", async (body) => {
    const { owner } = await scene();
    expect((await owner.patch(TEAM, body)).status).toBe(422);
    expect((await owner.get(TEAM)).body).toMatchObject({ daily_cost_limit_usd: 5, task_cost_limit_usd: 2 });
  });
});

const grantsOf = async (owner: Caller) => (await owner.get("/api/v1/grants")).body.grants;

describe("a grant", () => {
  test("raises one limit at once, for open sessions too, and no other", async () => {
    const { owner, spend, check } = await scene();
    await owner.patch(TEAM, { task_cost_limit_usd: null });
    await spend(4.5);
    expect(await check(0.6)).toBe("deny");
    const { status, body } = await owner.post("/api/v1/grants", raise({ amount: 2.5 }));
    expect(status).toBe(201);
    expect(body).toMatchObject({
      scope: "team",
      window: "day",
      measure: "cost_usd",
      limit_before: 5,
      limit_after: 7.5,
    });
    expect(await grantsOf(owner)).toEqual([expect.objectContaining({ grant_id: body.grant_id, reason: "demo" })]);
    expect([await check(3), await check(3.1)]).toEqual(["warn", "deny"]);
    expect((await owner.get("/api/v1/agents/ada/budget")).body).toMatchObject({ daily_limit_usd: 7.5 });
    // What is set stays what it was.
    expect((await owner.get(TEAM)).body).toMatchObject({ daily_cost_limit_usd: 5 });
  });

  test("adds to others, and ends at its instant", async () => {
    const { owner, at } = await scene();
    await owner.post("/api/v1/grants", raise({ expires_at: inHours(1) }));
    await owner.post("/api/v1/grants", raise({ amount: 2, expires_at: inHours(2) }));
    const limit = async () => (await owner.get("/api/v1/agents/ada/budget")).body.daily_limit_usd;
    const seen = [];
    for (const ms of [0, HOUR - 1, HOUR, 2 * HOUR - 1, 2 * HOUR]) {
      at(NOON + ms);
      seen.push([await limit(), ((await grantsOf(owner)) as unknown[]).length]);
    }
    expect(seen).toEqual([
      [8, 2],
      [8, 2],
      [7, 1],
      [7, 1],
      [5, 0],
    ]);
  });

  test("is over when it is revoked, and revoking it again changes nothing", async () => {
    const { owner, check } = await scene();
    await owner.patch(TEAM, { task_cost_limit_usd: null });
    const { grant_id } = (await owner.post("/api/v1/grants", raise({ amount: 2 }))).body;
    expect(await check(6)).not.toBe("deny");
    expect((await owner.delete(`/api/v1/grants/${grant_id}?reason=enough`)).status).toBe(200);
    expect(await check(6)).toBe("deny");
    const entries = async () => (await owner.get("/api/v1/audit/verify")).body.entries;
    const before = await entries();
    expect((await owner.delete(`/api/v1/grants/${grant_id}`)).status).toBe(200);
    expect([await entries(), await grantsOf(owner)]).toEqual([before, []]);
  });

  test("lifts a session's limit to the hard cap and never past it", async () => {
    const { owner, session, check } = await scene();
    await owner.patch(TEAM, { daily_cost_limit_usd: null, task_cost_limit_usd: null });
    expect([await check(8), await check(8.01)]).toEqual(["warn", "deny"]);
    const grant = (rest: object) =>
      owner.post("/api/v1/grants", raise({ scope: "session", scope_id: session, ...rest }));
    expect((await grant({ amount: 0.5 })).body).toMatchObject({ window: "session", limit_before: 8, limit_after: 8.5 });
    expect((await grant({ amount: 1_000_000 })).body).toMatchObject({ limit_before: 8.5, limit_after: 9 });
    expect([await check(9), await check(9.01)]).toEqual(["warn", "deny"]);
    const tokens = await grant({ measure: "total_tokens", amount: 5 });
    expect(tokens.body).toMatchObject({ limit_before: 1_000_000, limit_after: 1_000_000 });
  });

  test("lifts a child's limit, and its parent's still binds", async () => {
    const { owner, session } = await scene();
    await owner.patch(TEAM, { daily_cost_limit_usd: null, task_cost_limit_usd: null });
    const child = (
      await owner.post("/api/v1/agents/kid/sessions", { parent_session_id: session, budget: { max_cost_cents: 10 } })
    ).body.session_id;
    const check = async (cost_usd: number) =>
      (await owner.post(`/api/v1/sessions/${child}/check`, { estimate: { cost_usd } })).body.verdict.decision;
    expect(await check(0.2)).toBe("deny");
    await owner.post("/api/v1/grants", raise({ scope: "session", scope_id: child, amount: 100 }));
    expect([await check(0.2), await check(8.5)]).toEqual(["allow", "deny"]);
  });

  test.each([
    ["workspace", "home", 100],
    ["agent", "ada", 50],
    ["task", "t1", 2],
  ])("raises the limit of a %s", async (scope, scope_id, limit) => {
    const { owner } = await scene();
    const { status, body } = await owner.post("/api/v1/grants", raise({ scope, scope_id }));
    expect([status, body.limit_before, body.limit_after]).toEqual([201, limit, limit + 1]);
  });

  test.each([
    ["on a limit that is not set", { scope_id: "free" }, 422, "scope_id"],
    ["on a team that is not there", { scope_id: "none" }, 422, "scope_id"],
    ["on an agent without that limit", { scope: "agent", scope_id: "eve" }, 422, "scope_id"],
    ["on another window", { window: "month" }, 422, "scope_id"],
    ["on another measure", { measure: "tool_calls" }, 422, "scope_id"],
    ["on another workspace", { scope: "workspace", scope_id: "away" }, 422, "scope_id"],
    ["on a session that is not there", { scope: "session", scope_id: "ses_0" }, 404, undefined],
    ["of nothing", { amount: 0 }, 422, "amount"],
    ["that lowers", { amount: -1 }, 422, "amount"],
    ["of part of a token", { measure: "total_tokens", amount: 1.5 }, 422, "amount"],
    ["until a time that is past", { expires_at: inHours(-1) }, 422, "expires_at"],
    ["until now", { expires_at: inHours(0) }, 422, "expires_at"],
    ["for ever", { expires_at: inHours(24 * 32) }, 422, "expires_at"],
    ["without an end", { expires_at: undefined }, 422, "expires_at"],
    ["without a reason", { reason: undefined }, 422, "reason"],
    ["for a blank reason", { reason: "  " }, 422, "reason"],
  ])("%s is refused and nothing is kept of it", async (_, wrong, status, path) => {
    const { owner } = await scene();
    const answer = await owner.post("/api/v1/grants", raise(wrong));
    expect([answer.status, answer.body.faults?.[0]?.path]).toEqual([status, path]);
    expect(await grantsOf(owner)).toEqual([]);
  });
});
