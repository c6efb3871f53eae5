// Whose task it is: an agent's key reaches its own team's tasks and those of no team, another team's are not there.
import { AstraError } from "../core/error.ts";
import type { Work } from "../ledger/statement.ts";
import { type Context, type Principal, pinOf } from "./operation.ts";
import { knownTask } from "./standing.ts";

/** May the caller see the task, and spend on it? An id that no task has is anybody's. */
export function* mayReachTask(context: Context, principal: Principal, taskId: string): Work<boolean> {
  const pin = pinOf(principal);
  if (pin === null) return true;
  const task = yield* knownTask(context.policy, context.policy.workspace.id, taskId);
  return !task || task.team === null || task.team === context.policy.agents.get(pin)?.team;
}

/** Throws `task_not_found` for a task that is another team's. */
export function* refuseForeignTask(context: Context, principal: Principal, taskId: string | undefined): Work<void> {
  if (taskId !== undefined && !(yield* mayReachTask(context, principal, taskId))) throw taskNotFound();
}

export function taskNotFound(): AstraError {
  return new AstraError("task_not_found", "There is no such task.", "Leave task_id out, or name a task of your team.");
}
