// One scenario, written once: open → check and hold → report → check → end → costs, through every client there is.
import { describe, expect, test } from "vitest";
import { type Agent, type Connect, legacy, modern, old, type ToolResult } from "./clients.ts";
import { newRoom } from "./room.ts";
import { legacyOverHttp, modernOverHttp, oldOverHttp, oldOverSse, rest } from "./served-clients.ts";

const POLICY = `
workspace: { id: acme, dailyCostLimitUsd: 5 }
teams: [{ id: research, dailyCostLimitUsd: 2, taskCostLimitUsd: 1 }]
agents:
  - id: ada
    team: research
    provider: anthropic
    dailyCostLimitUsd: 1
    budget: { maxCostCents: 50, maxToolCalls: 20 }
`;

type Verdict = { decision: string; message: string; limits: Record<string, unknown>[] };
const verdictOf = (result: ToolResult): Verdict => result.data.verdict as Verdict;

/** What every client must see, step by step; answers the session's id. */
async function scenario(agent: Agent): Promise<string> {
  await agent.tools(); // from here on the client holds every answer against the schema the server gave
  const call = async (name: string, args: Record<string, unknown>) => {
    const result = await agent.call(name, args);
    expect(result.isError, result.text || JSON.stringify(result.data)).toBe(false);
    if (agent.protocol === "REST") return result;
    const [headline, json, ...more] = result.text.split("\n");
    expect(more).toEqual([]);
    const { verdict, ...rest } = result.data as { verdict?: Verdict };
    expect(headline).toMatch(verdict ? /^(allow|warn|deny): / : /^(Session ended|Get costs): /);
    if (verdict) expect(headline).toBe(`${verdict.decision}: ${verdict.message}`);
    expect(JSON.parse(json ?? "")).toEqual(rest);
    return result;
  };

  const opened = await call("open_session", { agent_id: "ada", task_id: 594, idempotency_key: "open-1" });
  expect(opened.data).toMatchObject({ status: "open", agent_id: "ada", team_id: "research", task_id: "594", depth: 0 });
  expect(opened.data.budget).toMatchObject({ max_cost_cents: 50, max_tool_calls: 20, max_total_tokens: 600_000 });
  const session_id = opened.data.session_id as string;
  expect(session_id).toMatch(/^ses_[0-9a-z]{30}$/);
  const again = await call("open_session", { agent_id: "ada", task_id: 594, idempotency_key: "open-1" });
  expect(again.data.session_id).toBe(session_id);

  const held = await call("check_budget", { session_id, estimate: { cost_usd: 0.3, tool_calls: 1 }, hold: true });
  expect(verdictOf(held).decision).toBe("allow");
  expect(held.data).toMatchObject({ daily_limit_usd: 1, daily_spent_usd: 0, task_limit_usd: 1, over_budget: false });
  const hold_id = held.data.hold_id as string;
  expect(hold_id).toMatch(/^hld_/);
  const tooMuch = await call("check_budget", { session_id, estimate: { cost_usd: 0.3 }, hold: true });
  expect(tooMuch.data.hold_id).toBeNull();
  expect(verdictOf(tooMuch).decision).toBe("deny");
  expect(verdictOf(tooMuch).message).toBe(
    "Denied: $0.30 asked, $0.20 of $0.50 left (session). Ask for less, or finish with what is left. It does not reset.",
  );

  const usage = { session_id, input_tokens: 1200, output_tokens: 300, cost_usd: 0.1 + 0.2, tool: "web_search" };
  const reported = await call("report_usage", { ...usage, hold_id, idempotency_key: "step-1" });
  expect(reported.data).toMatchObject({
    recorded: true,
    duplicate: false,
    late: false,
    cost_usd: 0.3,
    hold: "settled",
  });
  const repeated = await call("report_usage", { ...usage, hold_id, idempotency_key: "step-1" });
  expect(repeated.data).toMatchObject({ duplicate: true, charge_id: reported.data.charge_id });
  const broke = await call("report_usage", { session_id, input_tokens: 10, output_tokens: 10, cost_usd: 0.25 });
  expect(broke.data).toMatchObject({ recorded: true, over_budget: true });
  expect(verdictOf(broke).decision).toBe("deny");

  const checked = await call("check_budget", { session_id });
  expect(checked.data).toMatchObject({
    daily_spent_usd: 0.55,
    daily_remaining_usd: 0.45,
    task_spent_usd: 0.55,
    task_remaining_usd: 0.45,
    over_budget: true,
  });
  expect(verdictOf(checked).limits).toContainEqual(
    expect.objectContaining({ scope: "session", measure: "cost_usd", limit: 0.5, spent: 0.55, overspend: 0.05 }),
  );

  const ended = await call("end_session", { session_id });
  expect(ended.data).toMatchObject({ status: "success", already_ended: false, ended_children: 0 });
  expect(ended.data.totals).toMatchObject({ cost_usd: 0.55, tree_cost_usd: 0.55, input_tokens: 1210, tool_calls: 1 });
  expect((await call("end_session", { session_id })).data).toMatchObject({
    already_ended: true,
    totals: ended.data.totals,
  });

  const costs = await call("get_costs", { group_by: ["team"] });
  expect(costs.data).toMatchObject(COSTS);
  return session_id;
}

const COSTS = {
  total_cost_usd: 0.55,
  total_input_tokens: 1210,
  total_output_tokens: 310,
  total_tool_calls: 1,
  charges: 2,
  by_agent: { ada: 0.55 },
  by_provider: { anthropic: 0.55 },
  by_tool: { llm: 0.25, web_search: 0.3 },
  by_team: { research: 0.55 },
  sessions_left_out: 0,
};

const clients: Record<string, [Connect, string]> = {
  "the current client, pinned to 2026-07-28": [modern, "2026-07-28"],
  "the current client in the handshake of 2025": [legacy, "2025-11-25"],
  "the SDK of the 2025 era": [old(), "2025-11-25"],
  "a client of June 2025": [old("2025-06-18"), "2025-06-18"],
  "a client of March 2025": [old("2025-03-26"), "2025-03-26"],
  "a client of 2024": [old("2024-11-05"), "2024-11-05"],
  "the current client over /mcp, pinned to 2026-07-28": [modernOverHttp, "2026-07-28"],
  "the current client over /mcp in the handshake of 2025": [legacyOverHttp, "2025-11-25"],
  "the SDK of the 2025 era over /mcp": [oldOverHttp, "2025-11-25"],
  "the SDK of the 2025 era over /sse": [oldOverSse, "2025-11-25"],
  "a program over REST": [rest, "REST"],
};

describe.each(Object.entries(clients))("%s", (_, [connect, protocol]) => {
  test("opens, checks, holds, reports, ends and reads its costs, and the operator sees the same", async () => {
    const room = newRoom(POLICY);
    const agent = await connect(room);
    expect(agent.protocol).toBe(protocol);
    const session_id = await scenario(agent);

    const seen = await room.json(["costs", "--by", "team"]);
    expect(seen).toMatchObject(COSTS);
    expect(seen.sessions).toEqual([expect.objectContaining({ session_id, agent_name: "ada", cost_usd: 0.55 })]);
    if (connect !== modern) return;
    expect(await room.json(["check", "--agent", "ada", "--task", "594"])).toMatchObject({
      daily_spent_usd: 0.55,
      daily_remaining_usd: 0.45,
      task_remaining_usd: 0.45,
    });
    expect(await room.json(["end", "--session", session_id])).toMatchObject({
      already_ended: true,
      status: "success",
      totals: { cost_usd: 0.55 },
    });
    expect(await room.json(["ledger", "verify"])).toMatchObject({ ok: true, charges: 2, open_holds: 0 });
  });
});

test("two clients of different eras share one ledger at the same time", async () => {
  const room = newRoom(POLICY);
  const [first, second] = await Promise.all([modern(room), old()(room)]);
  const parent = await first.call("open_session", { agent_id: "lead" });
  const child = await second.call("open_session", { agent_id: "ada", parent_session_id: parent.data.session_id });
  await second.call("report_usage", {
    session_id: child.data.session_id,
    input_tokens: 1,
    output_tokens: 1,
    cost_usd: 0.4,
  });
  const seen = await first.call("end_session", { session_id: parent.data.session_id });
  expect(seen.data).toMatchObject({ ended_children: 1, totals: { cost_usd: 0, tree_cost_usd: 0.4 } });
  const late = await second.call("report_usage", {
    session_id: child.data.session_id,
    input_tokens: 1,
    output_tokens: 0,
  });
  expect(late.data).toMatchObject({ recorded: true, late: true });
});
