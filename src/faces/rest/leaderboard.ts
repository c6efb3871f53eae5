// The leaderboard in the words of Open Astra ("Leaderboard"): camelCase, plain dollars as its costs have them.
import { z } from "zod";
import type { Shape } from "./routes.ts";

const fraction = z.number().nullable();

const agent = z.looseObject({
  rank: z.number(),
  agentId: z.string(),
  cost: z.number(),
  tokens: z.number(),
  executions: z.number(),
  successRate: fraction,
  fitness: fraction,
});

export const leaderboardShape: Shape = {
  output: z.looseObject({
    workspaceId: z.string(),
    period: z.string(),
    sort: z.string(),
    startDate: z.string(),
    endDate: z.string(),
    agents: z.array(agent),
    agentsLeftOut: z.number(),
  }),
  of: (answer) => camelCased(answer) as Record<string, unknown>,
};

const used = { cost: z.number(), tokens: z.number(), toolCalls: z.number(), executions: z.number() };

export const hoursShape: Shape = {
  output: z.looseObject({
    workspaceId: z.string(),
    agentId: z.string(),
    period: z.string(),
    startsAt: z.string(),
    endsAt: z.string(),
    totals: z.looseObject(used),
    hours: z.array(z.looseObject({ hour: z.string(), startsAt: z.string(), endsAt: z.string(), ...used })),
  }),
  of: (answer) => camelCased(answer) as Record<string, unknown>,
};

/** Every key of an answer that has fields only, no mapping by somebody's ids. */
function camelCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCased);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [camelKey(key), camelCased(each)]));
}

const camelKey = (key: string): string =>
  key.replace(/_usd$/, "").replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
