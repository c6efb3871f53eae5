// Guidelines: a task or team past its usual cost is warned, past its red flag it is found.
import { type Attribution, dayOf } from "./balance-key.ts";
import { type Finding, rangeText } from "./incident.ts";
import type { BalanceLookup } from "./limits.ts";
import { formatUsd, type Nano, usdFromNano } from "./money.ts";
import type { Notice } from "./verdict.ts";
import { type Guideline, plainType, type WatchPolicy } from "./watch-policy.ts";

/** What is spent on a task in all, or by a team today, beside what such things usually cost. */
export type GuidedCost = {
  readonly kind: "task_red_flag" | "team_day_red_flag";
  readonly scope: "task" | "team";
  readonly scopeId: string;
  readonly window: "total" | "day";
  readonly windowKey: string;
  readonly spent: Nano;
  readonly usual: Guideline;
};

type Guided = Pick<Attribution, "taskId" | "teamId" | "hour">;

/** What of a spend has a guideline. */
export function guidedCosts(
  policy: WatchPolicy,
  spend: Guided,
  taskType: string | null,
  balanceOf: BalanceLookup,
): GuidedCost[] {
  const { taskId, teamId, hour } = spend;
  const { taskTypes, teamDay } = policy.guidelines;
  const found: GuidedCost[] = [];
  const ofTask = taskType === null ? undefined : taskTypes.get(plainType(taskType));
  if (taskId !== null && ofTask) {
    const key = { scope: "task", scopeId: taskId, window: "total", windowKey: "" } as const;
    found.push({ kind: "task_red_flag", ...key, spent: balanceOf(key).spent.cost, usual: ofTask });
  }
  if (teamId !== null && teamDay) {
    const key = { scope: "team", scopeId: teamId, window: "day", windowKey: dayOf(hour) } as const;
    found.push({ kind: "team_day_red_flag", ...key, spent: balanceOf(key).spent.cost, usual: teamDay });
  }
  return found;
}

/**
 * What the verdict warns of: more than usual was spent. A team that has a daily limit of its own is warned by that,
 * not by what teams usually cost.
 */
export function guidelineNotices(costs: readonly GuidedCost[], teamDaily: Nano | null): Notice[] {
  return costs
    .filter(({ scope, spent, usual }) => spent > usual.to && (scope === "task" || teamDaily === null))
    .map((each) => ({
      kind: "guideline",
      scope: each.scope,
      scopeId: each.scopeId,
      window: each.window,
      measure: "cost_usd",
      text: `${sentence(each)} ${each.spent > each.usual.redFlag ? "Tell a human before you go on." : "Finish soon, or tell a human why it costs more."}`,
    }));
}

/** What is past its red flag. */
export function redFlags(policy: WatchPolicy, costs: readonly GuidedCost[]): Finding[] {
  return costs
    .filter(({ kind, spent, usual }) => policy.incidents[kind].enabled && spent > usual.redFlag)
    .map((each) => ({
      kind: each.kind,
      scope: each.scope,
      scopeId: each.scopeId,
      windowKey: each.windowKey,
      evidence: {
        guideline: each.usual.name,
        spent_usd: usdFromNano(each.spent),
        usual_from_usd: usdFromNano(each.usual.from),
        usual_to_usd: usdFromNano(each.usual.to),
        red_flag_usd: usdFromNano(each.usual.redFlag),
      },
      message: sentence(each),
      // The guideline's own notice says it, in this answer and in later ones.
      advice: null,
    }));
}

/** "Task 594 cost $5.20, past the red flag of $5.00 (bugfix, usually $0.50 to $3.00)." */
function sentence({ scope, scopeId, spent, usual }: GuidedCost): string {
  const what = scope === "task" ? `Task ${scopeId} cost` : `Team ${scopeId} spent`;
  const when = scope === "task" ? "" : " today";
  const range = rangeText(usual.from, usual.to);
  if (spent > usual.redFlag)
    return `${what} ${formatUsd(spent)}${when}, past the red flag of ${formatUsd(usual.redFlag)} (${usual.name}, usually ${range}).`;
  return `${what} ${formatUsd(spent)}${when}, more than usual (${usual.name}, ${range}).`;
}
