// Sessions: opening, finding, counting and ending them; their own totals grow with each charge.
import type { Budget } from "../core/budget.ts";
import type { MemoryPermissions, ToolPermissions } from "../core/policy.ts";
import { all, first, statement, type Work } from "./statement.ts";
import type { SessionStatus, SessionsTable } from "./tables.ts";

/** A session with its frozen budget and permissions read; instants are epoch milliseconds. */
export type Session = {
  readonly id: string;
  readonly workspaceId: string;
  readonly agentId: string;
  readonly role: string | null;
  readonly teamId: string | null;
  readonly taskId: string | null;
  readonly userId: string | null;
  readonly model: string | null;
  readonly provider: string | null;
  readonly parentSessionId: string | null;
  readonly parentAgentId: string | null;
  /** Session ids from the root to this one. */
  readonly chain: readonly string[];
  readonly depth: number;
  readonly budget: Budget;
  readonly tools: ToolPermissions;
  readonly memory: MemoryPermissions;
  /** What the budget lost when it opened, as the opener was told. */
  readonly clamped: readonly Record<string, unknown>[];
  readonly status: SessionStatus;
  readonly error: string | null;
  readonly openedAt: number;
  readonly expiresAt: number;
  readonly endedAt: number | null;
  readonly idempotencyKey: string | null;
  readonly request: string | null;
  /** Its own charges, without its children's. */
  readonly totals: SessionTotals;
};

export type SessionTotals = {
  readonly charges: bigint;
  readonly errors: bigint;
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  readonly cacheReadTokens: bigint;
  readonly cacheWriteTokens: bigint;
  readonly toolCalls: bigint;
  readonly cost: bigint;
};

export const NO_TOTALS: SessionTotals = {
  charges: 0n,
  errors: 0n,
  inputTokens: 0n,
  outputTokens: 0n,
  cacheReadTokens: 0n,
  cacheWriteTokens: 0n,
  toolCalls: 0n,
  cost: 0n,
};

const byId = statement((db, args: { workspaceId: string; id: string }) =>
  db.selectFrom("sessions").selectAll().where("id", "=", args.id).where("workspace_id", "=", args.workspaceId),
);

export function* findSession(workspaceId: string, id: string): Work<Session | undefined> {
  const row = yield* first(byId, { workspaceId, id });
  return row && toSession(row);
}

/** The sessions above this one, root first. */
export function* findAncestors(session: Session): Work<Session[]> {
  const ancestors: Session[] = [];
  for (const id of session.chain.slice(0, -1)) {
    const row = yield* first(byId, { workspaceId: session.workspaceId, id });
    if (row) ancestors.push(toSession(row));
  }
  return ancestors;
}

const byKey = statement((db, args: { workspaceId: string; agentId: string; key: string }) =>
  db
    .selectFrom("sessions")
    .selectAll()
    .where("workspace_id", "=", args.workspaceId)
    .where("agent_id", "=", args.agentId)
    .where("idempotency_key", "=", args.key),
);

export function* findSessionByKey(workspaceId: string, agentId: string, key: string): Work<Session | undefined> {
  const row = yield* first(byKey, { workspaceId, agentId, key });
  return row && toSession(row);
}

const insert = statement((db, args: { [Column in keyof SessionsTable]: SessionsTable[Column] }) =>
  db.insertInto("sessions").values(Object.fromEntries(COLUMNS.map((c) => [c, args[c]])) as SessionsTable),
);

export function* insertSession(session: Session): Work<void> {
  yield* all(insert, toRow(session));
}

const addTotals = statement(
  (
    db,
    args: {
      id: string;
      errors: bigint;
      input: bigint;
      output: bigint;
      cacheRead: bigint;
      cacheWrite: bigint;
      toolCalls: bigint;
      cost: bigint;
    },
  ) =>
    db
      .updateTable("sessions")
      .where("id", "=", args.id)
      .set((eb) => ({
        charges: eb("charges", "+", 1n),
        errors: eb("errors", "+", args.errors),
        input_tokens: eb("input_tokens", "+", args.input),
        output_tokens: eb("output_tokens", "+", args.output),
        cache_read_tokens: eb("cache_read_tokens", "+", args.cacheRead),
        cache_write_tokens: eb("cache_write_tokens", "+", args.cacheWrite),
        tool_calls: eb("tool_calls", "+", args.toolCalls),
        cost_nano_usd: eb("cost_nano_usd", "+", args.cost),
      }))
      .returning([
        "charges",
        "errors",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "tool_calls",
        "cost_nano_usd",
      ]),
);

/** Adds one charge to a session's own totals; answers them as they are then. */
export function* addToSession(id: string, charge: Omit<SessionTotals, "charges">): Work<SessionTotals> {
  const row = yield* first(addTotals, {
    id,
    errors: charge.errors,
    input: charge.inputTokens,
    output: charge.outputTokens,
    cacheRead: charge.cacheReadTokens,
    cacheWrite: charge.cacheWriteTokens,
    toolCalls: charge.toolCalls,
    cost: charge.cost,
  });
  if (!row) throw new TypeError("a charge names a session that is not there");
  return toTotals(row);
}

const end = statement((db, args: { id: string; status: string; error: string | null; at: bigint }) =>
  db
    .updateTable("sessions")
    .set({ status: args.status as SessionStatus, error: args.error, ended_at: args.at })
    .where("id", "=", args.id)
    .where("status", "=", "open")
    .returning("id"),
);

/** Ends an open session; answers whether it was open. */
export function* endOpenSession(
  id: string,
  status: Exclude<SessionStatus, "open">,
  error: string | null,
  atMs: number,
): Work<"ended" | "was_not_open"> {
  const row = yield* first(end, { id, status, error, at: BigInt(atMs) });
  return row ? "ended" : "was_not_open";
}

const openInTree = statement((db, args: { root: string }) =>
  db
    .selectFrom("sessions")
    .selectAll()
    .where("root_session_id", "=", args.root)
    .where("status", "=", "open")
    .orderBy("id"),
);

/** Open sessions below this one. */
export function* openDescendants(session: Session): Work<Session[]> {
  const root = session.chain[0] ?? session.id;
  const rows = yield* all(openInTree, { root });
  return rows.map(toSession).filter((other) => other.id !== session.id && other.chain.includes(session.id));
}

const childCount = statement((db, args: { parent: string; root: string }) =>
  db
    .selectFrom("sessions")
    .select((eb) => [
      eb.fn.count<bigint>("id").filterWhere("parent_session_id", "=", args.parent).as("children"),
      eb.fn.countAll<bigint>().as("tree"),
    ])
    .where("root_session_id", "=", args.root),
);

/** Children a session has opened in its life, and sessions in its whole tree besides the root. */
export function* countChildren(session: Session): Work<{ children: bigint; tree: bigint }> {
  const row = yield* first(childCount, { parent: session.id, root: session.chain[0] ?? session.id });
  return { children: row?.children ?? 0n, tree: (row?.tree ?? 1n) - 1n };
}

const concurrentCount = statement((db, args: { workspaceId: string; agentId: string; now: bigint }) =>
  db
    .selectFrom("sessions")
    .select((eb) => eb.fn.countAll<bigint>().as("open"))
    .where("workspace_id", "=", args.workspaceId)
    .where("parent_agent_id", "=", args.agentId)
    .where("status", "=", "open")
    .where("expires_at", ">", args.now),
);

/** Open children of all sessions of an agent; one past its deadline no longer counts, ended or not. */
export function* countConcurrentChildren(workspaceId: string, agentId: string, nowMs: number): Work<bigint> {
  return (yield* first(concurrentCount, { workspaceId, agentId, now: BigInt(nowMs) }))?.open ?? 0n;
}

const newest = statement((db, args: { workspaceId: string; limit: bigint }) =>
  db
    .selectFrom("sessions")
    .selectAll()
    .where("workspace_id", "=", args.workspaceId)
    .orderBy("opened_at", "desc")
    .orderBy("id", "desc")
    .limit(args.limit),
);

const newestOpen = statement((db, args: { workspaceId: string; limit: bigint }) =>
  db
    .selectFrom("sessions")
    .selectAll()
    .where("workspace_id", "=", args.workspaceId)
    .where("status", "=", "open")
    .orderBy("opened_at", "desc")
    .orderBy("id", "desc")
    .limit(args.limit),
);

/** The newest sessions, newest first. */
export function* listSessions(workspaceId: string, which: "all" | "open", limit: number): Work<Session[]> {
  const rows = yield* all(which === "open" ? newestOpen : newest, { workspaceId, limit: BigInt(limit) });
  return rows.map(toSession);
}

const COLUMNS = Object.keys({
  id: 0,
  workspace_id: 0,
  agent_id: 0,
  role: 0,
  team_id: 0,
  task_id: 0,
  user_id: 0,
  model: 0,
  provider: 0,
  parent_session_id: 0,
  parent_agent_id: 0,
  root_session_id: 0,
  path: 0,
  depth: 0,
  budget: 0,
  tools: 0,
  memory: 0,
  clamped: 0,
  status: 0,
  error: 0,
  opened_at: 0,
  expires_at: 0,
  ended_at: 0,
  idempotency_key: 0,
  request: 0,
  charges: 0,
  errors: 0,
  input_tokens: 0,
  output_tokens: 0,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
  tool_calls: 0,
  cost_nano_usd: 0,
} satisfies Record<keyof SessionsTable, 0>) as (keyof SessionsTable)[];

function toRow(session: Session): SessionsTable {
  return {
    id: session.id,
    workspace_id: session.workspaceId,
    agent_id: session.agentId,
    role: session.role,
    team_id: session.teamId,
    task_id: session.taskId,
    user_id: session.userId,
    model: session.model,
    provider: session.provider,
    parent_session_id: session.parentSessionId,
    parent_agent_id: session.parentAgentId,
    root_session_id: session.chain[0] ?? session.id,
    path: session.chain.join("/"),
    depth: BigInt(session.depth),
    budget: JSON.stringify(session.budget, (_, value) => (typeof value === "bigint" ? String(value) : value)),
    tools: JSON.stringify(session.tools),
    memory: JSON.stringify(session.memory),
    clamped: JSON.stringify(session.clamped),
    status: session.status,
    error: session.error,
    opened_at: BigInt(session.openedAt),
    expires_at: BigInt(session.expiresAt),
    ended_at: session.endedAt === null ? null : BigInt(session.endedAt),
    idempotency_key: session.idempotencyKey,
    request: session.request,
    charges: session.totals.charges,
    errors: session.totals.errors,
    input_tokens: session.totals.inputTokens,
    output_tokens: session.totals.outputTokens,
    cache_read_tokens: session.totals.cacheReadTokens,
    cache_write_tokens: session.totals.cacheWriteTokens,
    tool_calls: session.totals.toolCalls,
    cost_nano_usd: session.totals.cost,
  };
}

export function toSession(row: SessionsTable): Session {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    agentId: row.agent_id,
    role: row.role,
    teamId: row.team_id,
    taskId: row.task_id,
    userId: row.user_id,
    model: row.model,
    provider: row.provider,
    parentSessionId: row.parent_session_id,
    parentAgentId: row.parent_agent_id,
    chain: row.path.split("/"),
    depth: Number(row.depth),
    budget: Object.fromEntries(
      Object.entries(JSON.parse(row.budget)).map(([k, v]) => [k, BigInt(v as string)]),
    ) as Budget,
    tools: JSON.parse(row.tools),
    memory: JSON.parse(row.memory),
    clamped: JSON.parse(row.clamped),
    status: row.status,
    error: row.error,
    openedAt: Number(row.opened_at),
    expiresAt: Number(row.expires_at),
    endedAt: row.ended_at === null ? null : Number(row.ended_at),
    idempotencyKey: row.idempotency_key,
    request: row.request,
    totals: toTotals(row),
  };
}

function toTotals(
  row: Pick<
    SessionsTable,
    | "charges"
    | "errors"
    | "input_tokens"
    | "output_tokens"
    | "cache_read_tokens"
    | "cache_write_tokens"
    | "tool_calls"
    | "cost_nano_usd"
  >,
): SessionTotals {
  return {
    charges: row.charges,
    errors: row.errors,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    cacheReadTokens: row.cache_read_tokens,
    cacheWriteTokens: row.cache_write_tokens,
    toolCalls: row.tool_calls,
    cost: row.cost_nano_usd,
  };
}
