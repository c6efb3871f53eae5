// Who may do what: every role at every route over REST, and at every tool over MCP.
import { describe, expect, test } from "vitest";
import { WIDE } from "../world.ts";
import { mcpAgent } from "./server-mcp.ts";
import { type Caller, callerAt, newServerRoom, type Role, type ServerRoom } from "./server-room.ts";

const ROLES = ["agent", "viewer", "operator", "owner"] as const;
const ANYONE = ROLES;
const NOBODY: readonly Role[] = [];
const READERS: readonly Role[] = ["viewer", "operator", "owner"];
const WORKERS: readonly Role[] = ["agent", "operator", "owner"];
const OPERATORS: readonly Role[] = ["operator", "owner"];
const OWNERS: readonly Role[] = ["owner"];

const POLICY = {
  hardCaps: WIDE,
  teams: [{ id: "eng", dailyCostLimitUsd: 5 }],
  agents: [{ id: "ada", team: "eng" }],
  tasks: [
    { id: "t1", title: "One", team: "eng" },
    { id: "typo", task_type: "typo" },
  ],
  webhooks: [{ id: "ops", url: "https://example.invalid/hook", secretEnv: "NO_SUCH_SECRET" }],
};
const SOON = new Date(Date.now() + 3_600_000).toISOString();
const USAGE = { input_tokens: 1, output_tokens: 1, cost_usd: 0.001 };
const RAISE = { scope: "team", scope_id: "eng", amount: 1, expires_at: SOON, reason: "a test" };

/** Each route with what it needs to succeed; `$x` is an id that the owner made for it. */
const ROUTES: readonly (readonly [line: string, who: readonly Role[], body?: object | undefined, status?: number])[] = [
  ["POST /api/v1/agents/ada/sessions", WORKERS, {}, 201],
  ["GET /api/v1/agents/ada/sessions", ANYONE],
  ["GET /api/v1/agents/ada/budget", ANYONE],
  ["GET /api/v1/sessions", ANYONE],
  ["POST /api/v1/sessions/$session_id/usage", WORKERS, USAGE],
  ["POST /api/v1/sessions/$session_id/check", ANYONE, { estimate: { input_tokens: 1 } }],
  ["POST /api/v1/sessions/$session_id/check", WORKERS, { estimate: { input_tokens: 1 }, hold: true }],
  ["POST /api/v1/sessions/$session_id/end", WORKERS],
  ["GET /api/v1/swarms", READERS],
  ["GET /api/v1/swarms/$session_id", READERS],
  ["GET /api/v1/settings/teams/eng", READERS],
  ["PATCH /api/v1/settings/teams/eng", OPERATORS, { daily_cost_limit_usd: 6 }],
  ["POST /api/v1/teams/eng/tasks", OPERATORS, { title: "Two" }, 201],
  ["GET /api/v1/teams/eng/tasks", READERS],
  ["PATCH /api/v1/teams/eng/tasks/t1", OPERATORS, { status: "done" }],
  ["GET /api/v1/teams/eng/costs", ANYONE],
  ["GET /api/v1/tasks", READERS],
  ["POST /api/v1/stops", OPERATORS, { task_id: "t2", reason: "a test" }, 201],
  ["GET /api/v1/stops", READERS],
  ["DELETE /api/v1/stops/$stop_id", OPERATORS],
  ["POST /api/v1/grants", OPERATORS, RAISE, 201],
  ["GET /api/v1/grants", READERS],
  ["DELETE /api/v1/grants/$grant_id", OPERATORS],
  ["POST /api/v1/keys", OWNERS, { name: "mine", role: "owner" }, 201],
  ["GET /api/v1/keys", OWNERS],
  ["DELETE /api/v1/keys/$key_id", OWNERS],
  ["GET /api/v1/audit", READERS],
  ["GET /api/v1/audit/verify", READERS],
  ["POST /api/v1/charges/$charge_id/corrections", OPERATORS, { cost_usd: 1, reason: "a test" }, 201],
  ["POST /api/v1/recost", OPERATORS, { since: "2026-01-01", dry_run: true }],
  ["POST /api/v1/ledger/prune", OWNERS, { before: "2026-01-01" }],
  ["POST /api/v1/ledger/vacuum", OWNERS],
  ["GET /api/v1/now", READERS],
  ["GET /api/v1/policy", ANYONE],
  ["GET /api/v1/limits", READERS],
  ["GET /api/v1/incidents", ANYONE],
  ["GET /api/v1/incidents/$incident_id", ANYONE],
  ["PATCH /api/v1/incidents/$incident_id", OPERATORS, { note: "a test" }],
  ["GET /api/v1/webhooks/deliveries", READERS],
  ["POST /api/v1/webhooks/deliveries/$delivery_id/redeliver", OPERATORS, {}],
  ["GET /api/v1/charges", READERS],
  ["GET /api/v1/costs/series", READERS],
  ["GET /costs", ANYONE],
  ["GET /costs/breakdown", ANYONE],
  ["GET /leaderboard", READERS],
  ["GET /leaderboard/ada", READERS],
  ["GET /api/v1/ledgers/executions", READERS],
  ["GET /api/v1/ledgers/roles", READERS],
  ["GET /api/v1/ledgers/user-roles", READERS],
  ["GET /security/dp-budget", READERS],
  ["POST /security/dp-budget/reset", OWNERS, { uid: "uid_alice" }],
  ["GET /openapi.json", ANYONE],
  ["GET /metrics", READERS],
  ["POST /auth/token", ANYONE],
  ["POST /auth/session", READERS, undefined, 201],
  // A key is no browser: that is the cookie's.
  ["GET /auth/session", NOBODY],
  ["DELETE /auth/session", NOBODY],
];

const PROBES = ["/healthz", "/readyz"];
/** It does not end: who may open it is tried in events.test.ts. */
const STREAM = "/events";

/** The path with the ids of things made for it just now. */
async function ready(path: string, owner: Caller): Promise<string> {
  const made = async (name: string, at: string, body: object): Promise<string> =>
    path.includes(`$${name}`) ? path.replace(`$${name}`, String((await owner.post(at, body)).body[name])) : path;
  if (path.includes("$session_id")) return await made("session_id", "/api/v1/agents/ada/sessions", {});
  if (path.includes("$stop_id")) return await made("stop_id", "/api/v1/stops", { task_id: "t3", reason: "a test" });
  if (path.includes("$grant_id")) return await made("grant_id", "/api/v1/grants", RAISE);
  if (path.includes("$charge_id")) {
    const { session_id } = (await owner.post("/api/v1/agents/ada/sessions", {})).body;
    return await made("charge_id", `/api/v1/sessions/${session_id}/usage`, USAGE);
  }
  if (path.includes("$incident_id"))
    return path.replace("$incident_id", await raised(owner, "incidents", "incident_id"));
  if (path.includes("$delivery_id"))
    return path.replace("$delivery_id", await raised(owner, "webhooks/deliveries", "delivery_id"));
  return await made("key_id", "/api/v1/keys", { name: "x", role: "viewer" });
}

/** An incident of ada's, a typo that cost two dollars, and the message that tells of it; made once. */
async function raised(owner: Caller, list: string, name: string): Promise<string> {
  const { session_id } = (await owner.post("/api/v1/agents/ada/sessions", { task_id: "typo" })).body;
  await owner.post(`/api/v1/sessions/${session_id}/usage`, { ...USAGE, cost_usd: 2 });
  const { body } = await owner.get(`/api/v1/${list}`);
  return String(((body.incidents ?? body.deliveries) as Record<string, unknown>[])[0]?.[name]);
}

/** All that a refused caller could have changed. */
const stateOf = async ({ owner }: ServerRoom): Promise<string> => {
  const paths = ["audit/verify", "sessions", "tasks", "stops", "grants", "keys", "settings/teams/eng", "incidents"];
  const texts = await Promise.all(paths.map(async (path) => (await owner.get(`/api/v1/${path}`)).text));
  return texts.join("\n").replaceAll(/"(last_used_at|duration_ms)":[^,]*/g, "");
};

describe.each(ROLES)("with the key of one %s", (role) => {
  test("each route is open or forbidden as it should be, and what is forbidden changes nothing", async () => {
    const room = await newServerRoom({ policy: POLICY });
    const caller = await room.callerOf(role, role === "agent" ? "ada" : undefined);
    await room.owner.post("/api/v1/agents/ada/sessions", { user_id: "uid_alice" });
    for (const [line, who, body, status = 200] of ROUTES) {
      const [method = "", path = ""] = line.split(" ");
      const at = await ready(path, room.owner);
      const before = who.includes(role) ? "" : await stateOf(room);
      const answer = await caller.send(method, at, { body });
      if (who.includes(role)) {
        expect(answer.status, `${line}: ${answer.text}`).toBe(status);
        continue;
      }
      expect(answer.status, line).toBe(403);
      expect(answer.body).toMatchObject({ code: "forbidden", type: "urn:astra-budget:error:forbidden" });
      expect(await stateOf(room), line).toBe(before);
    }
  });
});

test("this list of routes is complete", async () => {
  const { owner } = await newServerRoom({ policy: POLICY });
  const { paths } = (await owner.get("/openapi.json")).body as unknown as { paths: Record<string, object> };
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const pattern = (line: string) => line.replaceAll(/(?<=\/)(\$\w+|ada|eng|t1)(?=\/|$)/g, "{}");
  const tried = new Set(ROUTES.map(([line]) => pattern(line)));
  const closed = described.filter((line) => ![...PROBES, STREAM].some((path) => line === `GET ${path}`));
  for (const line of closed) expect(tried, line).toContain(line.replaceAll(/\{\w+\}/g, "{}"));
});

test("without a key no route but the page, the probes and the metadata answers anything but 401", async () => {
  const room = await newServerRoom({ policy: POLICY });
  const nobody = callerAt(room.url, {});
  for (const [line, , body] of ROUTES) {
    const [method = "", path = ""] = line.split(" ");
    expect((await nobody.send(method, path, { body })).status, line).toBe(401);
  }
  for (const path of ["/mcp", "/messages?sessionId=x"]) expect((await nobody.post(path, {})).status, path).toBe(401);
  for (const path of ["/mcp", "/sse", "/absent"]) expect((await nobody.get(path)).status, path).toBe(401);
  for (const path of [...PROBES, "/.well-known/oauth-protected-resource"])
    expect((await nobody.get(path)).status, path).toBe(200);
});

const TOOLS = ["open_session", "report_usage", "check_budget", "end_session", "get_costs"];
const OPERATOR_TOOLS = [
  "create_key",
  "grant",
  "set_team_limits",
  "stop",
  "resume",
  "add_task",
  "list_keys",
  "get_team",
];

describe.each(ROLES)("over MCP with the key of one %s", (role) => {
  test("there are five tools, each open or forbidden as it should be, and none of an operator's", async () => {
    const room = await newServerRoom({ policy: POLICY });
    const agent = await mcpAgent(room.url, await room.keyOf(role, role === "agent" ? "ada" : undefined));
    expect((await agent.tools()).sort()).toEqual(TOOLS.toSorted());
    const { session_id } = (await room.owner.post("/api/v1/agents/ada/sessions")).body;
    const calls = [
      ["get_costs", {}, ANYONE],
      ["check_budget", { session_id }, ANYONE],
      ["check_budget", { session_id, estimate: { input_tokens: 1 }, hold: true }, WORKERS],
      ["open_session", { agent_id: "ada" }, WORKERS],
      ["report_usage", { session_id, ...USAGE }, WORKERS],
      ["end_session", { session_id }, WORKERS],
    ] as const;
    for (const [tool, args, who] of calls) {
      const before = await stateOf(room);
      const { isError, text } = await agent.call(tool, args);
      expect(isError, `${tool}: ${text}`).toBe(!(who as readonly Role[]).includes(role));
      if (!isError) continue;
      expect(text).toMatch(/^forbidden: /);
      expect(await stateOf(room), tool).toBe(before);
    }
    for (const tool of OPERATOR_TOOLS) {
      const answer = await agent.call(tool, {}).catch((error: Error) => ({ isError: true, text: error.message }));
      expect(answer.isError, tool).toBe(true);
      expect(answer.text).toMatch(/not found|unknown tool/i);
    }
  });
});
