// Lists of sessions: those that could spend, and the newest by the page.
import { type Session, toSession } from "./session-row.ts";
import { all, first, statement, type Work } from "./statement.ts";

const spending = statement((db, args: { workspaceId: string; now: bigint }) =>
  db
    .selectFrom("sessions")
    .select(["id", "agent_id", "team_id", "task_id", "path"])
    .where("workspace_id", "=", args.workspaceId)
    .where("status", "=", "open")
    .where("expires_at", ">", args.now),
);

/** Whose a session is, and what it is below. */
export type SessionPlaceInTree = Pick<Session, "id" | "agentId" | "teamId" | "taskId" | "chain">;

/** Sessions that could spend: open, and their time not over. */
export function* spendingSessions(workspaceId: string, nowMs: number): Work<SessionPlaceInTree[]> {
  const rows = yield* all(spending, { workspaceId, now: BigInt(nowMs) });
  return rows.map((row) => ({
    id: row.id,
    agentId: row.agent_id,
    teamId: row.team_id,
    taskId: row.task_id,
    chain: row.path.split("/"),
  }));
}

const newestSpending = statement((db, args: { workspaceId: string; now: bigint; limit: bigint }) =>
  db
    .selectFrom("sessions")
    .selectAll()
    .where("workspace_id", "=", args.workspaceId)
    .where("status", "=", "open")
    .where("expires_at", ">", args.now)
    .orderBy("opened_at", "desc")
    .orderBy("id", "desc")
    .limit(args.limit),
);

const spendingCount = statement((db, args: { workspaceId: string; now: bigint }) =>
  db
    .selectFrom("sessions")
    .select((eb) => eb.fn.countAll<bigint>().as("count"))
    .where("workspace_id", "=", args.workspaceId)
    .where("status", "=", "open")
    .where("expires_at", ">", args.now),
);

/** The newest of them, whole, and how many there are. */
export function* newestSpendingSessions(
  workspaceId: string,
  nowMs: number,
  limit: number,
): Work<{ newest: Session[]; count: number }> {
  const now = BigInt(nowMs);
  const rows = yield* all(newestSpending, { workspaceId, now, limit: BigInt(limit) });
  const count = (yield* first(spendingCount, { workspaceId, now }))?.count ?? 0n;
  return { newest: rows.map(toSession), count: Number(count) };
}

/** Which sessions a list has; null = of every agent. */
export type SessionFilter = {
  readonly workspaceId: string;
  readonly agentId: string | null;
  readonly which: "all" | "open";
};

/** Where a page ended: the next one has what was opened before. */
type SessionPlace = { readonly at: number; readonly id: string };

/** One statement for each way to filter, so that each finds its index. */
const newest = (filter: "every" | "agent", which: "all" | "open") =>
  statement((db, args: { workspaceId: string; agentId: string; at: bigint; id: string; limit: bigint }) =>
    db
      .selectFrom("sessions")
      .selectAll()
      .where("workspace_id", "=", args.workspaceId)
      .$if(filter === "agent", (query) => query.where("agent_id", "=", args.agentId))
      .$if(which === "open", (query) => query.where("status", "=", "open"))
      .where("opened_at", "<=", args.at)
      .where((eb) => eb.or([eb("opened_at", "<", args.at), eb("id", "<", args.id)]))
      .orderBy("opened_at", "desc")
      .orderBy("id", "desc")
      .limit(args.limit),
  );

const NEWEST = {
  every: { all: newest("every", "all"), open: newest("every", "open") },
  agent: { all: newest("agent", "all"), open: newest("agent", "open") },
};

const START: SessionPlace = { at: Number.MAX_SAFE_INTEGER, id: "" };

/** The newest sessions after a place, newest first. */
export function* listSessions(
  { workspaceId, agentId, which }: SessionFilter,
  limit: number,
  after: SessionPlace = START,
): Work<Session[]> {
  const rows = yield* all(NEWEST[agentId === null ? "every" : "agent"][which], {
    workspaceId,
    agentId: agentId ?? "",
    at: BigInt(after.at),
    id: after.id,
    limit: BigInt(limit),
  });
  return rows.map(toSession);
}

const openOnTask = statement((db, args: { workspaceId: string; taskId: string; now: bigint }) =>
  db
    .selectFrom("sessions")
    .innerJoin("sessions as root", "root.id", "sessions.root_session_id")
    .select(["sessions.id", "sessions.agent_id", "sessions.opened_at", "root.agent_id as root_agent_id"])
    .where("sessions.workspace_id", "=", args.workspaceId)
    .where("sessions.status", "=", "open")
    .where("sessions.expires_at", ">", args.now)
    .where("sessions.task_id", "=", args.taskId)
    .orderBy("sessions.id"),
);

/** A session at a task; `rootAgentId` is the agent whose swarm it belongs to. */
export type AtTask = Pick<Session, "id" | "agentId" | "openedAt"> & { readonly rootAgentId: string };

/** Sessions that could spend on a task now. */
export function* openSessionsOnTask(workspaceId: string, taskId: string, nowMs: number): Work<AtTask[]> {
  const rows = yield* all(openOnTask, { workspaceId, taskId, now: BigInt(nowMs) });
  return rows.map((row) => ({
    id: row.id,
    agentId: row.agent_id,
    openedAt: Number(row.opened_at),
    rootAgentId: row.root_agent_id,
  }));
}
