// Costs over REST: which days each route looks back on, what narrows it, and what an agent sees of it.
import { describe, expect, test } from "vitest";
import { WIDE } from "../world.ts";
import { newServerRoom, type ServerRoom } from "./server-room.ts";

const POLICY = {
  workspace: { id: "home", timezone: "America/New_York" },
  hardCaps: WIDE,
  teams: [{ id: "eng" }, { id: "ops" }],
  agents: [
    { id: "ada", team: "eng" },
    { id: "eve", team: "ops" },
  ],
};
/** Cents that tell from their sum which charges it has. */
const CHARGES = [
  ["2025-12-31T12:00Z", "ada", 0.01],
  ["2026-01-15T12:00Z", "eve", 0.02],
  ["2026-02-27T12:00Z", "ada", 0.04],
  ["2026-03-01T12:00Z", "ada", 0.08],
  ["2026-03-06T12:00Z", "eve", 0.16],
  // Still the 6th in New York.
  ["2026-03-07T03:00Z", "ada", 0.32],
  ["2026-03-07T15:00Z", "ada", 0.64],
] as const;

async function spentRoom(): Promise<ServerRoom> {
  const room = await newServerRoom({ policy: POLICY });
  for (const [when, agent, cost_usd] of CHARGES) {
    room.at(Date.parse(when));
    const ids = {
      provider: agent === "ada" ? "claude" : "groq",
      user_id: `user-of-${agent}`,
      task_id: `task-of-${agent}`,
    };
    const { session_id } = (await room.owner.post(`/api/v1/agents/${agent}/sessions`, ids)).body;
    const tool_calls = [{ tool: "search", cost_usd: cost_usd / 2 }];
    const usage = { input_tokens: 3, output_tokens: 1, cost_usd: cost_usd / 2, tool_calls };
    await room.owner.post(`/api/v1/sessions/${session_id}/usage`, usage);
    await room.owner.post(`/api/v1/sessions/${session_id}/end`);
  }
  room.at(Date.parse("2026-03-07T16:00Z"));
  return room;
}

describe("the days that are looked back on", () => {
  test.each([
    ["/costs", 1.26, "2026-01-01", "2026-03-31"],
    ["/costs?months=1", 1.2, "2026-03-01", "2026-03-31"],
    ["/costs?months=4", 1.27, "2025-12-01", "2026-03-31"],
    ["/costs?days=2", 1.12, "2026-03-06", "2026-03-07"],
    ["/costs?startDate=2026-03-06&endDate=2026-03-06", 0.48, "2026-03-06", "2026-03-06"],
    ["/costs?agentId=ada&tool=search", 0.54, "2026-01-01", "2026-03-31"],
  ])("%s: %d dollars from %s to %s", async (path, totalCost, startDate, endDate) => {
    const { owner } = await spentRoom();
    expect((await owner.get(path)).body).toMatchObject({ workspaceId: "home", totalCost, startDate, endDate });
  });

  test.each([
    ["", 1.26, 3, "2026-01-01", "2026-03-31"],
    ["?months=1", 1.2, 1, "2026-03-01", "2026-03-31"],
    ["?startDate=2026-03-06&endDate=2026-03-06", 0.48, 3, "2026-03-06", "2026-03-06"],
    ["?startDate=2026-03-07", 0.64, 3, "2026-03-07", "9999-12-31"],
    ["?endDate=2026-01-15&months=1", 0.03, 1, "0000-01-01", "2026-01-15"],
  ])(
    "/costs/breakdown%s: %d dollars, months %d, from %s to %s",
    async (query, totalCost, months, startDate, endDate) => {
      const { owner } = await spentRoom();
      const { body } = await owner.get(`/costs/breakdown${query}`);
      const generatedAt = "2026-03-07T16:00:00.000Z";
      expect(body).toMatchObject({ totalCost, meta: { workspaceId: "home", months, startDate, endDate, generatedAt } });
    },
  );

  test.each([
    ["", 1.04, "2026-03-01"],
    ["?days=1", 0.64, "2026-03-07"],
    ["?days=2", 0.96, "2026-03-06"],
    ["?days=90", 1.09, "2025-12-08"],
    ["?months=2", 1.08, "2026-02-01"],
    ["?start_date=2026-02-01&end_date=2026-02-28", 0.04, "2026-02-01"],
  ])("a team's costs%s: %d dollars from %s", async (query, total_cost_usd, start_date) => {
    const { owner } = await spentRoom();
    expect((await owner.get(`/api/v1/teams/eng/costs${query}`)).body).toMatchObject({ total_cost_usd, start_date });
  });
});

test("a series has every month of the range, the dearest by name and all others in one sum", async () => {
  const { owner } = await spentRoom();
  const { body } = await owner.get("/api/v1/costs/series?months=4&bucket=month&by=provider&most=1");
  expect(body).toMatchObject({
    start_date: "2025-12-01",
    end_date: "2026-03-31",
    buckets: ["2025-12", "2026-01", "2026-02", "2026-03"],
    series: [
      { key: "claude", cost_usd: [0.01, 0, 0.04, 1.04], total_cost_usd: 1.09 },
      { key: "(others)", cost_usd: [0, 0.02, 0, 0.16], total_cost_usd: 0.18 },
    ],
    total_cost_usd: 1.27,
  });
});

describe("the answer", () => {
  test("sums to its total in every breakdown, by agent, provider, tool and month", async () => {
    const { owner } = await spentRoom();
    for (const path of ["/costs?months=4", "/costs/breakdown?months=4"]) {
      const { body } = await owner.get(path);
      expect(body).toMatchObject({
        totalCost: 1.27,
        meteredCost: 0,
        selfReportedCost: 1.27,
        byAgent: { ada: 1.09, eve: 0.18 },
        byProvider: { claude: 1.09, groq: 0.18 },
        byTool: { search: 0.635, llm: 0.635 },
        byMonth: [
          { month: "2025-12", cost: 0.01 },
          { month: "2026-01", cost: 0.02 },
          { month: "2026-02", cost: 0.04 },
          { month: "2026-03", cost: 1.2 },
        ],
      });
    }
  });

  test.each([
    ["agentId=eve", 0.18],
    ["teamId=eng", 1.08],
    ["taskId=task-of-eve", 0.18],
    ["userId=user-of-ada", 1.08],
    ["provider=groq", 0.18],
    ["provider=groq&agentId=ada", 0],
  ])("is narrowed by %s", async (query, totalCost) => {
    const { owner } = await spentRoom();
    expect((await owner.get(`/costs?${query}`)).body.totalCost).toBe(totalCost);
  });

  test("of a team lists its sessions, the newest first, as many as asked for, and tells how many are left out", async () => {
    const { owner } = await spentRoom();
    const { body } = await owner.get("/api/v1/teams/eng/costs?days=90&limit=2");
    expect(body).toMatchObject({ total_input_tokens: 15, total_output_tokens: 5, sessions_left_out: 3 });
    expect((body.sessions as { cost_usd: number }[]).map(({ cost_usd }) => cost_usd)).toEqual([0.64, 0.32]);
  });

  test.each(["/costs", "/costs/breakdown"])(
    "at %s tells more groups, a session's tree, doubts and a forecast",
    async (path) => {
      const { owner } = await spentRoom();
      const answer = (await owner.get(`${path}?groupBy=user,day&days=1`)).body;
      expect(answer).toMatchObject({
        byUser: { "user-of-ada": 0.64 },
        byDay: [{ day: "2026-03-07", cost: 0.64 }],
        totalInputTokens: 3,
        totalOutputTokens: 1,
        totalToolCalls: 1,
        charges: 1,
        unpricedCharges: 0,
        lateAgents: [],
        forecast: { day: { spent: 0.64, projected: 1.39 }, month: { spent: 1.2 }, caps: [] },
      });
      const [session] = (await owner.get("/api/v1/agents/ada/sessions?limit=1")).body.sessions as {
        session_id: string;
      }[];
      const tree = (await owner.get(`${path}?sessionId=${session?.session_id}`)).body;
      expect(tree).toMatchObject({
        totalCost: 0.64,
        forecast: null,
        tree: [{ sessionId: session?.session_id, agentName: "ada", depth: 0, cost: 0.64, treeCost: 0.64 }],
      });
    },
  );

  test("can group by more, and refuses what it cannot", async () => {
    const { owner } = await spentRoom();
    const { body } = await owner.get("/api/v1/teams/eng/costs?days=2&group_by=day,user");
    expect(body).toMatchObject({
      by_day: [
        { day: "2026-03-06", cost_usd: 0.32 },
        { day: "2026-03-07", cost_usd: 0.64 },
      ],
      by_user: { "user-of-ada": 0.96 },
    });
    expect((await owner.get("/api/v1/teams/eng/costs?group_by=colour")).status).toBe(422);
  });

  test("is to an agent about itself only, and shows it no session's id", async () => {
    const { callerOf } = await spentRoom();
    const ada = await callerOf("agent", "ada");
    const { body } = await ada.get("/costs");
    expect(body).toMatchObject({ totalCost: 1.08, byAgent: { ada: 1.08 }, byProvider: { claude: 1.08 } });
    expect(JSON.stringify(body)).not.toMatch(/eve|groq/);
    const { text } = await ada.get("/api/v1/teams/eng/costs?days=90");
    expect(text).not.toMatch(/ses_|eve/);
  });
});
