// What REST answers when it says no: 402 is the budget with its whole verdict, every fault a problem document.
import { describe, expect, test } from "vitest";
import { WIDE } from "../world.ts";
import { type Body, callerAt, newServerRoom, type Reply } from "./server-room.ts";

const POLICY = {
  hardCaps: WIDE,
  teams: [{ id: "eng", dailyCostLimitUsd: 5 }],
  agents: [{ id: "ada", team: "eng" }],
  tasks: [
    { id: "first", title: "First", team: "eng" },
    { id: "second", title: "Second", team: "eng", depends_on: ["first"] },
  ],
};
const OPEN = "/api/v1/agents/ada/sessions";
const USAGE = { input_tokens: 1, output_tokens: 1, cost_usd: 0.001 };
/** What must never reach a caller: paths, stacks, texts of SQLite, zod, Node or JavaScript. */
const INSIDE =
  /\/(?:work|tmp|root|home|usr|data)\b|node_modules|\.[jt]s\b|\n\s*at |Sqlite|SQLITE|\bzod\b|Invalid input|Too (?:big|small)|Unrecognized|received |ENOENT|\bError:|undefined|\[object|NaN\b/;

/** RFC 9457. */
function expectProblem({ status, headers, body, text }: Reply, expected: number, code: string): Body {
  expect([status, body.code], text).toEqual([expected, code]);
  expect(headers.get("content-type")).toBe("application/problem+json");
  expect(headers.get("cache-control")).toBe("no-store");
  expect(body).toMatchObject({ status: expected, type: `urn:astra-budget:error:${code}` });
  expect(body.title).toMatch(/^[A-Z]/);
  expect(body.detail).toMatch(/\S{2,}.*[.!?]$/s);
  expect(text).not.toMatch(INSIDE);
  return body;
}

describe("over budget", () => {
  test("an opening is refused with 402 and the verdict of every limit, and no session is there", async () => {
    const { owner } = await newServerRoom({ policy: POLICY });
    const { session_id } = (await owner.post(OPEN)).body;
    const spent = await owner.post(`/api/v1/sessions/${session_id}/usage`, { ...USAGE, cost_usd: 5.25 });
    expect([spent.status, spent.body.over_budget, spent.body.verdict.decision]).toEqual([200, true, "deny"]);
    const body = expectProblem(await owner.post(OPEN), 402, "over_budget");
    expect(body).toMatchObject({
      session_id: null,
      verdict: {
        decision: "deny",
        binding: { kind: "limit", scope: "team", scope_id: "eng", window: "day", measure: "cost_usd" },
      },
    });
    expect(body.detail).toBe(body.verdict.message);
    expect(body.verdict.limits).toContainEqual(
      expect.objectContaining({ scope: "team", limit: 5, spent: 5.25, remaining: 0, overspend: 0.25 }),
    );
    expect((await owner.get("/api/v1/sessions")).body.sessions).toHaveLength(1);
  });

  test("a hold that does not fit is refused with 402, a check that does not fit is answered", async () => {
    const { owner } = await newServerRoom({ policy: POLICY });
    const { session_id } = (await owner.post(OPEN)).body;
    const check = (cost_usd: number, hold: boolean) =>
      owner.post(`/api/v1/sessions/${session_id}/check`, { estimate: { cost_usd }, hold });
    const looked = await check(6, false);
    expect([looked.status, looked.body.verdict.decision, looked.body.over_budget]).toEqual([200, "deny", false]);
    const body = expectProblem(await check(6, true), 402, "over_budget");
    expect(body).toMatchObject({
      hold_id: null,
      daily_limit_usd: 5,
      daily_remaining_usd: 5,
      verdict: { decision: "deny" },
    });
    expect((await check(5, true)).body.hold_id).toMatch(/^hld_/);
    expectProblem(await check(0.01, true), 402, "over_budget");
  });

  test("a budget is answered with 200 and over_budget, and a report is recorded", async () => {
    const { owner } = await newServerRoom({ policy: POLICY });
    const { session_id } = (await owner.post(OPEN)).body;
    await owner.post(`/api/v1/sessions/${session_id}/usage`, { ...USAGE, cost_usd: 5 });
    const budget = await owner.get("/api/v1/agents/ada/budget");
    expect([budget.status, budget.body.over_budget, budget.body.daily_remaining_usd]).toEqual([200, true, 0]);
    const late = await owner.post(`/api/v1/sessions/${session_id}/usage`, USAGE);
    expect([late.status, late.body.recorded]).toEqual([200, true]);
  });
});

describe("a state that forbids is 409, a rule that forbids 403", () => {
  test("an opening or a hold under a stop: 409 with the operator's reason and the verdict", async () => {
    const { owner } = await newServerRoom({ policy: POLICY });
    const { session_id } = (await owner.post(OPEN)).body;
    await owner.post("/api/v1/stops", { agent_id: "ada", reason: "It loops" });
    const hold = { estimate: { cost_usd: 0.1 }, hold: true };
    for (const answer of [await owner.post(OPEN), await owner.post(`/api/v1/sessions/${session_id}/check`, hold)]) {
      const body = expectProblem(answer, 409, "stopped");
      expect(body.detail).toContain("It loops.");
      expect(body.verdict).toMatchObject({ decision: "deny", binding: { kind: "stop", scope: "agent" } });
    }
  });

  test("a task that waits for another: 409 with the name of that one", async () => {
    const { owner } = await newServerRoom({ policy: POLICY });
    const body = expectProblem(await owner.post(OPEN, { task_id: "second" }), 409, "dependency");
    expect(body.detail).toContain("waits for task first");
  });

  test("an agent that the policy does not know: 403 unknown_agent; a model without a price: 403 unknown_model", async () => {
    const { owner, setPolicy } = await newServerRoom();
    setPolicy({ ...POLICY, unknownAgents: "deny", unknownModel: "deny" });
    expectProblem(await owner.post("/api/v1/agents/eve/sessions"), 403, "unknown_agent");
    expectProblem(await owner.post(OPEN, { model: "no-such-model" }), 403, "unknown_model");
    expect((await owner.post(OPEN)).status).toBe(201);
  });

  test("a child of a session that has ended: 409, and of one that may have none: 402", async () => {
    const { owner, setPolicy } = await newServerRoom();
    const parent_session_id = (await owner.post(OPEN)).body.session_id;
    setPolicy({ ...POLICY, agents: [{ id: "ada", budget: { maxChildAgents: 0 } }] });
    const childless = (await owner.post(OPEN)).body.session_id;
    expectProblem(await owner.post(OPEN, { parent_session_id: childless }), 402, "over_budget");
    await owner.post(`/api/v1/sessions/${parent_session_id}/end`);
    expectProblem(await owner.post(OPEN, { parent_session_id }), 409, "parent_not_open");
  });
});

describe("an id that is not there is 404", () => {
  test.each([
    ["session_not_found", "POST", "/api/v1/sessions/ses_0/usage", USAGE],
    ["session_not_found", "POST", "/api/v1/sessions/ses_0/check", {}],
    ["session_not_found", "POST", "/api/v1/sessions/ses_0/end", undefined],
    ["session_not_found", "POST", OPEN, { parent_session_id: "ses_0" }],
    ["session_not_found", "GET", "/api/v1/agents/ada/budget?session_id=ses_0", undefined],
    ["session_not_found", "POST", "/api/v1/stops", { session_id: "ses_0", reason: "x" }],
    ["team_not_found", "GET", "/api/v1/settings/teams/none", undefined],
    ["team_not_found", "PATCH", "/api/v1/settings/teams/none", { daily_cost_limit_usd: 1 }],
    ["team_not_found", "GET", "/api/v1/teams/none/costs", undefined],
    ["team_not_found", "GET", "/api/v1/teams/none/tasks", undefined],
    ["team_not_found", "POST", "/api/v1/teams/none/tasks", { title: "T" }],
    ["task_not_found", "PATCH", "/api/v1/teams/eng/tasks/none", { status: "done" }],
    ["not_found", "DELETE", "/api/v1/stops/stp_0", undefined],
    ["not_found", "DELETE", "/api/v1/grants/grt_0", undefined],
    ["not_found", "DELETE", "/api/v1/keys/key_0", undefined],
    ["not_found", "GET", "/api/v1/nothing", undefined],
    ["not_found", "GET", "/nothing", undefined],
  ])("%s: %s %s", async (code, method, path, body) => {
    const { owner } = await newServerRoom({ policy: POLICY });
    const answer = expectProblem(await owner.send(method, path, { body }), 404, code);
    expect(answer.hint).toMatch(/\S/);
  });
});

test("a task of another team is not found in this one: 404", async () => {
  const { owner } = await newServerRoom({ policy: { ...POLICY, teams: [{ id: "eng" }, { id: "ops" }] } });
  expectProblem(await owner.patch("/api/v1/teams/ops/tasks/first", { status: "done" }), 404, "task_not_found");
});

test.each([])("what is not built yet is 501, to callers: %s %s", async (method, path) => {
  const room = await newServerRoom();
  expectProblem(await room.owner.send(method, path), 501, "not_implemented");
  expectProblem(await callerAt(room.url, {}).send(method, path), 401, "unauthenticated");
});
