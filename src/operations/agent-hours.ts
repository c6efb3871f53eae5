// get_agent_hours: what one agent used and finished in each hour of a calendar day, week or month, empty hours included.
import { z } from "zod";
import { AstraError } from "../core/error.ts";
import { hoursOf } from "../core/hours.ts";
import { callerId } from "../core/id.ts";
import { usdFromNano } from "../core/money.ts";
import { type Window, windowAt } from "../core/window.ts";
import { type AgentHour, agentHours, hasSessions, NOTHING_USED } from "../ledger/execution-lists.ts";
import type { Work } from "../ledger/statement.ts";
import { period } from "./leaderboard.ts";
import { type Context, defineOperation } from "./operation.ts";
import { instantOut } from "./output.ts";

const input = z.strictObject({
  agent_id: callerId,
  period: period.default("day").describe("The calendar window around now, in the workspace's time zone."),
});

const output = z.looseObject({
  agent_id: z.string(),
  period: z.string(),
  starts_at: z.string(),
  ends_at: z.string(),
  totals: z.looseObject({}),
  hours: z.array(z.looseObject({})),
});

export const getAgentHours = defineOperation({
  name: "get_agent_hours",
  title: "Hours of an agent",
  description:
    "An agent's cost, tokens, tool calls and executions in each local hour of this calendar day, week or month, with the hours in which there was nothing. An hour that daylight saving repeats is one of two hours.",
  input,
  output,
  access: "viewer",
  effect: "read",
  run: (context, _principal, args) => context.ledger.read(() => hours(context, args)),
});

function* hours(context: Context, args: z.output<typeof input>): Work<z.input<typeof output>> {
  const { policy } = context;
  const { id: workspaceId, timezone } = policy.workspace;
  const isKnown = policy.agents.has(args.agent_id) || (yield* hasSessions(workspaceId, args.agent_id));
  // A misspelt id is a mistake, not zeros.
  if (!isKnown) throw new AstraError("not_found", "There is no such agent.", "The leaderboard shows the agents' ids.");
  const window = windowAt(args.period, context.now(), timezone);
  const all = hoursOf(window, timezone);
  const from = { key: all[0]?.key ?? "", ms: window.start };
  const to = { key: all.at(-1)?.key ?? "", ms: window.end };
  const known = yield* agentHours(workspaceId, args.agent_id, from, to);
  const used = all.map((hour) => known.get(hour.key) ?? NOTHING_USED);
  return {
    workspace_id: workspaceId,
    agent_id: args.agent_id,
    period: args.period,
    starts_at: instantOut(window.start),
    ends_at: instantOut(window.end),
    totals: usedOut(used.reduce(sumOf, NOTHING_USED)),
    hours: all.map((hour, i) => ({ ...hourOut(hour), ...usedOut(used[i] ?? NOTHING_USED) })),
  };
}

const hourOut = ({ key, start, end }: Window) => ({
  hour: key,
  starts_at: new Date(start).toISOString(),
  ends_at: new Date(end).toISOString(),
});

function usedOut(used: AgentHour) {
  return {
    cost_usd: usdFromNano(used.cost),
    tokens: Number(used.promptTokens + used.completionTokens),
    prompt_tokens: Number(used.promptTokens),
    completion_tokens: Number(used.completionTokens),
    tool_calls: Number(used.toolCalls),
    executions: Number(used.executions),
    successes: Number(used.successes),
  };
}

function sumOf(a: AgentHour, b: AgentHour): AgentHour {
  return {
    cost: a.cost + b.cost,
    promptTokens: a.promptTokens + b.promptTokens,
    completionTokens: a.completionTokens + b.completionTokens,
    toolCalls: a.toolCalls + b.toolCalls,
    executions: a.executions + b.executions,
    successes: a.successes + b.successes,
  };
}
