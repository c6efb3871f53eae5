// Sessions: opening, finding and counting them; their own totals grow with each charge (for their end see executions.ts).
import { insertAttribution } from "./attributions.ts";
import { SESSION_COLUMNS, type Session, type SessionTotals, toRow, toSession, toTotals } from "./session-row.ts";
import { all, first, statement, type Work } from "./statement.ts";
import type { SessionsTable } from "./tables.ts";

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
  db.insertInto("sessions").values(Object.fromEntries(SESSION_COLUMNS.map((c) => [c, args[c]])) as SessionsTable),
);

export function* insertSession(session: Session): Work<void> {
  yield* all(insert, toRow(session));
  yield* insertAttribution(session);
}

const addToTotals = statement(
  (
    db,
    args: {
      id: string;
      charges: bigint;
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
        charges: eb("charges", "+", args.charges),
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

/** Adds charges to a session's own totals; answers them as they are then. */
export function* addToSession(id: string, more: SessionTotals): Work<SessionTotals> {
  const row = yield* first(addToTotals, {
    id,
    charges: more.charges,
    errors: more.errors,
    input: more.inputTokens,
    output: more.outputTokens,
    cacheRead: more.cacheReadTokens,
    cacheWrite: more.cacheWriteTokens,
    toolCalls: more.toolCalls,
    cost: more.cost,
  });
  if (!row) throw new TypeError("a charge names a session that is not there");
  return toTotals(row);
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

const inTree = statement((db, args: { root: string }) =>
  db.selectFrom("sessions").selectAll().where("root_session_id", "=", args.root).orderBy("id"),
);

/** All sessions of a session's swarm, its own and ended ones too. */
function* swarmOf(session: Session): Work<Session[]> {
  return (yield* all(inTree, { root: session.chain[0] ?? session.id })).map(toSession);
}

/** All sessions below this one, ended ones too. */
export function* descendantsOf(session: Session): Work<Session[]> {
  return (yield* swarmOf(session)).filter((other) => other.id !== session.id && other.chain.includes(session.id));
}

const overdue = statement((db, args: { workspaceId: string; before: bigint; limit: bigint }) =>
  db
    .selectFrom("sessions")
    .selectAll()
    .where("workspace_id", "=", args.workspaceId)
    .where("status", "=", "open")
    .where("expires_at", "<=", args.before)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom("holds")
            .select("holds.id")
            .whereRef("holds.session_id", "=", "sessions.id")
            .where("holds.state", "=", "held"),
        ),
      ),
    )
    .orderBy("expires_at")
    .orderBy("id")
    .limit(args.limit),
);

const anyOverdue = statement((db, args: { workspaceId: string; before: bigint }) =>
  db
    .selectFrom("sessions")
    .select("id")
    .where("workspace_id", "=", args.workspaceId)
    .where("status", "=", "open")
    .where("expires_at", "<=", args.before)
    .limit(1n),
);

/** Open sessions whose deadline passed before an instant and that hold nothing, the longest overdue first. */
export function* overdueSessions(workspaceId: string, beforeMs: number, limit: number): Work<Session[]> {
  // There is nearly never one, and to look for all in order takes much longer.
  if (!(yield* first(anyOverdue, { workspaceId, before: BigInt(beforeMs) }))) return [];
  const rows = yield* all(overdue, { workspaceId, before: BigInt(beforeMs), limit: BigInt(limit) });
  return rows.map(toSession);
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
