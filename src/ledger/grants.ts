// Grants: temporary increases of one limit each, read by every decision while they are in force.
import type { BalanceScope } from "../core/balance-key.ts";
import type { AmountMeasure } from "../core/limits.ts";
import type { WindowKind } from "../core/window.ts";
import { all, first, statement, type Work } from "./statement.ts";
import type { GrantsTable } from "./tables.ts";

/** Instants are epoch ms; the amount is in the measure's own unit. */
export type Grant = {
  readonly id: string;
  readonly workspaceId: string;
  readonly scope: BalanceScope;
  readonly scopeId: string;
  readonly window: WindowKind;
  readonly measure: AmountMeasure;
  readonly amount: bigint;
  readonly reason: string;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt: number;
  readonly revokedAt: number | null;
};

const insert = statement((db, args: { [Column in keyof GrantsTable]: GrantsTable[Column] }) =>
  db.insertInto("grants").values({
    id: args.id,
    workspace_id: args.workspace_id,
    scope: args.scope,
    scope_id: args.scope_id,
    window_kind: args.window_kind,
    measure: args.measure,
    amount: args.amount,
    reason: args.reason,
    created_at: args.created_at,
    created_by: args.created_by,
    expires_at: args.expires_at,
    revoked_at: args.revoked_at,
  }),
);

export function* insertGrant(grant: Grant): Work<void> {
  yield* all(insert, {
    id: grant.id,
    workspace_id: grant.workspaceId,
    scope: grant.scope,
    scope_id: grant.scopeId,
    window_kind: grant.window,
    measure: grant.measure,
    amount: grant.amount,
    reason: grant.reason,
    created_at: BigInt(grant.createdAt),
    created_by: grant.createdBy,
    expires_at: BigInt(grant.expiresAt),
    revoked_at: null,
  });
}

const inForce = statement((db, args: { workspaceId: string; now: bigint }) =>
  db
    .selectFrom("grants")
    .selectAll()
    .where("workspace_id", "=", args.workspaceId)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", args.now),
);

/** The newest first. Every decision asks: that there are none, as mostly, must cost nothing, not even a sorter. */
export function* grantsInForce(workspaceId: string, nowMs: number): Work<Grant[]> {
  const rows = yield* all(inForce, { workspaceId, now: BigInt(nowMs) });
  return rows.map(toGrant).sort((a, b) => (a.id < b.id ? 1 : -1));
}

const byId = statement((db, args: { workspaceId: string; id: string }) =>
  db.selectFrom("grants").selectAll().where("id", "=", args.id).where("workspace_id", "=", args.workspaceId),
);

export function* findGrant(workspaceId: string, id: string): Work<Grant | undefined> {
  const row = yield* first(byId, { workspaceId, id });
  return row && toGrant(row);
}

const revoke = statement((db, args: { workspaceId: string; id: string; at: bigint }) =>
  db
    .updateTable("grants")
    .set({ revoked_at: args.at })
    .where("id", "=", args.id)
    .where("workspace_id", "=", args.workspaceId)
    .where("revoked_at", "is", null),
);

export function* revokeGrant(workspaceId: string, id: string, atMs: number): Work<void> {
  yield* all(revoke, { workspaceId, id, at: BigInt(atMs) });
}

function toGrant(row: GrantsTable): Grant {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    scope: row.scope,
    scopeId: row.scope_id,
    window: row.window_kind,
    measure: row.measure,
    amount: row.amount,
    reason: row.reason,
    createdAt: Number(row.created_at),
    createdBy: row.created_by,
    expiresAt: Number(row.expires_at),
    revokedAt: row.revoked_at === null ? null : Number(row.revoked_at),
  };
}
