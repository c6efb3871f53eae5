// list_limits: every limit over many sessions with what stands against it now, for dashboards and metrics.
import { z } from "zod";
import { type Attribution, type BalanceKey, sortKeys } from "../core/balance-key.ts";
import { type BalanceLookup, type Limit, lookupAmongMany } from "../core/limits.ts";
import { usdFromNano } from "../core/money.ts";
import type { Policy } from "../core/policy.ts";
import type { Balance } from "../core/usage.ts";
import { readManyBalances } from "../ledger/balances.ts";
import type { Work } from "../ledger/statement.ts";
import { type Context, defineOperation, hourAt } from "./operation.ts";
import { limitOut } from "./output.ts";
import { limitsOf, type Standing, standingOf } from "./standing.ts";

export const listLimits = defineOperation({
  name: "list_limits",
  title: "List limits",
  description:
    "The workspace's, teams', agents' and astra.yml's tasks' limits, each with what is spent and held now; where none is set, limit is null.",
  input: z.strictObject({}),
  output: z.looseObject({ limits: z.array(z.looseObject({})) }),
  access: "viewer",
  effect: "read",
  run: (context) =>
    context.ledger.read(function* () {
      return { limits: yield* everyLine(context) };
    }),
});

type Line = Record<string, unknown>;

/** One line a limit, and one with a null limit where money is spent in a day or month without any. */
function* everyLine(context: Context): Work<Line[]> {
  const now = context.now();
  const standings = yield* sharedStandings(context, now);
  const keys = sortKeys(standings.flatMap((standing) => standing.keys));
  const balanceOf = lookupAmongMany(yield* readManyBalances(context.policy.workspace.id, keys));
  const limits = everyLimit(context.policy, standings, balanceOf, now);
  const lines = new Map(limits.map((limit) => [nameOf(limit), limitOut(limit) as Line]));
  for (const key of keys) {
    const isMoney = key.window === "day" || key.window === "month";
    const name = nameOf({ ...key, measure: "cost_usd" });
    if (isMoney && key.scopeId !== "" && !lines.has(name)) lines.set(name, unlimited(key, balanceOf(key)));
  }
  return [...lines.values()];
}

/** The standing of everything that has limits over many sessions. */
export function* sharedStandings(context: Context, now: number): Work<Standing[]> {
  const standings: Standing[] = [];
  for (const spend of spendsOf(context.policy, hourAt(context, now)))
    standings.push(yield* standingOf(context.policy, spend, null, [], now));
  return standings;
}

/** Every limit over them, once. */
export function everyLimit(
  policy: Policy,
  standings: readonly Standing[],
  balanceOf: BalanceLookup,
  now: number,
): Limit[] {
  const limits = standings.flatMap((standing) => limitsOf(policy, standing, balanceOf, now));
  return [...new Map(limits.map((limit) => [nameOf(limit), limit])).values()];
}

const nameOf = (of: Pick<Limit, "scope" | "scopeId" | "window" | "measure">): string =>
  `${of.scope} ${of.scopeId} ${of.window} ${of.measure}`;

function unlimited({ scope, scopeId, window }: BalanceKey, { spent, held }: Balance): Line {
  return {
    scope,
    scope_id: scopeId,
    window,
    measure: "cost_usd",
    limit: null,
    spent: usdFromNano(spent.cost),
    held: usdFromNano(held.cost),
    remaining: null,
    overspend: 0,
  };
}

/** Everything that limits may bear on: the workspace, each team, each agent, and each task of astra.yml. */
function spendsOf(policy: Policy, hour: string): Attribution[] {
  const nobody = { workspaceId: policy.workspace.id, chain: [], agentId: "", teamId: null, taskId: null, hour };
  return [
    nobody,
    ...[...policy.teams.keys()].map((teamId) => ({ ...nobody, teamId })),
    ...[...policy.agents.keys()].map((agentId) => ({ ...nobody, agentId })),
    ...[...policy.tasks.values()].map((task) => ({ ...nobody, taskId: task.id, teamId: task.team })),
  ];
}
