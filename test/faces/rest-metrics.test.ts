// What a server tells those who watch it: probes without a key, and metrics whose numbers are the ledger's.
import { describe, expect, test } from "vitest";
import { WIDE } from "../world.ts";
import { mcpAgent } from "./server-mcp.ts";
import { type Caller, callerAt, newServerRoom } from "./server-room.ts";

const POLICY = {
  workspace: { id: "home", dailyCostLimitUsd: 100 },
  hardCaps: WIDE,
  teams: [{ id: "eng", dailyCostLimitUsd: 5 }],
  agents: [
    { id: "ada", team: "eng", dailyCostLimitUsd: 3 },
    { id: "eve", team: "eng" },
  ],
};
const usage = (cost_usd: number) => ({ input_tokens: 10, output_tokens: 1, cost_usd });

/** The samples of one metric: labels in their order to value. */
async function samplesOf(by: Caller, metric: string): Promise<Record<string, number>> {
  const { status, text, headers } = await by.get("/metrics");
  expect([status, headers.get("content-type")]).toEqual([200, expect.stringMatching(/^text\/plain; version=0\.0\.4/)]);
  const lines = text.matchAll(new RegExp(`^${metric}(?:\\{(.*)\\})? (\\S+)$`, "gm"));
  return Object.fromEntries(
    [...lines].map(([, labels = "", value]) => [labels.replaceAll(/\w+="([^"]*)",?/g, "$1 ").trim(), Number(value)]),
  );
}

describe("/metrics", () => {
  test("spend, held and limits agree with what was reported, held and set, over REST and MCP", async () => {
    const room = await newServerRoom({ policy: POLICY });
    const { owner } = room;
    const open = async (agent: string) => (await owner.post(`/api/v1/agents/${agent}/sessions`)).body.session_id;
    const [one, two] = [await open("ada"), await open("eve")];
    for (const cost of [0.5, 0.25]) await owner.post(`/api/v1/sessions/${one}/usage`, usage(cost));
    await owner.post(`/api/v1/sessions/${two}/usage`, usage(1));
    const agent = await mcpAgent(room.url, await room.keyOf("agent", "ada"));
    await agent.call("report_usage", { session_id: one, ...usage(0.125) });
    await owner.post(`/api/v1/sessions/${two}/check`, { estimate: { cost_usd: 0.75 }, hold: true });
    await owner.patch("/api/v1/settings/teams/eng", { daily_cost_limit_usd: 6 });
    const [workspace, team, ada] = [
      "workspace home day cost_usd",
      "team eng day cost_usd",
      "agent ada day cost_usd",
    ] as const;
    expect(await samplesOf(owner, "astra_spent")).toMatchObject({ [workspace]: 1.875, [team]: 1.875, [ada]: 0.875 });
    expect(await samplesOf(owner, "astra_held")).toMatchObject({ [workspace]: 0.75, [team]: 0.75, [ada]: 0 });
    expect(await samplesOf(owner, "astra_limit")).toMatchObject({ [workspace]: 100, [team]: 6, [ada]: 3 });
  });

  test("decisions are counted by operation and kind, a repeat's as well, and nothing of another workspace", async () => {
    const room = await newServerRoom({
      policies: [POLICY, { ...POLICY, workspace: { id: "away", dailyCostLimitUsd: 9 } }],
    });
    const { owner } = room;
    const { session_id } = (await owner.post("/api/v1/agents/ada/sessions")).body;
    for (const cost of [2, 0.5, 1]) await owner.post(`/api/v1/sessions/${session_id}/usage`, usage(cost));
    await owner.get("/api/v1/agents/ada/budget");
    await owner.get("/api/v1/agents/bob/budget");
    await owner.post("/api/v1/agents/ada/sessions");
    await owner.post(`/api/v1/sessions/${session_id}/usage`, { wrong: true });
    expect(await samplesOf(owner, "astra_decisions_total")).toEqual({
      "open_session allow": 1,
      "open_session deny": 1,
      "report_usage allow": 1,
      "report_usage warn": 1,
      "report_usage deny": 1,
      "check_budget allow": 1,
      "check_budget deny": 1,
    });
    const away = callerAt(room.url, { "x-api-key": room.ownerKeys[1] ?? "" });
    expect(await samplesOf(away, "astra_decisions_total")).toEqual({});
    expect(await samplesOf(away, "astra_spent")).toMatchObject({ "workspace away day cost_usd": 0 });
  });

  test("requests are timed by route, never by a path that a caller made up", async () => {
    const room = await newServerRoom({ policy: POLICY });
    const { owner } = room;
    for (let i = 0; i < 3; i++) await owner.get(`/api/v1/agents/agent-${i}/budget`);
    for (let i = 0; i < 4; i++) await owner.get(`/made/up/${i}`);
    await callerAt(room.url, {}).get("/costs");
    await mcpAgent(room.url, room.ownerKeys[0] ?? "");
    const counts = await samplesOf(owner, "astra_http_request_duration_seconds_count");
    expect(counts).toMatchObject({
      "/api/v1/agents/{agent_id}/budget GET 200": 3,
      "other GET 404": 4,
      "other GET 401": 1,
    });
    expect(Object.keys(counts).some((labels) => labels.startsWith("/mcp POST 200"))).toBe(true);
    expect(Object.keys(counts).join("\n")).not.toMatch(/made|agent-\d/);
    const sums = await samplesOf(owner, "astra_http_request_duration_seconds_sum");
    expect(sums["/api/v1/agents/{agent_id}/budget GET 200"]).toBeGreaterThan(0);
  });

  test("what the rate limiter refused is counted", async () => {
    const room = await newServerRoom({ policy: POLICY, settings: { rateLimit: 5 } });
    const viewer = await room.callerOf("viewer");
    for (let i = 0; i < 8; i++) await viewer.get("/costs");
    expect(await samplesOf(room.owner, "astra_rate_limited_total")).toEqual({ "": 3 });
  });
});

describe("the probes", () => {
  test.each([
    ["/healthz", { status: "ok" }],
    ["/readyz", { status: "ready" }],
  ])("%s needs no key, and is not counted", async (path, expected) => {
    const room = await newServerRoom({ settings: { rateLimit: 1 } });
    const nobody = callerAt(room.url, {});
    for (let i = 0; i < 5; i++) {
      const { status, body } = await nobody.get(path);
      expect([status, body]).toEqual([200, expected]);
    }
    expect((await nobody.get("/costs")).headers.get("x-ratelimit-remaining")).toBe("0");
  });
});
