// The terminal's commands that rank agents and show the ledgers of what they did.
import { getAgentHours } from "../operations/agent-hours.ts";
import { leaderboard } from "../operations/leaderboard.ts";
import { listExecutions } from "../operations/list-executions.ts";
import { getRoleLedger } from "../operations/role-ledger.ts";
import { getUserRoleLedger } from "../operations/user-role-ledger.ts";
import { type Command, command, option } from "./terminal-command.ts";
import { executionsText, hoursText, rolesText, topText, userRolesText } from "./terminal-ledgers-text.ts";

const role = option("role", "text", "one role only");
const user = option("user_id", "text", "one user only");
const limit = option("limit", "number", "how many (100)");
const cursor = option("cursor", "text", "go on after this page: next_cursor of --json");

export const ledgerCommands: readonly Command[] = [
  command("top", leaderboard, {
    help: "the agents of this day, week or month, ranked",
    options: {
      period: option("period", "text", "day, week or month (month)"),
      sort: option("sort", "text", "cost, tokens, executions, success or fitness (cost)"),
      limit: option("limit", "number", "how many agents, at most 100 (20)"),
    },
    text: topText,
  }),
  command("top agent", getAgentHours, {
    help: "one agent hour by hour: top agent ID",
    positional: "agent_id",
    options: { period: option("period", "text", "day, week or month (day)") },
    text: hoursText,
  }),
  command("ledger executions", listExecutions, {
    help: "every ended session with its outcome and score, the newest first",
    options: {
      agent: option("agent_id", "text", "one agent only"),
      role,
      user,
      outcome: option("outcome", "text", "success, error, cancelled, over_budget or expired"),
      from: option("start_date", "text", "first day of their end, YYYY-MM-DD"),
      to: option("end_date", "text", "last day, YYYY-MM-DD"),
      limit: option("limit", "number", "how many (50)"),
      cursor,
    },
    text: executionsText,
  }),
  command("ledger roles", getRoleLedger, {
    help: "per role: executions, success, latency, tokens, cost and fitness",
    options: { role, limit, cursor },
    text: rolesText,
  }),
  command("ledger user-roles", getUserRoleLedger, {
    help: "the same per user and role",
    options: { user, role, limit, cursor },
    text: userRolesText,
  }),
];
