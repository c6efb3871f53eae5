// A team as it is now: what astra.yml says of it, with the limits that operators set at run time.
import type { Policy, TeamPolicy } from "../core/policy.ts";
import type { Work } from "../ledger/statement.ts";
import { findTeamLimits } from "../ledger/team-limits.ts";

/** Null for no team, and for one that astra.yml does not list: nothing limits it. */
export function* teamInForce(policy: Policy, id: string | null): Work<TeamPolicy | null> {
  const listed = id === null ? undefined : policy.teams.get(id);
  if (!listed) return null;
  const { daily_cost: daily, task_cost: task } = yield* findTeamLimits(policy.workspace.id, listed.id);
  return {
    id: listed.id,
    dailyCostLimit: daily === undefined ? listed.dailyCostLimit : daily,
    taskCostLimit: task === undefined ? listed.taskCostLimit : task,
  };
}
