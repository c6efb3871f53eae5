// API keys: made, found by the hash of their secret, listed, revoked.
import { all, first, statement, type Work } from "./statement.ts";
import type { ApiKeysTable, KeyRole } from "./tables.ts";

/** Instants are epoch ms. */
export type ApiKey = {
  readonly id: string;
  readonly workspaceId: string;
  readonly name: string;
  readonly role: KeyRole;
  /** Set exactly for the role `agent`. */
  readonly agentId: string | null;
  /** SHA-256 of the secret, hexadecimal. */
  readonly secretHash: string;
  /** The first characters of the secret, so that people can tell keys apart. */
  readonly secretStart: string;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
};

const insert = statement((db, args: { [Column in keyof ApiKeysTable]: ApiKeysTable[Column] }) =>
  db.insertInto("api_keys").values({
    id: args.id,
    workspace_id: args.workspace_id,
    name: args.name,
    role: args.role,
    agent_id: args.agent_id,
    secret_hash: args.secret_hash,
    secret_start: args.secret_start,
    created_at: args.created_at,
    created_by: args.created_by,
    expires_at: args.expires_at,
    last_used_at: args.last_used_at,
    revoked_at: args.revoked_at,
  }),
);

export function* insertKey(key: ApiKey): Work<void> {
  yield* all(insert, {
    id: key.id,
    workspace_id: key.workspaceId,
    name: key.name,
    role: key.role,
    agent_id: key.agentId,
    secret_hash: key.secretHash,
    secret_start: key.secretStart,
    created_at: BigInt(key.createdAt),
    created_by: key.createdBy,
    expires_at: key.expiresAt === null ? null : BigInt(key.expiresAt),
    last_used_at: null,
    revoked_at: null,
  });
}

const byHash = statement((db, args: { hash: string }) =>
  db.selectFrom("api_keys").selectAll().where("secret_hash", "=", args.hash),
);

/** Of any workspace: a key says itself which one it belongs to. */
export function* findKeyByHash(hash: string): Work<ApiKey | undefined> {
  const row = yield* first(byHash, { hash });
  return row && toKey(row);
}

const byId = statement((db, args: { workspaceId: string; id: string }) =>
  db.selectFrom("api_keys").selectAll().where("id", "=", args.id).where("workspace_id", "=", args.workspaceId),
);

export function* findKey(workspaceId: string, id: string): Work<ApiKey | undefined> {
  const row = yield* first(byId, { workspaceId, id });
  return row && toKey(row);
}

const every = statement((db, args: { workspaceId: string }) =>
  db.selectFrom("api_keys").selectAll().where("workspace_id", "=", args.workspaceId).orderBy("id", "desc"),
);

/** The newest first, revoked and expired ones included. */
export function* listKeys(workspaceId: string): Work<ApiKey[]> {
  return (yield* all(every, { workspaceId })).map(toKey);
}

const revoke = statement((db, args: { workspaceId: string; id: string; at: bigint }) =>
  db
    .updateTable("api_keys")
    .set({ revoked_at: args.at })
    .where("id", "=", args.id)
    .where("workspace_id", "=", args.workspaceId)
    .where("revoked_at", "is", null),
);

export function* revokeKey(workspaceId: string, id: string, atMs: number): Work<void> {
  yield* all(revoke, { workspaceId, id, at: BigInt(atMs) });
}

const use = statement((db, args: { workspaceId: string; id: string; at: bigint }) =>
  db
    .updateTable("api_keys")
    .set({ last_used_at: args.at })
    .where("id", "=", args.id)
    .where("workspace_id", "=", args.workspaceId),
);

export function* markKeyUsed(workspaceId: string, id: string, atMs: number): Work<void> {
  yield* all(use, { workspaceId, id, at: BigInt(atMs) });
}

function toKey(row: ApiKeysTable): ApiKey {
  const instant = (value: bigint | null) => (value === null ? null : Number(value));
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    role: row.role,
    agentId: row.agent_id,
    secretHash: row.secret_hash,
    secretStart: row.secret_start,
    createdAt: Number(row.created_at),
    createdBy: row.created_by,
    expiresAt: instant(row.expires_at),
    lastUsedAt: instant(row.last_used_at),
    revokedAt: instant(row.revoked_at),
  };
}
