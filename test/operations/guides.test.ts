// The examples of the two guides that this product implements, as calls and answers with their very numbers.
import { expect, test } from "vitest";
import { openPriceList } from "../../src/prices.ts";
import { WIDE, worldOf } from "../world.ts";
import { limitOf } from "./witness.ts";

/** The price list of the product, not of the tests: the guides name real models. */
const REAL = openPriceList(new Map());

test("Cost Control, sessions: open on task 594 with a model, report 2,500 in, 800 out and $0.012, end", async () => {
  const world = await worldOf({ policy: {}, prices: REAL });
  const opened = await world.open({ agent_id: "eng-1", task_id: 594, model: "claude-sonnet-4-20250514" });
  expect(opened).toMatchObject({ status: "open", agent_id: "eng-1", task_id: "594", verdict: { decision: "allow" } });
  const { session_id } = opened;
  const reported = await world.report({ session_id, input_tokens: 2500, output_tokens: 800, cost_usd: 0.012 });
  expect(reported).toMatchObject({
    recorded: true,
    duplicate: false,
    late: false,
    cost_usd: 0.012,
    cost_source: "reported",
    session: { input_tokens: 2500, output_tokens: 800, cost_usd: 0.012, charges: 1 },
    over_budget: false,
  });
  expect(await world.end({ session_id })).toMatchObject({
    session_id,
    status: "success",
    already_ended: false,
    totals: { input_tokens: 2500, output_tokens: 800, cost_usd: 0.012 },
  });
});

test("Cost Control, sessions: without a cost the same report is priced at $3 and $15 per million, $0.0195", async () => {
  const world = await worldOf({ policy: {}, prices: REAL });
  const { session_id } = await world.open({ model: "claude-sonnet-4-20250514" });
  const answer = await world.report({ session_id, input_tokens: 2500, output_tokens: 800 });
  expect(answer).toMatchObject({ cost_usd: 0.0195, cost_source: "exact" });
  expect(await world.costs()).toMatchObject({ by_provider: { anthropic: 0.0195 } });
});

test("Cost Control, budget checks: 5.00, 3.42, 1.58, 2.00, 0.85, false", async () => {
  const policy = {
    hardCaps: WIDE,
    teams: [{ id: "eng", dailyCostLimitUsd: 5, taskCostLimitUsd: 2 }],
    agents: [
      { id: "eng-1", team: "eng" },
      { id: "eng-2", team: "eng" },
    ],
  };
  const world = await worldOf({ policy });
  const one = await world.open({ agent_id: "eng-1", task_id: 594 });
  const other = await world.open({ agent_id: "eng-2" });
  await world.report({ session_id: one.session_id, cost_usd: 0.85 });
  await world.report({ session_id: other.session_id, cost_usd: 2.57 });
  const guide = {
    daily_limit_usd: 5.0,
    daily_spent_usd: 3.42,
    daily_remaining_usd: 1.58,
    task_limit_usd: 2.0,
    task_spent_usd: 0.85,
    over_budget: false,
  };
  expect(await world.check({ agent_id: "eng-1", task_id: 594 })).toMatchObject(guide);
  const answer = await world.check({ session_id: one.session_id });
  expect(answer).toMatchObject({ ...guide, task_remaining_usd: 1.15, hold_id: null, hold_expires_at: null });
});

test("Cost Control, team caps: all agents of a team together, and once it is hit they are told to stop", async () => {
  const policy = {
    hardCaps: WIDE,
    teams: [{ id: "eng", dailyCostLimitUsd: 10 }],
    agents: ["eng-1", "eng-2", "eng-3"].map((id) => ({ id, team: "eng" })),
  };
  const world = await worldOf({ policy });
  const sessions = await Promise.all(["eng-1", "eng-2", "eng-3"].map((agent_id) => world.open({ agent_id })));
  const [first, second, third] = sessions.map(({ session_id }) => session_id);
  await world.report({ session_id: first, cost_usd: 4 });
  expect(await world.report({ session_id: second, cost_usd: 4 })).toMatchObject({ verdict: { decision: "warn" } });
  const last = await world.report({ session_id: third, cost_usd: 2 });
  expect(last).toMatchObject({
    over_budget: true,
    verdict: { decision: "deny", binding: { scope: "team", scope_id: "eng" } },
  });
  expect(last.verdict.message).toBe(
    "Over budget: $10.00 of $10.00 used (team eng, today). It resets at 2026-11-23T00:00:00Z. Left elsewhere: $9998.00 of $10000.00 (session). Stop now and tell a human.",
  );
  for (const { session_id } of sessions) {
    expect((await world.check({ session_id })).verdict.decision).toBe("deny");
  }
  expect(await world.open({ agent_id: "eng-1" })).toMatchObject({ session_id: null, status: "refused" });
  expect((await world.open({ agent_id: "outsider" })).status).toBe("open");
});

test("Cost Control, task caps: a tag budget:0.50 caps the task over all agents and all time", async () => {
  const policy = { hardCaps: WIDE, tasks: [{ id: "typo", title: "Fix typo in README", tags: ["budget:0.50"] }] };
  const world = await worldOf({ policy });
  const one = await world.open({ agent_id: "eng-1", task_id: "typo" });
  await world.report({ session_id: one.session_id, cost_usd: 0.3 });
  await world.end({ session_id: one.session_id });
  world.pass(40 * 86_400_000);
  const other = await world.open({ agent_id: "eng-2", task_id: "typo" });
  expect(limitOf(other, "task cost_usd")).toMatchObject({ limit: 0.5, spent: 0.3, remaining: 0.2, resets_at: null });
  const denied = await world.check({ session_id: other.session_id, estimate: { cost_usd: 0.21 } });
  expect(denied.verdict).toMatchObject({ decision: "deny", binding: { scope: "task", scope_id: "typo" } });
  await world.report({ session_id: other.session_id, cost_usd: 0.25 });
  const refused = await world.open({ agent_id: "eng-3", task_id: "typo" });
  expect(refused).toMatchObject({ session_id: null, verdict: { decision: "deny", binding: { scope: "task" } } });
  expect(limitOf(refused, "task cost_usd")).toMatchObject({ spent: 0.55, remaining: 0, overspend: 0.05 });
});

test("Open Astra, agent budgets: the research agent's block as it stands there", async () => {
  const policy = {
    agents: [
      {
        id: "research-agent",
        budget: { maxTotalTokens: 50000, maxCostCents: 50, maxToolCalls: 20, maxDuration: 60000, maxChildAgents: 0 },
      },
    ],
  };
  const world = await worldOf({ policy });
  const opened = await world.open({ agent_id: "research-agent" });
  expect(opened.budget).toEqual({
    max_prompt_tokens: 500_000,
    max_completion_tokens: 100_000,
    max_total_tokens: 50_000,
    max_cost_cents: 50,
    max_tool_calls: 20,
    max_duration: 60_000,
    max_spawn_depth: 5,
    max_child_agents: 0,
  });
  expect(opened).toMatchObject({ started_at: "2026-11-22T12:00:00.000Z", expires_at: "2026-11-22T12:01:00.000Z" });
  const { session_id } = opened;
  expect(await world.open({ agent_id: "helper", parent_session_id: session_id })).toMatchObject({ session_id: null });
  expect((await world.report({ session_id, cost_usd: 0.5 })).verdict).toMatchObject({ decision: "deny" });
});

test("Open Astra, inheritance: a parent's and a child's tools come to file_read and shell_exec", async () => {
  const policy = {
    agents: [
      { id: "parent", tools: { allow: ["web_search", "file_read", "shell_exec"] } },
      { id: "child", tools: { allow: ["file_read", "file_write", "shell_exec"] } },
    ],
  };
  const world = await worldOf({ policy });
  const parent = await world.open({ agent_id: "parent" });
  const child = await world.open({ agent_id: "child", parent_session_id: parent.session_id });
  expect(child.tools).toEqual({ allow: ["file_read", "shell_exec"], deny: [] });
  expect(child.budget).toMatchObject({ max_spawn_depth: 4 });
});

test("Open Astra, dashboard: $42.17 by agent, by provider and by month, three months back from 7 March", async () => {
  const agents = { "research-agent": 18.5, "code-agent": 14.22, "support-agent": 9.45 };
  const start = Date.parse("2026-01-05T12:00:00Z");
  const world = await worldOf({ policy: { workspace: { id: "ws_abc123" }, hardCaps: WIDE }, start });
  // January 15.30, February 14.80, March 12.07; claude 28.90, openai 10.12, groq 3.15.
  const charges = [
    ["2026-01-05", "research-agent", "claude", 15.3],
    ["2026-02-01", "research-agent", "claude", 3.2],
    ["2026-02-14", "code-agent", "claude", 10.4],
    ["2026-02-28", "code-agent", "groq", 1.2],
    ["2026-03-01", "code-agent", "openai", 2.62],
    ["2026-03-07", "support-agent", "openai", 7.5],
    ["2026-03-07", "support-agent", "groq", 1.95],
  ] as const;
  for (const [day, agent_id, provider, cost_usd] of charges) {
    world.at(Date.parse(`${day}T12:00:00Z`));
    const { session_id } = await world.open({ agent_id, provider });
    await world.report({ session_id, cost_usd });
  }
  expect(await world.costs()).toMatchObject({
    workspace_id: "ws_abc123",
    start_date: "2026-01-01",
    end_date: "2026-03-31",
    total_cost_usd: 42.17,
    by_agent: agents,
    by_provider: { claude: 28.9, openai: 10.12, groq: 3.15 },
    by_month: [
      { month: "2026-01", cost_usd: 15.3 },
      { month: "2026-02", cost_usd: 14.8 },
      { month: "2026-03", cost_usd: 12.07 },
    ],
  });
  const february = await world.costs({ start_date: "2026-02-01", end_date: "2026-02-28" });
  expect(february).toMatchObject({ total_cost_usd: 14.8, start_date: "2026-02-01", end_date: "2026-02-28" });
});
