// Tasks at run time: adding one, setting its state, and the list of all, astra.yml's included.
import { z } from "zod";
import { AstraError } from "../core/error.ts";
import { callerId } from "../core/id.ts";
import { lookup } from "../core/limits.ts";
import { usdFromNano } from "../core/money.ts";
import type { Policy } from "../core/policy.ts";
import { label } from "../core/policy-field.ts";
import { costLimitOfTags, taskTags, taskTitle } from "../core/task-tag.ts";
import { readBalances } from "../ledger/balances.ts";
import type { Work } from "../ledger/statement.ts";
import { listTasks as allTasks, putTask, type TaskRecord } from "../ledger/tasks.ts";
import { recordChange } from "./audit.ts";
import { once } from "./idempotency.ts";
import { idempotencyKey, why } from "./input.ts";
import { actorOf, type Context, defineOperation, invalidInput } from "./operation.ts";
import { usdOf } from "./output.ts";
import { nextCursor, pageInput, pageOf } from "./page.ts";
import { taskNotFound } from "./task-access.ts";
import { teamInForce } from "./team.ts";
import { teamNotFound } from "./teams.ts";

const taskOutput = z.looseObject({
  task_id: z.string(),
  title: z.string(),
  status: z.string(),
  cost_limit_usd: z.number().nullable(),
  spent_usd: z.number(),
});
type TaskOut = z.input<typeof taskOutput>;

/** Each once. */
const dependsOn = z
  .array(callerId)
  .max(100)
  .transform((ids) => [...new Set(ids)]);

export const addTask = defineOperation({
  name: "add_task",
  title: "Add a task",
  description:
    "Adds a task beside those of astra.yml. A tag such as budget:0.50 caps it; it opens only when the tasks it depends on are done.",
  input: z.strictObject({
    task_id: callerId.optional().describe("Absent: one is made."),
    title: taskTitle,
    team_id: callerId.optional(),
    priority: label.optional(),
    task_type: label.optional(),
    tags: taskTags.default([]),
    depends_on: dependsOn.default([]),
    idempotency_key: idempotencyKey.optional(),
  }),
  output: taskOutput,
  access: "operator",
  effect: "write",
  run: (context, principal, args) =>
    context.ledger.write(() =>
      once(context, actorOf(principal), "add_task", args, function* (): Work<TaskOut> {
        const { policy } = context;
        const known = yield* everyTask(context);
        if (known.some((task) => task.id === args.task_id))
          throw new AstraError(
            "conflict",
            "There is a task of this task_id already.",
            "Choose another, or leave it out.",
          );
        if (args.team_id !== undefined && !policy.teams.has(args.team_id)) throw teamNotFound();
        const id = args.task_id ?? context.newId("task");
        refuseDependencies(known, id, args.depends_on);
        const now = context.now();
        const task: TaskRecord = {
          workspaceId: policy.workspace.id,
          id,
          title: args.title,
          teamId: args.team_id ?? null,
          priority: args.priority ?? null,
          taskType: args.task_type ?? null,
          tags: args.tags,
          dependsOn: args.depends_on,
          status: "open",
          createdAt: now,
          updatedAt: now,
        };
        yield* putTask(task);
        const target = `task ${id}`;
        yield* recordChange(context, principal, { action: "add_task", target, before: null, after: described(task) });
        return yield* taskOut(context, task);
      }),
    ),
});

const changes = {
  status: z.enum(["done", "cancelled", "open"], { error: "expected one of done, cancelled, open" }).optional(),
  title: taskTitle.optional(),
  priority: label.optional(),
  task_type: label.optional(),
  tags: taskTags.optional(),
  depends_on: dependsOn.optional(),
};

export const updateTask = defineOperation({
  name: "update_task",
  title: "Change a task",
  description:
    "Sets a task's state (tasks that depend on a done or cancelled one may open), or changes what it is. Of a task in astra.yml only the state can be changed.",
  input: z.strictObject({
    task_id: callerId,
    team_id: callerId.optional().describe("If given, the task must be this team's."),
    ...changes,
    reason: why,
  }),
  output: taskOutput,
  access: "operator",
  effect: "idempotent",
  run: (context, principal, args) =>
    context.ledger.write(function* (): Work<TaskOut> {
      const { policy } = context;
      const tasks = yield* everyTask(context);
      const known = tasks.find((task) => task.id === args.task_id);
      if (!known || (args.team_id !== undefined && known.teamId !== args.team_id)) throw taskNotFound();
      const isListed = policy.tasks.has(known.id);
      const named = Object.keys(changes).find(
        (name) => name !== "status" && args[name as keyof typeof changes] !== undefined,
      );
      if (isListed && named !== undefined)
        throw new AstraError(
          "conflict",
          `Task ${known.id} is listed in astra.yml.`,
          "Change it there; only status can be set here.",
        );
      if (args.depends_on) refuseDependencies(tasks, known.id, args.depends_on);
      const task: TaskRecord = {
        ...known,
        status: args.status ?? known.status,
        title: args.title ?? known.title,
        priority: args.priority ?? known.priority,
        taskType: args.task_type ?? known.taskType,
        tags: args.tags ?? known.tags,
        dependsOn: args.depends_on ?? known.dependsOn,
        updatedAt: context.now(),
      };
      yield* putTask(task);
      const target = `task ${task.id}`;
      const [before, after] = [described(known), described(task)];
      if (JSON.stringify(before) !== JSON.stringify(after))
        yield* recordChange(context, principal, { action: "update_task", target, before, after, why: args.reason });
      return yield* taskOut(context, task);
    }),
});

/** What operators decide of a task. */
const described = (task: TaskRecord) => ({
  title: task.title,
  team_id: task.teamId,
  priority: task.priority,
  task_type: task.taskType,
  status: task.status,
  tags: task.tags,
  depends_on: task.dependsOn,
});

function refuseDependencies(tasks: readonly TaskRecord[], id: string, dependsOn: readonly string[]): void {
  const missing = dependsOn.find((each) => !tasks.some((task) => task.id === each));
  if (missing !== undefined) throw invalidInput("depends_on", `expected known tasks; ${missing} is not one`);
  const next = new Map(tasks.map((task) => [task.id, task.dependsOn]));
  const seen = new Set<string>();
  const waiting = [...dependsOn];
  for (let each = waiting.pop(); each !== undefined; each = waiting.pop()) {
    if (each === id) throw invalidInput("depends_on", "expected tasks that do not wait for this one themselves");
    if (!seen.has(each)) waiting.push(...(next.get(each) ?? []));
    seen.add(each);
  }
}

export const listTasks = defineOperation({
  name: "list_tasks",
  title: "List tasks",
  description: "All tasks with their state, limit and spend.",
  input: z.strictObject({ team_id: callerId.optional().describe("One team's only."), ...pageInput(500) }),
  output: z.looseObject({ tasks: z.array(taskOutput), next_cursor: nextCursor }),
  access: "viewer",
  effect: "read",
  run: (context, _principal, args) =>
    context.ledger.read(function* () {
      if (args.team_id !== undefined && !context.policy.teams.has(args.team_id)) throw teamNotFound();
      const everyones = yield* everyTask(context);
      const tasks = args.team_id === undefined ? everyones : everyones.filter((task) => task.teamId === args.team_id);
      const { items, next_cursor } = pageOf(tasks, (task) => task.id, args);
      const shown: TaskOut[] = [];
      for (const task of items) shown.push(yield* taskOut(context, task));
      return { tasks: shown, next_cursor };
    }),
});

/** astra.yml's tasks, each in the state the ledger knows, then those added at run time. */
function* everyTask(context: Context): Work<TaskRecord[]> {
  const { policy } = context;
  const recorded = yield* allTasks(policy.workspace.id);
  const status = new Map(recorded.map((task) => [task.id, task.status]));
  const listed = [...policy.tasks.keys()].map((id) => ({
    ...policyTask(policy, id, context.now()),
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

function* taskOut(context: Context, task: TaskRecord): Work<TaskOut> {
  const key = { scope: "task", scopeId: task.id, window: "total", windowKey: "" } as const;
  const { spent } = lookup(yield* readBalances(task.workspaceId, [key]))(key);
  const team = yield* teamInForce(context.policy, task.teamId);
  return {
    task_id: task.id,
    title: task.title,
    status: task.status,
    team_id: task.teamId,
    priority: task.priority,
    task_type: task.taskType,
    tags: task.tags,
    depends_on: task.dependsOn,
    cost_limit_usd: usdOf(costLimitOfTags(task.tags) ?? team?.taskCostLimit),
    spent_usd: usdFromNano(spent.cost),
  };
}
