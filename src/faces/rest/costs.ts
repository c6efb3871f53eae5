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

export const costsOutput = z.looseObject({
  workspaceId: z.string(),
  ...total,
  byMonth: months,
  startDate: z.string(),
  endDate: z.string(),
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
  byMonth: (answer.by_month as { month: string; cost_usd: number }[]).map(({ month, cost_usd: cost }) => ({
    month,
    cost,
  })),
  ...(answer.privacy === undefined ? {} : { privacy: inCamelCase(answer.privacy) }),
});

export function costsAnswer(answer: Answer): Answer {
  const { workspace_id: workspaceId, start_date: startDate, end_date: endDate } = answer;
  return { workspaceId, ...totals(answer), startDate, endDate };
}

/** `months` stays what was asked for (3 when nothing was), also beside a range, as the document shows it. */
export function breakdownAnswer(answer: Answer, input: Answer, nowMs: number): Answer {
  const { workspace_id: workspaceId, start_date: startDate, end_date: endDate } = answer;
  const generatedAt = new Date(nowMs).toISOString();
  return { meta: { workspaceId, months: input.months ?? 3, startDate, endDate, generatedAt }, ...totals(answer) };
}
