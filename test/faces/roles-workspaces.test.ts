// Several workspaces in one ledger: a key belongs to one, and nothing of the other crosses, over REST and over MCP.
import { describe, expect, test } from "vitest";
import { WIDE } from "../world.ts";
import { mcpAgent } from "./server-mcp.ts";
import { type Caller, callerAt, newServerRoom, type Reply, type ServerRoom, tokenFor } from "./server-room.ts";

const POLICIES = [
  {
    workspace: { id: "red" },
    hardCaps: WIDE,
    teams: [{ id: "eng", dailyCostLimitUsd: 5 }],
    agents: [{ id: "ada", team: "eng" }],
  },
  {
    workspace: { id: "blue" },
    hardCaps: WIDE,
    teams: [{ id: "eng", dailyCostLimitUsd: 7 }, { id: "sea" }],
    agents: [{ id: "ada", team: "eng" }],
  },
];
const USAGE = { input_tokens: 10, output_tokens: 10, cost_usd: 0.25 };
const SOON = new Date(Date.now() + 3_600_000).toISOString();

type Things = { session: string; task: string; stop: string; grant: string; key: string };

/** Two workspaces of one server, the second with one of everything. */
async function twoWorkspaces(): Promise<{ room: ServerRoom; red: Caller; blue: Caller; there: Things }> {
  const room = await newServerRoom({ policies: POLICIES });
  const [red, blue] = room.ownerKeys.map((key) => callerAt(room.url, { "x-api-key": key })) as [Caller, Caller];
  const session = (await blue.post("/api/v1/agents/ada/sessions")).body.session_id;
  await blue.post(`/api/v1/sessions/${session}/usage`, USAGE);
  await blue.post("/api/v1/teams/eng/tasks", { task_id: "hidden-task", title: "A hidden one" });
  const stop = (await blue.post("/api/v1/stops", { task_id: "hidden-task", reason: "a hidden reason" })).body.stop_id;
  const raise = { scope: "team", scope_id: "eng", amount: 1, expires_at: SOON, reason: "a hidden raise" };
  const grant = (await blue.post("/api/v1/grants", raise)).body.grant_id;
  const key = (await blue.post("/api/v1/keys", { name: "a hidden key", role: "viewer" })).body.key_id;
  return { room, red, blue, there: { session, task: "hidden-task", stop, grant, key } };
}

const shown = ({ status, text }: Reply, id: string): unknown => [status, text.replaceAll(id, "")];

describe("a key of one workspace", () => {
  test("is one of two that a first start makes, each named with its workspace", async () => {
    const { room } = await twoWorkspaces();
    expect(new Set(room.ownerKeys).size).toBe(2);
    const told = room.logged.filter((line) => line.includes("shown this once"));
    expect(told.map((line) => /workspace (\w+),/.exec(line)?.[1])).toEqual(["red", "blue"]);
  });

  test("lists nothing of the other: sessions, tasks, stops, grants, keys, costs, limits, audit, metrics", async () => {
    const { red, blue, there } = await twoWorkspaces();
    const lists = ["sessions", "tasks", "teams/eng/tasks", "stops", "grants", "keys", "audit", "limits", "policy"];
    const paths = [...lists.map((list) => `/api/v1/${list}`), "/api/v1/teams/eng/costs", "/costs", "/metrics"];
    for (const path of paths) {
      const { status, text } = await red.get(path);
      expect(status, path).toBe(200);
      for (const other of ["hidden", "blue", "sea", ...Object.values(there)]) expect(text, path).not.toContain(other);
    }
    expect((await red.get("/costs")).body).toMatchObject({ workspaceId: "red", totalCost: 0 });
    expect((await blue.get("/costs")).body).toMatchObject({ workspaceId: "blue", totalCost: 0.25 });
    expect((await red.get("/api/v1/agents/ada/budget")).body).toMatchObject({ daily_limit_usd: 5, daily_spent_usd: 0 });
    expect((await blue.get("/api/v1/agents/ada/budget")).body).toMatchObject({
      daily_limit_usd: 8,
      daily_spent_usd: 0.25,
    });
  });

  test("finds what is in the other as little as what never was, and changes nothing of it", async () => {
    const { red, blue, there } = await twoWorkspaces();
    const state = async () =>
      Promise.all(
        ["sessions", "tasks", "stops", "grants", "audit"].map(async (list) => (await blue.get(`/api/v1/${list}`)).body),
      );
    const before = JSON.stringify(await state()).replaceAll(/"duration_ms":\d+/g, "");
    const requests: readonly [line: string, there: string, absent: string, body?: object][] = [
      ["POST /api/v1/sessions/$/usage", there.session, "ses_0", USAGE],
      ["POST /api/v1/sessions/$/check", there.session, "ses_0", {}],
      ["POST /api/v1/sessions/$/end", there.session, "ses_0"],
      ["PATCH /api/v1/teams/eng/tasks/$", there.task, "no-task", { status: "done" }],
      ["DELETE /api/v1/stops/$", there.stop, "stp_0"],
      ["DELETE /api/v1/grants/$", there.grant, "grt_0"],
      ["DELETE /api/v1/keys/$", there.key, "key_0"],
      ["GET /api/v1/settings/teams/$", "sea", "air"],
      ["PATCH /api/v1/settings/teams/$", "sea", "air", { daily_cost_limit_usd: 1 }],
      ["GET /api/v1/teams/$/costs", "sea", "air"],
      ["GET /api/v1/teams/$/tasks", "sea", "air"],
    ];
    for (const [line, known, absent, body] of requests) {
      const [method = "", path = ""] = line.split(" ");
      const ask = (id: string) => red.send(method, path.replace("$", id), { body });
      const answer = await ask(known);
      expect(answer.status, `${line}: ${answer.text}`).toBe(404);
      expect(shown(answer, known), line).toEqual(shown(await ask(absent), absent));
    }
    expect(JSON.stringify(await state()).replaceAll(/"duration_ms":\d+/g, "")).toBe(before);
  });

  test("stops, spends and sets in its own only, where names are the same", async () => {
    const { red, blue, there } = await twoWorkspaces();
    expect((await red.patch("/api/v1/settings/teams/eng", { daily_cost_limit_usd: 0.1 })).status).toBe(200);
    expect((await red.post("/api/v1/stops", { all: true, reason: "red stops" })).status).toBe(201);
    const { session_id } = (await red.post("/api/v1/agents/ada/sessions")).body;
    expect(session_id ?? null).toBeNull();
    const report = await blue.post(`/api/v1/sessions/${there.session}/usage`, USAGE);
    expect(report.body).toMatchObject({ verdict: { decision: "allow" }, session: { cost_usd: 0.5 } });
    expect((await blue.post("/api/v1/agents/ada/sessions", {}, { "idempotency-key": "k" })).status).toBe(201);
    const audits = await Promise.all([red, blue].map(async (each) => (await each.get("/api/v1/audit/verify")).body));
    expect(audits).toMatchObject([{ ok: true }, { ok: true }]);
  });

  test("shares no idempotency key with the other, for sessions and for what an operator makes", async () => {
    const { red, blue } = await twoWorkspaces();
    const key = { "idempotency-key": "the-same" };
    const opened = await Promise.all([red, blue].map((each) => each.post("/api/v1/agents/ada/sessions", {}, key)));
    expect(opened.map(({ status }) => status)).toEqual([201, 201]);
    expect(opened[0]?.body.session_id).not.toBe(opened[1]?.body.session_id);
    const tasks = await Promise.all(
      [red, blue].map((each) => each.post("/api/v1/teams/eng/tasks", { title: "T" }, key)),
    );
    expect(tasks.map(({ status }) => status)).toEqual([201, 201]);
    expect(tasks[0]?.body.task_id).not.toBe(tasks[1]?.body.task_id);
  });

  test("is for MCP and as a token in its own only, too", async () => {
    const { room, red, there } = await twoWorkspaces();
    for (const bearer of [room.ownerKeys[0] ?? "", await tokenFor(red)]) {
      const agent = await mcpAgent(room.url, bearer);
      expect((await agent.call("check_budget", { session_id: there.session })).text).toMatch(/^session_not_found/);
      expect((await agent.call("get_costs")).data).toMatchObject({ workspace_id: "red", total_cost_usd: 0 });
      expect(await agent.read(`budget://sessions/${there.session}`)).toMatch(/^fault: /);
      expect(await agent.read("budget://policy")).not.toMatch(/blue|sea/);
    }
  });
});

test("a key of a workspace that the server does not serve lets nobody in", async () => {
  const room = await newServerRoom({ policies: POLICIES });
  const beside = await newServerRoom({ beside: room, policies: POLICIES.slice(0, 1) });
  const statuses = await Promise.all(
    room.ownerKeys.map(async (key) => (await callerAt(beside.url, { "x-api-key": key }).get("/costs")).status),
  );
  expect(statuses).toEqual([200, 401]);
});
