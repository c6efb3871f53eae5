// list_limits: every limit over many sessions with what stands against it now, for dashboards and metrics.
import { z } from "zod";
import type { Attribution, BalanceKey } from "../core/balance-key.ts";
import { type Limit, lookup } from "../core/limits.ts";
import { usdFromNano } from "../core/money.ts";
import type { Policy } from "../core/policy.ts";
import type { Balance } from "../core/usage.ts";
import { readBalances } from "../ledger/balances.ts";
import type { Work } from "../ledger/statement.ts";
import { type Context, defineOperation, hourAt } from "./operation.ts";
import { limitOut } from "./output.ts";
import { limitsOf, standingOf } from "./standing.ts";

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
  const { policy } = context;
  const now = context.now();
  const lines = new Map<string, Line>();
  for (const spend of spendsOf(policy, hourAt(context, now))) {
    const standing = yield* standingOf(policy, spend, null, [], now);
    const balanceOf = lookup(yield* readBalances(spend.workspaceId, standing.keys));
    for (const limit of limitsOf(policy, standing, balanceOf, now)) lines.set(nameOf(limit), limitOut(limit));
    for (const key of standing.keys) {
      const isMoney = key.window === "day" || key.window === "month";
      const name = nameOf({ ...key, measure: "cost_usd" });
      if (isMoney && key.scopeId !== "" && !lines.has(name)) lines.set(name, unlimited(key, balanceOf(key)));
    }
  }
  return [...lines.values()];
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
