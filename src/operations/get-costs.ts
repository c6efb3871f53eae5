// get_costs: what was spent, by agent, provider, month, tool and whatever else is asked for.
import { z } from "zod";
import { type Nano, usdFromNano } from "../core/money.ts";
import { DIMENSIONS, type Dimension, type Sums } from "../ledger/cost-shape.ts";
import { type CostFilter, type CostGroup, costsBy, costTotals } from "../ledger/costs.ts";
import type { Work } from "../ledger/statement.ts";
import { costFilterInput, filterOf, mustKnowTeam, mustSeeSession, whole } from "./cost-filter.ts";
import { forecastOf } from "./cost-forecast.ts";
import { NONE, OTHERS, shownName } from "./cost-names.ts";
import { newestSessions, treeOf } from "./cost-sessions.ts";
import { type Context, defineOperation, type Principal } from "./operation.ts";
import { usdOrNull } from "./output.ts";
import { costsByUser, costsOfUser, viewOf } from "./private-costs.ts";

const input = z.strictObject({
  ...costFilterInput,
  group_by: z
    .array(z.enum(DIMENSIONS, { error: `expected one of ${DIMENSIONS.join(", ")}` }))
    .max(DIMENSIONS.length)
    .default([])
    .describe('More breakdowns: ["model"] is answered as by_model.'),
  limit: whole("sessions", 0, 500).default(20).describe("Newest sessions to list."),
});

const output = z.looseObject({
  start_date: z.string(),
  end_date: z.string(),
  total_cost_usd: usdOrNull,
  total_input_tokens: z.number().nullable(),
  total_output_tokens: z.number().nullable(),
  by_agent: z.looseObject({}),
  by_provider: z.looseObject({}),
  by_month: z.array(z.looseObject({})),
  by_tool: z.looseObject({}),
  sessions: z.array(z.looseObject({})),
  sessions_left_out: z.number().nullable(),
});

type Input = z.output<typeof input>;
type Breakdown = Record<string, number> | Record<string, unknown>[];
type Always = Pick<z.input<typeof output>, "by_agent" | "by_provider" | "by_month" | "by_tool">;

export const getCosts = defineOperation({
  name: "get_costs",
  title: "Get costs",
  description:
    "What was spent: totals, by agent, provider, month and tool (llm is the model itself), and the newest sessions. Every breakdown sums to the total. Default: this calendar month and the two before.",
  input,
  output,
  access: "anyone",
  effect: "read",
  run: async (context, principal, args) => {
    const exact = (asked: Input) => context.ledger.read(() => costs(context, principal, asked));
    const filter = filterOf(context, principal, args);
    const view = viewOf(context, principal, { ...filter, groups: args.group_by });
    if (view === "exact") return await exact(args);
    if (filter.userId !== null) return await costsOfUser(context, { ...filter, userId: filter.userId });
    const others = args.group_by.filter((dimension) => dimension !== "user");
    return { ...(await exact({ ...args, group_by: others })), ...(await costsByUser(context, principal, filter)) };
  },
});

/** Breakdowns that are always there, as Open Astra's cost dashboard has them. */
const ALWAYS: readonly Dimension[] = ["agent", "provider", "month", "tool"];

function* costs(context: Context, principal: Principal, args: Input): Work<z.input<typeof output>> {
  const filter = filterOf(context, principal, args);
  yield* mustSeeSession(context, principal, filter);
  const totals = yield* costTotals(filter);
  mustKnowTeam(context, principal, filter, totals.charges);
  const breakdowns: Record<string, Breakdown> = {};
  for (const dimension of new Set([...ALWAYS, ...args.group_by])) {
    breakdowns[`by_${dimension}`] = breakdownOut(dimension, yield* costsBy(dimension, filter));
  }
  return {
    workspace_id: filter.workspaceId,
    start_date: filter.fromDay,
    end_date: filter.toDay,
    ...totalsOut(totals),
    ...(yield* doubtful(filter, totals)),
    ...(breakdowns as Always),
    forecast: yield* forecastOf(context, filter),
    ...(args.session_id === undefined ? {} : { tree: yield* treeOf(context, principal, args.session_id) }),
    ...(yield* newestSessions(context, principal, filter, args.limit)),
  };
}

function totalsOut(sums: Sums) {
  return {
    total_cost_usd: usdFromNano(sums.cost_nano_usd),
    // What a meter found out, and what nobody but the agents themselves says.
    metered_cost_usd: usdFromNano(sums.metered_nano_usd),
    self_reported_cost_usd: usdFromNano(sums.cost_nano_usd - sums.metered_nano_usd),
    total_input_tokens: Number(sums.input_tokens),
    total_output_tokens: Number(sums.output_tokens),
    total_cache_read_tokens: Number(sums.cache_read_tokens),
    total_cache_write_tokens: Number(sums.cache_write_tokens),
    total_tool_calls: Number(sums.tool_calls),
    charges: Number(sums.charges),
    unpriced_charges: Number(sums.unpriced),
    approximate_charges: Number(sums.approximate),
    late_charges: Number(sums.late),
  };
}

/** Which models' charges have no price or an approximate one (to add to `prices`), and whose reports came late. */
function* doubtful(filter: CostFilter, totals: Sums): Work<Record<string, string[]>> {
  const isPriced = totals.unpriced === 0n && totals.approximate === 0n;
  const models = isPriced ? [] : yield* costsBy("model", filter);
  const agents = totals.late === 0n ? [] : yield* costsBy("agent", filter);
  const named = (groups: readonly CostGroup[], of: "unpriced" | "approximate" | "late") =>
    groups
      .filter((group) => group[of] > 0n)
      .slice(0, MOST_KEYS)
      .map(({ key }) => key || NONE);
  return {
    unpriced_models: named(models, "unpriced"),
    approximate_models: named(models, "approximate"),
    late_agents: named(agents, "late"),
  };
}

/** Names of one breakdown: an agent may make up as many tools as it likes. */
const MOST_KEYS = 500;

/** Dollars per key, of the dearest and of all others together; months and days as a list in calendar order, as Open Astra's `byMonth`. */
function breakdownOut(dimension: Dimension, groups: readonly CostGroup[]): Breakdown {
  if (dimension === "month" || dimension === "day") {
    const ordered = [...groups].sort((a, b) => (a.key < b.key ? -1 : 1));
    return ordered.map((group) => ({ [dimension]: group.key, cost_usd: usdFromNano(group.cost_nano_usd) }));
  }
  // A tool may be called "llm" too: then both are told together, and the breakdown still sums to the total.
  const costs = new Map<string, Nano>();
  for (const [i, { key, cost_nano_usd }] of groups.entries()) {
    const name = i < MOST_KEYS ? shownName(dimension, key) : OTHERS;
    costs.set(name, (costs.get(name) ?? 0n) + cost_nano_usd);
  }
  return Object.fromEntries([...costs].map(([key, cost]) => [key, usdFromNano(cost)]));
}
