// Costs in the words of Open Astra's cost dashboard ("Cost dashboard", "Detailed breakdown"): camelCase, plain dollars.
import { z } from "zod";
import { inCamelCase } from "./privacy.ts";

const costs = z.record(z.string(), z.number());
const total = {
  totalCost: z.number().nullable(),
  byAgent: costs,
  byProvider: costs,
  byTool: costs,
  privacy: z.looseObject({}).optional(),
};
const months = z.array(z.object({ month: z.string(), cost: z.number() }));

const pace = z.object({ spent: z.number(), projected: z.number().nullable(), endsAt: z.string() });

export const costsOutput = z.looseObject({
  workspaceId: z.string(),
  ...total,
  byMonth: months,
  startDate: z.string(),
  endDate: z.string(),
  forecast: z
    .object({ day: pace, month: pace, caps: z.array(z.looseObject({ reachedAt: z.string().nullable() })) })
    .nullable(),
});

export const breakdownOutput = z.looseObject({
  meta: z.looseObject({
    workspaceId: z.string(),
    months: z.number(),
    startDate: z.string(),
    endDate: z.string(),
    generatedAt: z.string(),
  }),
  ...total,
  byMonth: months,
});

type Answer = Record<string, unknown>;

const totals = (answer: Answer) => ({
  totalCost: answer.total_cost_usd,
  byAgent: answer.by_agent,
  byProvider: answer.by_provider,
  byTool: answer.by_tool,
  byMonth: listOut(answer.by_month as Answer[]),
  ...(answer.privacy === undefined ? {} : { privacy: inCamelCase(answer.privacy) }),
});

/** Months or days. */
const listOut = (list: readonly Answer[]) => list.map(({ cost_usd: cost, ...named }) => ({ ...named, cost }));

const usage = (answer: Answer) => ({
  totalInputTokens: answer.total_input_tokens,
  totalOutputTokens: answer.total_output_tokens,
  totalCacheReadTokens: answer.total_cache_read_tokens,
  totalCacheWriteTokens: answer.total_cache_write_tokens,
  totalToolCalls: answer.total_tool_calls,
});

/** How much of the total is in doubt, and why. */
const doubts = (answer: Answer) => ({
  meteredCost: answer.metered_cost_usd,
  selfReportedCost: answer.self_reported_cost_usd,
  charges: answer.charges,
  unpricedCharges: answer.unpriced_charges,
  approximateCharges: answer.approximate_charges,
  lateCharges: answer.late_charges,
  unpricedModels: answer.unpriced_models,
  approximateModels: answer.approximate_models,
  lateAgents: answer.late_agents,
});

export function costsAnswer(answer: Answer): Answer {
  const { workspace_id: workspaceId, start_date: startDate, end_date: endDate } = answer;
  return { workspaceId, ...totals(answer), startDate, endDate, ...rest(answer) };
}

/** What both answers have besides: more breakdowns, tokens, doubts, the forecast, the tree of a session. */
function rest(answer: Answer): Answer {
  const tree = answer.tree === undefined ? {} : { tree: (answer.tree as Answer[]).map(nodeOut) };
  return {
    ...more(answer),
    ...usage(answer),
    ...doubts(answer),
    forecast: forecastOut((answer.forecast ?? null) as Forecast),
    ...tree,
  };
}

/** Breakdowns that were asked for: `by_model` as `byModel`. */
const more = (answer: Answer): Answer =>
  Object.fromEntries(
    Object.entries(answer).flatMap(([name, costs]) => {
      const dimension = /^by_(.+)$/.exec(name)?.[1];
      if (dimension === undefined) return [];
      const shown = Array.isArray(costs) ? listOut(costs as Answer[]) : costs;
      return [[`by${dimension.charAt(0).toUpperCase()}${dimension.slice(1)}`, shown]];
    }),
  );

const nodeOut = ({ session_id, agent_name: agentName, cost_usd: cost, tree_cost_usd: treeCost, ...node }: Answer) => ({
  ...(session_id === undefined ? {} : { sessionId: session_id }),
  agentName,
  ...node,
  cost,
  treeCost,
});

type Pace = { spent_usd: number; projected_usd: number | null; ends_at: string };
type Cap = { scope_id: string; limit_usd: number; spent_usd: number; reached_at: string | null };
type Forecast = { day: Pace; month: Pace; caps: Cap[] } | null;

function forecastOut(forecast: Forecast): Answer | null {
  if (forecast === null) return null;
  const paceOut = ({ spent_usd: spent, projected_usd, ends_at: endsAt }: Pace) => ({
    spent,
    projected: projected_usd,
    endsAt,
  });
  return {
    day: paceOut(forecast.day),
    month: paceOut(forecast.month),
    caps: forecast.caps.map(({ scope_id: scopeId, limit_usd: limit, spent_usd: spent, reached_at, ...rest }) => ({
      ...rest,
      scopeId,
      limit,
      spent,
      reachedAt: reached_at,
    })),
  };
}

/** `months` stays what was asked for (3 when nothing was), also beside a range, as the document shows it. */
export function breakdownAnswer(answer: Answer, input: Answer, nowMs: number): Answer {
  const { workspace_id: workspaceId, start_date: startDate, end_date: endDate } = answer;
  const generatedAt = new Date(nowMs).toISOString();
  return {
    meta: {
      workspaceId,
      months: input.months ?? 3,
      ...(input.days === undefined ? {} : { days: input.days }),
      startDate,
      endDate,
      generatedAt,
    },
    ...totals(answer),
    ...rest(answer),
  };
}
