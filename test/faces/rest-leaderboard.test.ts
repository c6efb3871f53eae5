// Leaderboard and ledgers over HTTP: Open Astra's camelCase at the root, pages below /api/v1, resources for who may read them.
import { describe, expect, test } from "vitest";
import { WIDE } from "../world.ts";
import { mcpAgent } from "./server-mcp.ts";
import { newServerRoom, type ServerRoom } from "./server-room.ts";

const POLICY = {
  workspace: { id: "home", timezone: "Europe/Berlin" },
  hardCaps: WIDE,
  agents: [{ id: "ada", role: "researcher", budget: { maxCostCents: 100, maxDuration: 300_000 } }, { id: "eve" }],
};

/** Two sessions of ada, one of eve, all ended on one Saturday. */
async function workedRoom(): Promise<ServerRoom> {
  const room = await newServerRoom({ policy: POLICY });
  for (const [agent, when, cost_usd, status] of [
    ["ada", "2026-03-07T09:10Z", 0.5, "success"],
    ["ada", "2026-03-07T09:20Z", 0.25, "error"],
    ["eve", "2026-03-07T10:00Z", 1, "success"],
  ] as const) {
    room.at(Date.parse(when));
    const { session_id } = (await room.owner.post(`/api/v1/agents/${agent}/sessions`, { user_id: `user-of-${agent}` }))
      .body;
    const usage = { input_tokens: 100, output_tokens: 20, cost_usd, tool_calls: 1 };
    await room.owner.post(`/api/v1/sessions/${session_id}/usage`, usage);
    room.at(Date.parse(when) + 60_000);
    await room.owner.post(`/api/v1/sessions/${session_id}/end`, { status });
  }
  return room;
}

describe("GET /leaderboard", () => {
  test("answers in camelCase, with plain dollars", async () => {
    const { owner } = await workedRoom();
    const { status, body } = await owner.get("/leaderboard?period=day&sort=fitness&limit=1");
    expect(status).toBe(200);
    expect(body).toEqual({
      workspaceId: "home",
      period: "day",
      sort: "fitness",
      startDate: "2026-03-07",
      endDate: "2026-03-07",
      agents: [
        {
          rank: 1,
          agentId: "eve",
          cost: 1,
          charges: 1,
          tokens: 120,
          inputTokens: 100,
          outputTokens: 20,
          cacheReadTokens: 0,
          cacheWriteTokens: 0,
          toolCalls: 1,
          executions: 1,
          successes: 1,
          successRate: 1,
          latencyMeanMs: 60_000,
          // A dollar of 10,000 and a minute of 31 days cost next to nothing: (1 - 0.000029 + 1) / 3.
          fitness: 0.666657,
        },
      ],
      agentsLeftOut: 1,
    });
    expect((await owner.get("/leaderboard")).body).toMatchObject({ period: "month", sort: "cost" });
  });

  test.each([
    ["limit=100", 200],
    ["limit=101", 422],
    ["limit=0", 422],
    ["limit=many", 422],
    ["period=year", 422],
    ["sort=name", 422],
    ["colour=red", 422],
  ])("?%s is %d", async (query, status) => {
    const { owner } = await workedRoom();
    const answer = await owner.get(`/leaderboard?${query}`);
    expect(answer.status).toBe(status);
    if (status !== 422) return;
    const path = query.split("=")[0];
    expect(answer.body).toMatchObject({ code: "invalid_input", faults: [expect.objectContaining({ path })] });
  });
});

describe("GET /leaderboard/{agentId}", () => {
  test("answers every hour of the day in camelCase", async () => {
    const { owner } = await workedRoom();
    const { status, body } = await owner.get("/leaderboard/ada");
    expect(status).toBe(200);
    const hours = body.hours as Record<string, unknown>[];
    expect(hours).toHaveLength(24);
    expect(hours[10]).toEqual({
      hour: "2026-03-07T10",
      startsAt: "2026-03-07T09:00:00.000Z",
      endsAt: "2026-03-07T10:00:00.000Z",
      cost: 0.75,
      tokens: 240,
      promptTokens: 200,
      completionTokens: 40,
      toolCalls: 2,
      executions: 2,
      successes: 1,
    });
    expect(body).toMatchObject({
      workspaceId: "home",
      agentId: "ada",
      period: "day",
      startsAt: "2026-03-06T23:00:00.000Z",
      endsAt: "2026-03-07T23:00:00.000Z",
      totals: { cost: 0.75, executions: 2 },
    });
    // Daylight saving begins on the 29th.
    expect((await owner.get("/leaderboard/ada?period=month")).body.hours).toHaveLength(31 * 24 - 1);
  });

  test("knows no agent that never was", async () => {
    const { owner } = await workedRoom();
    const { status, body } = await owner.get("/leaderboard/nobody");
    expect([status, body.code]).toEqual([404, "not_found"]);
  });
});

describe("the ledgers", () => {
  test("are lists below /api/v1 with their filters and pages", async () => {
    const { owner } = await workedRoom();
    const executions = (await owner.get("/api/v1/ledgers/executions?agent_id=ada&outcome=error")).body;
    expect(executions).toMatchObject({
      executions: [{ agent_id: "ada", role: "researcher", user_id: "user-of-ada", latency_ms: 60_000, score: 0 }],
      next_cursor: null,
    });
    const first = (await owner.get("/api/v1/ledgers/executions?limit=2")).body;
    const cursor = encodeURIComponent(String(first.next_cursor));
    const second = (await owner.get(`/api/v1/ledgers/executions?limit=2&cursor=${cursor}`)).body;
    const endings = [first, second].flatMap((body) => body.executions as { ended_at: string }[]);
    expect(endings.map((each) => each.ended_at.slice(11, 16))).toEqual(["10:01", "09:21", "09:11"]);
    expect((await owner.get("/api/v1/ledgers/roles?role=Researcher")).body.roles).toMatchObject([
      { role: "researcher", executions: 2, success_rate: 0.5, cost_usd: 0.75, latency_p50_ms: 60_000 },
    ]);
    const users = (await owner.get("/api/v1/ledgers/user-roles?limit=1")).body;
    expect(users).toMatchObject({
      user_roles: [{ user_id: "user-of-ada", role: "researcher" }],
      next_cursor: "user-of-ada~researcher",
    });
    const rest = (await owner.get(`/api/v1/ledgers/user-roles?cursor=${users.next_cursor}`)).body;
    expect(rest).toMatchObject({ user_roles: [{ user_id: "user-of-eve", role: null }], next_cursor: null });
    for (const list of ["executions", "roles", "user-roles"])
      expect((await owner.get(`/api/v1/ledgers/${list}?cursor=nonsense`)).status, list).toBe(422);
  });
});

describe("over MCP", () => {
  test("a viewer reads the leaderboard and the role ledger as resources", async () => {
    const room = await workedRoom();
    const viewer = await mcpAgent(room.url, await room.keyOf("viewer"));
    const board = JSON.parse(await viewer.read("budget://leaderboard/day"));
    expect(board).toMatchObject({ period: "day", agents: [{ agent_id: "eve" }, { agent_id: "ada" }] });
    expect(JSON.parse(await viewer.read("budget://ledgers/roles")).roles).toHaveLength(2);
    expect(await viewer.read("budget://leaderboard/year")).toMatch(/^fault: .*not found/i);
  });

  test("an agent does not, and is told of nobody else", async () => {
    const room = await workedRoom();
    const ada = await mcpAgent(room.url, await room.keyOf("agent", "ada"));
    for (const uri of ["budget://leaderboard/day", "budget://ledgers/roles"]) {
      const text = await ada.read(uri);
      expect(text).toMatch(/^fault: /);
      expect(text).not.toMatch(/eve/);
    }
  });
});
