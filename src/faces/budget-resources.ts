// What can be read beside the tools: live budgets, the policy, costs and ledgers, each one operation's answer.
import { checkBudget } from "../operations/check-budget.ts";
import { getCosts } from "../operations/get-costs.ts";
import { getPolicy } from "../operations/get-policy.ts";
import { listIncidents } from "../operations/incidents.ts";
import { leaderboard } from "../operations/leaderboard.ts";
import { type Context, invoke, type Principal } from "../operations/operation.ts";
import { getRoleLedger } from "../operations/role-ledger.ts";

type Answer = Record<string, unknown>;

export type BudgetResource = {
  read(context: Context, principal: Principal): Promise<Answer>;
  /** What of an answer is its state: subscribers hear when this text changes, and not of every charge. */
  state(answer: Answer): string;
  /** A change of it is looked for no more often than this. */
  readonly paceMs: number;
};

export const POLICY_URI = "budget://policy";
export const MONTH_URI = "budget://costs/month";
export const LEADERBOARD_URI = "budget://leaderboard/{period}";
export const ROLES_URI = "budget://ledgers/roles";
export const INCIDENTS_URI = "budget://incidents";
export const SESSION_URI = "budget://sessions/{session_id}";

const policy: BudgetResource = {
  read: (context, principal) => invoke(getPolicy, context, principal, {}),
  state: (answer) => JSON.stringify(answer),
  paceMs: 1_000,
};

const month: BudgetResource = {
  read: (context, principal) => invoke(getCosts, context, principal, { months: 1 }),
  state: (answer) => String(answer.total_cost_usd),
  paceMs: 1_000,
};

const incidents: BudgetResource = {
  read: (context, principal) => invoke(listIncidents, context, principal, { state: "open" }),
  state: (answer) => JSON.stringify((answer.incidents as Answer[]).map((each) => each.incident_id)),
  paceMs: 1_000,
};

const session = (sessionId: string): BudgetResource => ({
  read: (context, principal) => invoke(checkBudget, context, principal, { session_id: sessionId }),
  state: (answer) => budgetState(answer.verdict as Verdict),
  paceMs: 0,
});

const ranking = (period: string): BudgetResource => ({
  read: (context, principal) => invoke(leaderboard, context, principal, { period }),
  state: (answer) => JSON.stringify(answer.agents),
  paceMs: 1_000,
});

/** Reads every session there ever was: not for every charge. */
const roles: BudgetResource = {
  read: (context, principal) => invoke(getRoleLedger, context, principal, {}),
  state: (answer) => JSON.stringify(answer),
  paceMs: 60_000,
};

/** The resource a URI names, null if it can name none. Whether a session is there, and the caller's, its read says. */
export function resourceAt(uri: string): BudgetResource | null {
  if (uri === POLICY_URI) return policy;
  if (uri === MONTH_URI) return month;
  if (uri === ROLES_URI) return roles;
  const period = /^budget:\/\/leaderboard\/([^/?#]+)$/.exec(uri)?.[1];
  if (period !== undefined) return ranking(period);
  if (uri === INCIDENTS_URI) return incidents;
  const sessionId = /^budget:\/\/sessions\/([^/?#]+)$/.exec(uri)?.[1];
  return sessionId === undefined ? null : session(sessionId);
}

type Verdict = {
  readonly decision: string;
  readonly binding: unknown;
  readonly limits: readonly Record<string, unknown>[];
};

/** An allow is bound by nothing: the limit nearest to its end would change with many a charge. */
function budgetState({ decision, binding, limits }: Verdict): string {
  const amounts = limits.map(({ scope, scope_id, window, measure, limit }) => [
    scope,
    scope_id,
    window,
    measure,
    limit,
  ]);
  return JSON.stringify([decision, decision === "allow" ? null : binding, amounts]);
}
