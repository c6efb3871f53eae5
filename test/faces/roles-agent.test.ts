// What an agent's key cannot do, over REST and over MCP: touch, charge, read, or learn of anything that is another's.
import { describe, expect, test } from "vitest";
import { WIDE } from "../world.ts";
import { type McpAgent, mcpAgent } from "./server-mcp.ts";
import { type Caller, callerAt, newServerRoom, type Reply, type ServerRoom } from "./server-room.ts";

const POLICY = {
  hardCaps: WIDE,
  teams: [
    { id: "eng", dailyCostLimitUsd: 5 },
    { id: "ops", dailyCostLimitUsd: 7 },
  ],
  agents: [
    { id: "ada", team: "eng" },
    { id: "eve", team: "ops", dailyCostLimitUsd: 3 },
  ],
};
const ABSENT = "ses_000000000000000000000000000000";
const USAGE = { input_tokens: 1, output_tokens: 1, cost_usd: 0.5 };
const ESTIMATE = { estimate: { cost_usd: 0.1 } };

type Scene = {
  readonly room: ServerRoom;
  readonly ada: Caller;
  readonly mcp: McpAgent;
  /** ada's open session, and eve's with a hold in it. */
  readonly own: string;
  readonly foreign: string;
  readonly hold: string;
};

async function scene(): Promise<Scene> {
  const room = await newServerRoom({ policy: POLICY });
  const key = await room.keyOf("agent", "ada");
  const open = async (agent: string) => (await room.owner.post(`/api/v1/agents/${agent}/sessions`)).body.session_id;
  const [own, foreign] = [await open("ada"), await open("eve")];
  const { hold_id } = (await room.owner.post(`/api/v1/sessions/${foreign}/check`, { ...ESTIMATE, hold: true })).body;
  await room.owner.post(`/api/v1/sessions/${foreign}/usage`, USAGE);
  return {
    room,
    ada: callerAt(room.url, { "x-api-key": key }),
    mcp: await mcpAgent(room.url, key),
    own,
    foreign,
    hold: hold_id,
  };
}

const shown = ({ status, text, headers }: Reply): unknown => [status, text, headers.get("content-type")];

/** Everything that names a session. */
const ON_SESSION: readonly [line: string, body?: (id: string) => object][] = [
  ["POST /api/v1/sessions/$id/usage", () => USAGE],
  ["POST /api/v1/sessions/$id/usage", () => ({ ...USAGE, idempotency_key: "k" })],
  ["POST /api/v1/sessions/$id/check", () => ESTIMATE],
  ["POST /api/v1/sessions/$id/check", () => ({ ...ESTIMATE, hold: true, idempotency_key: "k" })],
  ["POST /api/v1/sessions/$id/end"],
  ["POST /api/v1/agents/ada/sessions", (id) => ({ parent_session_id: id })],
  ["GET /api/v1/agents/ada/budget?session_id=$id"],
];

describe("another's session", () => {
  test("is for REST not there: the very answer of an id that never was, and nothing of it changes", async () => {
    const { room, ada, foreign } = await scene();
    const before = (await room.owner.get("/api/v1/agents/eve/sessions")).body.sessions as Record<string, unknown>[];
    for (const [line, body] of ON_SESSION) {
      const [method = "", path = ""] = line.split(" ");
      const ask = (id: string) => ada.send(method, path.replace("$id", id), { body: body?.(id) });
      const answer = await ask(foreign);
      expect(answer.status, line).toBe(404);
      expect(answer.body.code).toBe("session_not_found");
      expect(shown(answer), line).toEqual(shown(await ask(ABSENT)));
    }
    const after = (await room.owner.get("/api/v1/agents/eve/sessions")).body.sessions as Record<string, unknown>[];
    expect(after[0]).toMatchObject({ status: "open", cost_usd: 0.5, session_id: before[0]?.session_id });
    expect(after).toHaveLength(1);
  });

  test("is for MCP not there either, as a tool's argument and as a resource", async () => {
    const { mcp, foreign } = await scene();
    const calls = [
      ["report_usage", USAGE],
      ["check_budget", ESTIMATE],
      ["check_budget", { ...ESTIMATE, hold: true }],
      ["end_session", {}],
      ["get_costs", {}],
    ] as const;
    for (const [tool, args] of calls) {
      const answer = await mcp.call(tool, { ...args, session_id: foreign });
      expect([answer.isError, answer.text]).toEqual([true, expect.stringMatching(/^session_not_found: /)]);
      expect(answer).toEqual(await mcp.call(tool, { ...args, session_id: ABSENT }));
    }
    const child = await mcp.call("open_session", { parent_session_id: foreign });
    expect(child).toEqual(await mcp.call("open_session", { parent_session_id: ABSENT }));
    const read = await mcp.read(`budget://sessions/${foreign}`);
    expect(read).toMatch(/^fault: /);
    expect(read.replace(foreign, "")).toBe((await mcp.read(`budget://sessions/${ABSENT}`)).replace(ABSENT, ""));
  });

  test("takes as long as one that never was", async () => {
    const { ada, foreign } = await scene();
    const times: Record<string, number[]> = { [foreign]: [], [ABSENT]: [] };
    for (let i = 0; i < 400; i++) {
      for (const id of i % 2 === 0 ? [foreign, ABSENT] : [ABSENT, foreign]) {
        const from = performance.now();
        await ada.post(`/api/v1/sessions/${id}/end`);
        times[id]?.push(performance.now() - from);
      }
    }
    const [a = 0, b = 0] = Object.values(times).map((each) => each.toSorted((x, y) => x - y)[200]);
    expect(a / b).toBeGreaterThan(0.6);
    expect(a / b).toBeLessThan(1 / 0.6);
  });

  test("a hold in it is not there for a report on one's own", async () => {
    const { ada, mcp, own, hold } = await scene();
    const settle = (hold_id: string) => ada.post(`/api/v1/sessions/${own}/usage`, { ...USAGE, hold_id });
    const answer = await settle(hold);
    expect([answer.status, answer.body.code]).toEqual([404, "hold_not_found"]);
    expect(shown(answer)).toEqual(shown(await settle("hld_000000000000000000000000000000")));
    expect((await mcp.call("report_usage", { ...USAGE, session_id: own, hold_id: hold })).text).toMatch(
      /^hold_not_found/,
    );
    expect((await ada.get("/costs")).body).toMatchObject({ totalCost: 0 });
  });
});

describe("another agent", () => {
  test("is for REST not there, whether it is or not", async () => {
    const { ada } = await scene();
    for (const [method, path] of [
      ["POST", "/api/v1/agents/$id/sessions"],
      ["GET", "/api/v1/agents/$id/sessions"],
      ["GET", "/api/v1/agents/$id/budget"],
      ["GET", "/api/v1/sessions?agent_id=$id"],
      ["GET", "/costs?agentId=$id"],
      ["GET", "/costs/breakdown?agentId=$id"],
      ["GET", "/api/v1/teams/eng/costs?agent_id=$id"],
    ] as const) {
      const ask = (id: string) => ada.send(method, path.replace("$id", id));
      const answer = await ask("eve");
      expect([answer.status, answer.body.code], path).toEqual([404, "not_found"]);
      expect(shown(answer), path).toEqual(shown(await ask("nobody")));
    }
  });

  test("is for MCP not there, whether it is or not", async () => {
    const { mcp } = await scene();
    for (const tool of ["open_session", "check_budget", "get_costs"]) {
      const answer = await mcp.call(tool, { agent_id: "eve" });
      expect([answer.isError, answer.text]).toEqual([true, expect.stringMatching(/^not_found: /)]);
      expect(answer).toEqual(await mcp.call(tool, { agent_id: "nobody" }));
    }
  });

  test("and its team, sessions and limits are in nothing that can be read", async () => {
    const { ada, mcp } = await scene();
    const paths = ["policy", "sessions", "agents/ada/sessions", "agents/ada/budget", "teams/eng/costs"];
    const texts = [
      ...(await Promise.all(paths.map(async (path) => (await ada.get(`/api/v1/${path}`)).text))),
      ...(await Promise.all(["/costs", "/costs/breakdown"].map(async (path) => (await ada.get(path)).text))),
      await mcp.read("budget://policy"),
      await mcp.read("budget://costs/month"),
      (await mcp.call("get_costs", { group_by: ["agent", "team", "task", "user", "role", "model"] })).text,
    ];
    for (const text of texts) expect(text).not.toMatch(/"eve"|"ops"|^fault/);
  });

  test("its team is answered like a team that never was", async () => {
    const { ada, mcp } = await scene();
    const [foreign, absent] = [await ada.get("/api/v1/teams/ops/costs"), await ada.get("/api/v1/teams/none/costs")];
    expect(foreign.status).toBe(404);
    expect(shown(foreign)).toEqual(shown(absent));
    const costs = (team_id: string) => mcp.call("get_costs", { team_id });
    expect(await costs("ops")).toEqual(await costs("none"));
    expect((await ada.get("/api/v1/teams/eng/costs")).status).toBe(200);
  });
});

test("a budget that an agent asks for can only lower its own, and a role of its choice gives it nothing", async () => {
  const { room, ada, mcp } = await scene();
  room.setPolicy({ hardCaps: WIDE, agents: [{ id: "ada", budget: { maxCostCents: 50, maxChildAgents: 0 } }] });
  const budget = { max_cost_cents: 100_000, max_child_agents: 9 };
  const args = { budget, role: "analyst", tools: { allow: ["anything"] } };
  const own = { max_cost_cents: 50, max_child_agents: 0 };
  expect((await ada.post("/api/v1/agents/ada/sessions", args)).body.budget).toMatchObject(own);
  expect((await mcp.call("open_session", args)).data.budget).toMatchObject(own);
});
