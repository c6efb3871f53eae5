// Tasks in the ledger: those added at run time, and the state of every task.
import { all, first, statement, type Work } from "./statement.ts";
import type { TaskStatus, TasksTable } from "./tables.ts";

export type TaskRecord = {
  readonly workspaceId: string;
  readonly id: string;
  readonly title: string;
  readonly teamId: string | null;
  readonly priority: string | null;
  readonly taskType: string | null;
  readonly tags: readonly string[];
  readonly dependsOn: readonly string[];
  readonly status: TaskStatus;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly updatedAt: number;
};

const upsert = statement((db, args: { [Column in keyof TasksTable]: TasksTable[Column] }) =>
  db
    .insertInto("tasks")
    .values({
      workspace_id: args.workspace_id,
      id: args.id,
      title: args.title,
      team_id: args.team_id,
      priority: args.priority,
      task_type: args.task_type,
      tags: args.tags,
      depends_on: args.depends_on,
      status: args.status,
      created_at: args.created_at,
      updated_at: args.updated_at,
    })
    .onConflict((oc) =>
      oc.columns(["workspace_id", "id"]).doUpdateSet({
        title: args.title,
        priority: args.priority,
        task_type: args.task_type,
        tags: args.tags,
        depends_on: args.depends_on,
        status: args.status,
        updated_at: args.updated_at,
      }),
    ),
);

/** Writes a task, or changes it where it is there already; its team and the time it was made stay. */
export function* putTask(task: TaskRecord): Work<void> {
  yield* all(upsert, {
    workspace_id: task.workspaceId,
    id: task.id,
    title: task.title,
    team_id: task.teamId,
    priority: task.priority,
    task_type: task.taskType,
    tags: JSON.stringify(task.tags),
    depends_on: JSON.stringify(task.dependsOn),
    status: task.status,
    created_at: BigInt(task.createdAt),
    updated_at: BigInt(task.updatedAt),
  });
}

const byId = statement((db, args: { workspaceId: string; id: string }) =>
  db.selectFrom("tasks").selectAll().where("workspace_id", "=", args.workspaceId).where("id", "=", args.id),
);

export function* findTask(workspaceId: string, id: string): Work<TaskRecord | undefined> {
  const row = yield* first(byId, { workspaceId, id });
  return row && toTask(row);
}

const every = statement((db, args: { workspaceId: string }) =>
  db.selectFrom("tasks").selectAll().where("workspace_id", "=", args.workspaceId).orderBy("created_at").orderBy("id"),
);

export function* listTasks(workspaceId: string): Work<TaskRecord[]> {
  return (yield* all(every, { workspaceId })).map(toTask);
}

function toTask(row: TasksTable): TaskRecord {
  return {
    workspaceId: row.workspace_id,
    id: row.id,
    title: row.title,
    teamId: row.team_id,
    priority: row.priority,
    taskType: row.task_type,
    tags: JSON.parse(row.tags),
    dependsOn: JSON.parse(row.depends_on),
    status: row.status,
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  };
}
