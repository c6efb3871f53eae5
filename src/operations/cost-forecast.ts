// Where today's and this month's spend is going, and which cap it will meet first.
import type { Attribution } from "../core/balance-key.ts";
import { projected, reachedAt } from "../core/forecast.ts";
import type { Limit } from "../core/limits.ts";
import { type Nano, usdFromNano } from "../core/money.ts";
import { type Window, windowAt } from "../core/window.ts";
import { lastDayOf } from "../ledger/calendar.ts";
import { type CostFilter, costsBy, costTotals } from "../ledger/costs.ts";
import type { Work } from "../ledger/statement.ts";
import { type Context, hourAt } from "./operation.ts";
import { instantOut, usdOf } from "./output.ts";
import { limitsNow, standingOf } from "./standing.ts";

/** For the whole workspace, one agent or one team; null for any other question: no cap is about it. */
export function* forecastOf(context: Context, filter: CostFilter) {
  const { agentId, teamId } = filter;
  const others = [
    filter.taskId,
    filter.userId,
    filter.role,
    filter.provider,
    filter.model,
    filter.tool,
    filter.sessionId,
  ];
  if (others.some((other) => other !== null) || (agentId !== null && teamId !== null)) return null;
  const { policy } = context;
  const now = context.now();
  const { timezone } = policy.workspace;
  const day = windowAt("day", now, timezone);
  const month = windowAt("month", now, timezone);
  return {
    day: pace(yield* spentIn(filter, day.key, day.key), day, now),
    month: pace(yield* spentIn(filter, `${month.key}-01`, lastDayOf(day.key)), month, now),
    caps: (yield* capsOf(context, agentId, teamId, now)).map((limit) => cap(limit, timezone, now)),
  };
}

/** Of a team the sums by team are read: they answer sooner than a filter does. */
function* spentIn(filter: CostFilter, fromDay: string, toDay: string): Work<Nano> {
  const range = { ...filter, fromDay, toDay };
  if (filter.teamId === null) return (yield* costTotals(range)).cost_nano_usd;
  const teams = yield* costsBy("team", { ...range, teamId: null });
  return teams.find(({ key }) => key === filter.teamId)?.cost_nano_usd ?? 0n;
}

/** What was spent in a window, and what it will come to. */
export function pace(spent: Nano, window: Window, now: number) {
  return {
    spent_usd: usdFromNano(spent),
    projected_usd: usdOf(projected(spent, window, now)),
    ends_at: instantOut(window.end),
  };
}

/** Caps on a day's or month's cost that bear on the agent or team; of a workspace, its own and its teams'. */
function* capsOf(context: Context, agentId: string | null, teamId: string | null, now: number): Work<Limit[]> {
  const { policy } = context;
  const nobody = { workspaceId: policy.workspace.id, chain: [], taskId: null, hour: hourAt(context, now) };
  const team = agentId === null ? teamId : (policy.agents.get(agentId)?.team ?? null);
  const spends: Attribution[] = [{ ...nobody, agentId: agentId ?? "", teamId: team }];
  if (agentId === null && teamId === null)
    spends.push(...[...policy.teams.keys()].map((each) => ({ ...nobody, agentId: "", teamId: each })));
  const caps = new Map<string, Limit>();
  for (const spend of spends) {
    const standing = yield* standingOf(policy, spend, null, [], now);
    for (const limit of yield* limitsNow(policy, standing, now)) {
      const isCap = limit.measure === "cost_usd" && (limit.window === "day" || limit.window === "month");
      if (isCap) caps.set(`${limit.scope} ${limit.scopeId} ${limit.window}`, limit);
    }
  }
  return [...caps.values()];
}

function cap(limit: Limit, zone: string, now: number) {
  return {
    scope: limit.scope,
    scope_id: limit.scopeId,
    window: limit.window,
    limit_usd: usdFromNano(limit.limit),
    spent_usd: usdFromNano(limit.spent),
    reached_at: capReachedAt(limit, zone, now),
  };
}

/** When a cap on a day's or month's cost is met at the pace so far; null where it is not, and for every other limit. */
export function capReachedAt({ measure, window, spent, limit }: Limit, zone: string, now: number): string | null {
  if (measure !== "cost_usd" || (window !== "day" && window !== "month")) return null;
  const at = reachedAt(spent, limit, windowAt(window, now, zone), now);
  return at === null ? null : instantOut(at);
}
