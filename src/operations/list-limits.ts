// list_limits: every limit over many sessions with what stands against it now, for dashboards and metrics.
import { z } from "zod";
import type { Attribution } from "../core/balance-key.ts";
import { type Limit, lookup } from "../core/limits.ts";
import { readBalances } from "../ledger/balances.ts";
import type { Work } from "../ledger/statement.ts";
import { type Context, defineOperation, hourAt } from "./operation.ts";
import { limitOut } from "./output.ts";
import { limitsOf, standingOf } from "./standing.ts";

export const listLimits = defineOperation({
  name: "list_limits",
  title: "List limits",
  description: "The workspace's, teams', agents' and astra.yml's tasks' limits, each with what is spent and held now.",
  input: z.strictObject({}),
  output: z.looseObject({ limits: z.array(z.looseObject({})) }),
  access: "viewer",
  effect: "read",
  run: (context) =>
    context.ledger.read(function* () {
      const limits = yield* everyLimit(context);
      return { limits: limits.map(limitOut) };
    }),
});

function* everyLimit(context: Context): Work<Limit[]> {
  const { policy } = context;
  const now = context.now();
  const nobody: Attribution = {
    workspaceId: policy.workspace.id,
    chain: [],
    agentId: "",
    teamId: null,
    taskId: null,
    hour: hourAt(context, now),
  };
  const spends: Attribution[] = [
    nobody,
    ...[...policy.teams.keys()].map((teamId) => ({ ...nobody, teamId })),
    ...[...policy.agents.keys()].map((agentId) => ({ ...nobody, agentId })),
    ...[...policy.tasks.values()].map((task) => ({ ...nobody, taskId: task.id, teamId: task.team })),
  ];
  const limits = new Map<string, Limit>();
  for (const spend of spends) {
    const standing = yield* standingOf(policy, spend, null, [], now);
    const balanceOf = lookup(yield* readBalances(spend.workspaceId, standing.keys));
    for (const limit of limitsOf(policy, standing, balanceOf, now)) {
      limits.set(`${limit.scope} ${limit.scopeId} ${limit.window} ${limit.measure}`, limit);
    }
  }
  return [...limits.values()];
}
