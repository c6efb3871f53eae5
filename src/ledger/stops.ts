// Stops: the operator's orders in force, read by every decision.
import { all, first, statement, type Work } from "./statement.ts";
import type { StopScope, StopsTable } from "./tables.ts";

export type Stop = {
  readonly id: string;
  readonly workspaceId: string;
  readonly scope: StopScope;
  readonly scopeId: string;
  readonly reason: string;
  readonly createdAt: number;
};

const insert = statement(
  (db, args: { id: string; workspaceId: string; scope: string; scopeId: string; reason: string; at: bigint }) =>
    db.insertInto("stops").values({
      id: args.id,
      workspace_id: args.workspaceId,
      scope: args.scope as StopScope,
      scope_id: args.scopeId,
      reason: args.reason,
      created_at: args.at,
      lifted_at: null,
    }),
);

export function* insertStop(stop: Stop): Work<void> {
  const { id, workspaceId, scope, scopeId, reason, createdAt } = stop;
  yield* all(insert, { id, workspaceId, scope, scopeId, reason, at: BigInt(createdAt) });
}

const inForce = statement((db, args: { workspaceId: string }) =>
  db.selectFrom("stops").selectAll().where("workspace_id", "=", args.workspaceId).where("lifted_at", "is", null),
);

export function* stopsInForce(workspaceId: string): Work<Stop[]> {
  return (yield* all(inForce, { workspaceId })).map(toStop);
}

const byId = statement((db, args: { workspaceId: string; id: string }) =>
  db.selectFrom("stops").selectAll().where("workspace_id", "=", args.workspaceId).where("id", "=", args.id),
);

/** Lifted ones too. */
export function* findStop(workspaceId: string, id: string): Work<Stop | undefined> {
  const row = yield* first(byId, { workspaceId, id });
  return row && toStop(row);
}

const lift = statement((db, args: { workspaceId: string; scope: string; scopeId: string; at: bigint }) =>
  db
    .updateTable("stops")
    .set({ lifted_at: args.at })
    .where("workspace_id", "=", args.workspaceId)
    .where("scope", "=", args.scope as StopScope)
    .where("scope_id", "=", args.scopeId)
    .where("lifted_at", "is", null)
    .returningAll(),
);

/** Lifts every stop on exactly this scope; answers those it lifted. */
export function* liftStops(workspaceId: string, scope: StopScope, scopeId: string, atMs: number): Work<Stop[]> {
  return (yield* all(lift, { workspaceId, scope, scopeId, at: BigInt(atMs) })).map(toStop);
}

const liftOne = statement((db, args: { workspaceId: string; id: string; at: bigint }) =>
  db
    .updateTable("stops")
    .set({ lifted_at: args.at })
    .where("workspace_id", "=", args.workspaceId)
    .where("id", "=", args.id)
    .where("lifted_at", "is", null)
    .returningAll(),
);

/** Lifts one stop; answers it, or nothing where it is not in force. */
export function* liftStop(workspaceId: string, id: string, atMs: number): Work<Stop[]> {
  return (yield* all(liftOne, { workspaceId, id, at: BigInt(atMs) })).map(toStop);
}

function toStop(row: StopsTable): Stop {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    scope: row.scope,
    scopeId: row.scope_id,
    reason: row.reason,
    createdAt: Number(row.created_at),
  };
}
