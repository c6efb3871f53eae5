// The REST face's routes: each one way to call an operation. Names in braces fill the argument of that name.
import type { z } from "zod";
import { getAgentHours } from "../../operations/agent-hours.ts";
import { listAudit, verifyAudit } from "../../operations/audit.ts";
import { checkBudget } from "../../operations/check-budget.ts";
import { correctCharge } from "../../operations/correct.ts";
import { getCostSeries } from "../../operations/cost-series.ts";
import { endSession } from "../../operations/end-session.ts";
import { getCosts } from "../../operations/get-costs.ts";
import { getNow } from "../../operations/get-now.ts";
import { getPolicy } from "../../operations/get-policy.ts";
import { grant, listGrants, revokeGrant } from "../../operations/grants.ts";
import { acknowledgeIncident, getIncident, listIncidents } from "../../operations/incidents.ts";
import { createKey, listKeys, revokeKey } from "../../operations/keys.ts";
import { leaderboard } from "../../operations/leaderboard.ts";
import { listCharges } from "../../operations/list-charges.ts";
import { listExecutions } from "../../operations/list-executions.ts";
import { listLimits } from "../../operations/list-limits.ts";
import { listSessions } from "../../operations/list-sessions.ts";
import { openSession } from "../../operations/open-session.ts";
import type { Operation } from "../../operations/operation.ts";
import { getPrivacyBudget, resetPrivacyBudget } from "../../operations/privacy-budget.ts";
import { pruneCharges, vacuumLedger } from "../../operations/prune.ts";
import { recost } from "../../operations/recost.ts";
import { reportUsage } from "../../operations/report-usage.ts";
import { getRoleLedger } from "../../operations/role-ledger.ts";
import { listStops, resume, stop } from "../../operations/stop.ts";
import { addTask, listTasks, updateTask } from "../../operations/tasks.ts";
import { getTeam, setTeamLimits } from "../../operations/teams.ts";
import { getUserRoleLedger } from "../../operations/user-role-ledger.ts";
import { listDeliveries, redeliver } from "../../operations/webhooks.ts";
import { breakdownAnswer, breakdownOutput, costsAnswer, costsOutput } from "./costs.ts";
import { hoursShape, leaderboardShape } from "./leaderboard.ts";
import { dpBudgetOutput, dpUserOutput, inCamelCase } from "./privacy.ts";

/** What an answer looks like where it is not the operation's own. */
export type Shape = {
  readonly output: z.ZodType;
  of(answer: Record<string, unknown>, input: Record<string, unknown>, nowMs: number): Record<string, unknown>;
};

export type Route = {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly operation: Operation;
  /** Query parameters and the arguments they fill; GET and DELETE take all others of the operation by their names. */
  readonly query?: Readonly<Record<string, string>>;
  /** Arguments the route leaves out. */
  readonly without?: readonly string[];
  /** Arguments with another default than the operation's, unless one of those named is given. */
  readonly usual?: { readonly args: Readonly<Record<string, unknown>>; readonly unless: readonly string[] };
  /** Was something asked for and not given? Absent: an answer is an answer, whatever its verdict says. */
  isRefused?(answer: Record<string, unknown>, args: Record<string, unknown>): boolean;
  /** The status of success; 200 when absent. */
  readonly status?: 201;
  readonly shape?: Shape;
};

function route<Input extends z.ZodType, Output extends z.ZodType>(
  line: `${Route["method"]} ${string}`,
  operation: Operation<Input, Output>,
  rest: Omit<Route, "method" | "path" | "operation"> = {},
): Route {
  const [method, path] = line.split(" ") as [Route["method"], string];
  return { method, path, operation: operation as unknown as Operation, ...rest };
}

const camel = {
  months: "months",
  days: "days",
  startDate: "start_date",
  endDate: "end_date",
  agentId: "agent_id",
  teamId: "team_id",
  taskId: "task_id",
  userId: "user_id",
  role: "role",
  provider: "provider",
  model: "model",
  tool: "tool",
  sessionId: "session_id",
  groupBy: "group_by",
};

/** Under /api/v1 the Cost Control guide's routes and our own, at the root Open Astra's in its camelCase. */
export const routes: readonly Route[] = [
  route("POST /api/v1/agents/{agent_id}/sessions", openSession, {
    status: 201,
    isRefused: (answer) => answer.status === "refused",
  }),
  route("GET /api/v1/agents/{agent_id}/sessions", listSessions),
  route("GET /api/v1/agents/{agent_id}/budget", checkBudget, {
    query: { task_id: "task_id", session_id: "session_id" },
  }),
  route("GET /api/v1/sessions", listSessions),
  route("POST /api/v1/sessions/{session_id}/usage", reportUsage),
  route("POST /api/v1/sessions/{session_id}/check", checkBudget, {
    without: ["agent_id", "task_id"],
    isRefused: (answer, args) => args.hold === true && answer.hold_id === null,
  }),
  route("POST /api/v1/sessions/{session_id}/end", endSession),
  route("GET /api/v1/settings/teams/{team_id}", getTeam),
  route("PATCH /api/v1/settings/teams/{team_id}", setTeamLimits),
  route("POST /api/v1/teams/{team_id}/tasks", addTask, { status: 201 }),
  route("GET /api/v1/teams/{team_id}/tasks", listTasks),
  route("PATCH /api/v1/teams/{team_id}/tasks/{task_id}", updateTask),
  route("GET /api/v1/teams/{team_id}/costs", getCosts, {
    usual: { args: { days: 7 }, unless: ["months", "start_date", "end_date"] },
  }),
  route("GET /api/v1/tasks", listTasks),
  route("POST /api/v1/stops", stop, { status: 201 }),
  route("GET /api/v1/stops", listStops),
  route("DELETE /api/v1/stops/{stop_id}", resume, { query: { reason: "reason" } }),
  route("POST /api/v1/grants", grant, { status: 201 }),
  route("GET /api/v1/grants", listGrants),
  route("DELETE /api/v1/grants/{grant_id}", revokeGrant),
  route("POST /api/v1/keys", createKey, { status: 201 }),
  route("GET /api/v1/keys", listKeys),
  route("DELETE /api/v1/keys/{key_id}", revokeKey),
  route("GET /api/v1/audit", listAudit),
  route("GET /api/v1/audit/verify", verifyAudit),
  route("POST /api/v1/charges/{charge_id}/corrections", correctCharge, { status: 201 }),
  route("POST /api/v1/recost", recost),
  route("POST /api/v1/ledger/prune", pruneCharges),
  route("POST /api/v1/ledger/vacuum", vacuumLedger),
  route("GET /api/v1/now", getNow),
  route("GET /api/v1/policy", getPolicy),
  route("GET /api/v1/limits", listLimits),
  route("GET /api/v1/ledgers/executions", listExecutions),
  route("GET /api/v1/ledgers/roles", getRoleLedger),
  route("GET /api/v1/ledgers/user-roles", getUserRoleLedger),
  route("GET /leaderboard", leaderboard, { shape: leaderboardShape }),
  route("GET /leaderboard/{agent_id}", getAgentHours, { shape: hoursShape }),
  route("GET /api/v1/incidents", listIncidents),
  route("GET /api/v1/incidents/{incident_id}", getIncident),
  route("PATCH /api/v1/incidents/{incident_id}", acknowledgeIncident),
  route("GET /api/v1/webhooks/deliveries", listDeliveries),
  route("POST /api/v1/webhooks/deliveries/{delivery_id}/redeliver", redeliver),
  route("GET /api/v1/charges", listCharges),
  route("GET /api/v1/costs/series", getCostSeries),
  route("GET /costs", getCosts, { query: camel, shape: { output: costsOutput, of: costsAnswer } }),
  route("GET /costs/breakdown", getCosts, {
    query: camel,
    shape: { output: breakdownOutput, of: breakdownAnswer },
  }),
  route("GET /security/dp-budget", getPrivacyBudget, { shape: { output: dpBudgetOutput, of: inCamelCase } }),
  route("POST /security/dp-budget/reset", resetPrivacyBudget, { shape: { output: dpUserOutput, of: inCamelCase } }),
];
