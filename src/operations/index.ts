// Every operation there is. A face loops over these lists; being listed is all that a new one needs.
import { getAgentHours } from "./agent-hours.ts";
import { listAudit, verifyAudit } from "./audit.ts";
import { checkBudget } from "./check-budget.ts";
import { correctCharge } from "./correct.ts";
import { getCostSeries } from "./cost-series.ts";
import { endSession } from "./end-session.ts";
import { exportCharges } from "./export-charges.ts";
import { getCosts } from "./get-costs.ts";
import { getNow } from "./get-now.ts";
import { getPolicy } from "./get-policy.ts";
import { grant, listGrants, revokeGrant } from "./grants.ts";
import { importCharges } from "./import-charges.ts";
import { acknowledgeIncident, getIncident, listIncidents } from "./incidents.ts";
import { createKey, listKeys, revokeKey } from "./keys.ts";
import { leaderboard } from "./leaderboard.ts";
import { listCharges } from "./list-charges.ts";
import { listExecutions } from "./list-executions.ts";
import { listLimits } from "./list-limits.ts";
import { listSessions } from "./list-sessions.ts";
import { openSession } from "./open-session.ts";
import type { Operation } from "./operation.ts";
import { getPrivacyBudget, resetPrivacyBudget } from "./privacy-budget.ts";
import { pruneCharges, vacuumLedger } from "./prune.ts";
import { recost } from "./recost.ts";
import { reportUsage } from "./report-usage.ts";
import { getRoleLedger } from "./role-ledger.ts";
import { listStops, resume, stop } from "./stop.ts";
import { addTask, listTasks, updateTask } from "./tasks.ts";
import { getTeam, setTeamLimits } from "./teams.ts";
import { getUserRoleLedger } from "./user-role-ledger.ts";
import { verifyLedger } from "./verify-ledger.ts";
import { listDeliveries, redeliver } from "./webhooks.ts";

/** What agents are given as tools, in the order of a session's life. A model's tool list stays this small. */
export const agentOperations = [
  openSession,
  reportUsage,
  checkBudget,
  endSession,
  getCosts,
] as unknown as readonly Operation[];

/** What is not a tool: for people and their programs, some of it also for agents to read. */
export const operatorOperations = [
  getNow,
  getPolicy,
  listLimits,
  listSessions,
  stop,
  resume,
  listStops,
  grant,
  listGrants,
  revokeGrant,
  addTask,
  updateTask,
  listTasks,
  getTeam,
  setTeamLimits,
  createKey,
  listKeys,
  revokeKey,
  listAudit,
  verifyAudit,
  leaderboard,
  getAgentHours,
  listExecutions,
  getRoleLedger,
  getUserRoleLedger,
  verifyLedger,
  correctCharge,
  recost,
  pruneCharges,
  vacuumLedger,
  listIncidents,
  getIncident,
  acknowledgeIncident,
  listDeliveries,
  redeliver,
  getPrivacyBudget,
  resetPrivacyBudget,
  getCostSeries,
  listCharges,
  exportCharges,
  importCharges,
] as unknown as readonly Operation[];
