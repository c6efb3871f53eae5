// Tasks at run time: adding one, setting its state, and the list of all, astra.yml's included.
import { z } from "zod";
import { AstraError } from "../core/error.ts";
import { callerId } from "../core/id.ts";
import { type BalanceLookup, lookup } from "../core/limits.ts";
import { usdFromNano } from "../core/money.ts";
import type { Policy } from "../core/policy.ts";
import { label } from "../core/policy-field.ts";
import { costLimitOfTags, taskTags, taskTitle } from "../core/task-tag.ts";
import { readBalances } from "../ledger/balances.ts";
import type { Work } from "../ledger/statement.ts";
import { listTasks as allTasks, findTask, putTask, type TaskRecord } from "../ledger/tasks.ts";
import { type Context, defineOperation, invalidInput } from "./operation.ts";

const taskOutput = z.looseObject({
  task_id: z.string(),
  title: z.string(),
  status: z.string(),
  cost_limit_usd: z.number().nullable(),
  spent_usd: z.number(),
});
type TaskOut = z.input<typeof taskOutput>;

export const addTask = defineOperation({
  name: "add_task",
  title: "Add a task",
  description:
    "Adds a task beside those of astra.yml. A tag such as budget:0.50 caps it; it opens only when the tasks it depends on are done.",
  input: z.strictObject({
    task_id: callerId,
    title: taskTitle,
    team_id: callerId.optional(),
    priority: label.optional(),
    task_type: label.optional(),
    tags: taskTags.default([]),
    depends_on: z.array(callerId).max(100).default([]),
  }),
  output: taskOutput,
  access: "operator",
  effect: "write",
  run: (context, _principal, args) =>
    context.ledger.write(function* (): Work<TaskOut> {
      const { policy } = context;
      const known = yield* everyTask(context);
      if (known.some((task) => task.id === args.task_id))
        throw invalidInput("task_id", "expected an id that no task has yet");
      if (args.team_id !== undefined && !policy.teams.has(args.team_id))
        throw invalidInput("team_id", "expected a team of astra.yml");
      // A new task that depends on old ones only can close no cycle.
      const missing = args.depends_on.find((id) => !known.some((task) => task.id === id));
      if (missing !== undefined) throw invalidInput("depends_on", `expected known tasks; ${missing} is not one`);
      const now = context.now();
      const task = yield* putTask({
        workspaceId: policy.workspace.id,
        id: args.task_id,
        title: args.title,
        teamId: args.team_id ?? null,
        priority: args.priority ?? null,
        taskType: args.task_type ?? null,
        tags: args.tags,
        dependsOn: [...new Set(args.depends_on)],
        status: "open",
        createdAt: now,
        updatedAt: now,
      });
      return taskOut(policy, task, yield* balancesOf(context, [task]));
    }),
});

export const finishTask = defineOperation({
  name: "finish_task",
  title: "Set a task's state",
  description: "Marks a task done or cancelled (tasks that depend on it may then open), or open again.",
  input: z.strictObject({ task_id: callerId, status: z.enum(["done", "cancelled", "open"]).default("done") }),
  output: taskOutput,
  access: "operator",
  effect: "idempotent",
  run: (context, _principal, args) =>
    context.ledger.write(function* (): Work<TaskOut> {
      const now = context.now();
      const listed = context.policy.tasks.has(args.task_id) ? policyTask(context.policy, args.task_id, now) : undefined;
      const known = listed ?? (yield* findTask(context.policy.workspace.id, args.task_id));
      if (!known)
        throw new AstraError("task_not_found", "There is no such task.", "`astra-budget task list` shows the tasks.");
      const task = yield* putTask({ ...known, status: args.status, updatedAt: now });
      return taskOut(context.policy, { ...known, status: task.status }, yield* balancesOf(context, [task]));
    }),
});

export const listTasks = defineOperation({
  name: "list_tasks",
  title: "List tasks",
  description: "All tasks with their state, limit and spend.",
  input: z.strictObject({}),
  output: z.looseObject({ tasks: z.array(taskOutput) }),
  access: "viewer",
  effect: "read",
  run: (context) =>
    context.ledger.read(function* (): Work<{ tasks: TaskOut[] }> {
      const tasks = yield* everyTask(context);
      const balanceOf = yield* balancesOf(context, tasks);
      return { tasks: tasks.map((task) => taskOut(context.policy, task, balanceOf)) };
    }),
});

/** astra.yml's tasks, each in the state the ledger knows, then those added at run time. */
function* everyTask(context: Context): Work<TaskRecord[]> {
  const { policy } = context;
  const recorded = yield* allTasks(policy.workspace.id);
  const status = new Map(recorded.map((task) => [task.id, task.status]));
  const listed = [...policy.tasks.keys()].map((id) => ({
    ...policyTask(policy, id, 0),
    status: status.get(id) ?? "open",
  }));
  return [...listed, ...recorded.filter((task) => !policy.tasks.has(task.id))];
}

function policyTask(policy: Policy, id: string, now: number): TaskRecord {
  const task = policy.tasks.get(id);
  return {
    workspaceId: policy.workspace.id,
    id,
    title: task?.title ?? id,
    teamId: task?.team ?? null,
    priority: task?.priority ?? null,
    taskType: task?.taskType ?? null,
    tags: task?.tags ?? [],
    dependsOn: task?.dependsOn ?? [],
    status: "open",
    createdAt: now,
    updatedAt: now,
  };
}

const keyOf = (task: TaskRecord) => ({ scope: "task", scopeId: task.id, window: "total", windowKey: "" }) as const;

function* balancesOf(context: Context, tasks: readonly TaskRecord[]): Work<BalanceLookup> {
  const rows = [];
  for (const task of tasks) rows.push(...(yield* readBalances(context.policy.workspace.id, [keyOf(task)])));
  return lookup(rows);
}

function taskOut(policy: Policy, task: TaskRecord, balanceOf: BalanceLookup): TaskOut {
  const limit =
    costLimitOfTags(task.tags) ??
    (task.teamId === null ? null : (policy.teams.get(task.teamId)?.taskCostLimit ?? null));
  return {
    task_id: task.id,
    title: task.title,
    status: task.status,
    team_id: task.teamId,
    priority: task.priority,
    task_type: task.taskType,
    tags: task.tags,
    depends_on: task.dependsOn,
    cost_limit_usd: limit === null ? null : usdFromNano(limit),
    spent_usd: usdFromNano(balanceOf(keyOf(task)).spent.cost),
  };
}
