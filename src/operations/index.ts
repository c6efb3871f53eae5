// Every operation there is. A face loops over these lists; being listed is all that a new one needs.
import { checkBudget } from "./check-budget.ts";
import { endSession } from "./end-session.ts";
import { getCosts } from "./get-costs.ts";
import { getPolicy } from "./get-policy.ts";
import { listSessions } from "./list-sessions.ts";
import { openSession } from "./open-session.ts";
import type { Operation } from "./operation.ts";
import { reportUsage } from "./report-usage.ts";
import { listStops, resume, stop } from "./stop.ts";
import { addTask, finishTask, listTasks } from "./tasks.ts";
import { verifyLedger } from "./verify-ledger.ts";

/** What agents are given as tools, in the order of a session's life. A model's tool list stays this small. */
export const agentOperations = [
  openSession,
  reportUsage,
  checkBudget,
  endSession,
  getCosts,
] as unknown as readonly Operation[];

/** What is not a tool: for operators and viewers, or to be read as a resource. */
export const operatorOperations = [
  getPolicy,
  listSessions,
  stop,
  resume,
  listStops,
  addTask,
  finishTask,
  listTasks,
  verifyLedger,
] as unknown as readonly Operation[];
