// The audit: an append-only chain of rows per workspace, and the head that writers lock.
import { all, first, statement, type Work } from "./statement.ts";
import type { AuditTable } from "./tables.ts";

export type AuditEntry = {
  readonly workspaceId: string;
  /** From 1 on, without gaps. */
  readonly seq: number;
  /** Epoch ms. */
  readonly at: number;
  readonly actor: string;
  readonly role: string;
  readonly action: string;
  readonly target: string;
  /** JSON texts. */
  readonly before: string;
  readonly after: string;
  readonly why: string | null;
  readonly previousHash: string;
  readonly hash: string;
};

export type AuditHead = { readonly seq: number; readonly hash: string };

const lock = statement((db, args: { workspaceId: string }) =>
  db
    .insertInto("audit_heads")
    .values({ workspace_id: args.workspaceId, seq: 0n, hash: "" })
    .onConflict((oc) => oc.column("workspace_id").doUpdateSet((eb) => ({ seq: eb.ref("audit_heads.seq") })))
    .returning(["seq", "hash"]),
);

/** The end of the chain, locked until the transaction ends. */
export function* lockAuditHead(workspaceId: string): Work<AuditHead> {
  const row = yield* first(lock, { workspaceId });
  return { seq: Number(row?.seq ?? 0n), hash: row?.hash ?? "" };
}

const head = statement((db, args: { workspaceId: string }) =>
  db.selectFrom("audit_heads").select(["seq", "hash"]).where("workspace_id", "=", args.workspaceId),
);

export function* findAuditHead(workspaceId: string): Work<AuditHead> {
  const row = yield* first(head, { workspaceId });
  return { seq: Number(row?.seq ?? 0n), hash: row?.hash ?? "" };
}

const insert = statement((db, args: { [Column in keyof AuditTable]: AuditTable[Column] }) =>
  db.insertInto("audit").values({
    workspace_id: args.workspace_id,
    seq: args.seq,
    at: args.at,
    actor: args.actor,
    role: args.role,
    action: args.action,
    target: args.target,
    state_before: args.state_before,
    state_after: args.state_after,
    why: args.why,
    previous_hash: args.previous_hash,
    hash: args.hash,
  }),
);

const moveHead = statement((db, args: { workspaceId: string; seq: bigint; hash: string }) =>
  db.updateTable("audit_heads").set({ seq: args.seq, hash: args.hash }).where("workspace_id", "=", args.workspaceId),
);

/** Appends an entry; the head must be locked and be the one the entry follows. */
export function* appendAudit(entry: AuditEntry): Work<void> {
  yield* all(insert, {
    workspace_id: entry.workspaceId,
    seq: BigInt(entry.seq),
    at: BigInt(entry.at),
    actor: entry.actor,
    role: entry.role,
    action: entry.action,
    target: entry.target,
    state_before: entry.before,
    state_after: entry.after,
    why: entry.why,
    previous_hash: entry.previousHash,
    hash: entry.hash,
  });
  yield* all(moveHead, { workspaceId: entry.workspaceId, seq: BigInt(entry.seq), hash: entry.hash });
}

const page = statement((db, args: { workspaceId: string; below: bigint; limit: bigint }) =>
  db
    .selectFrom("audit")
    .selectAll()
    .where("workspace_id", "=", args.workspaceId)
    .where("seq", "<", args.below)
    .orderBy("seq", "desc")
    .limit(args.limit),
);

/** Entries before `below`, the newest first. */
export function* auditBelow(workspaceId: string, below: number, limit: number): Work<AuditEntry[]> {
  return (yield* all(page, { workspaceId, below: BigInt(below), limit: BigInt(limit) })).map(toEntry);
}

const newestOf = statement((db, args: { workspaceId: string; action: string }) =>
  db
    .selectFrom("audit")
    .selectAll()
    .where("workspace_id", "=", args.workspaceId)
    .where("action", "=", args.action)
    .orderBy("seq", "desc")
    .limit(1),
);

/** The newest entry of one action. */
export function* newestAudit(workspaceId: string, action: string): Work<AuditEntry | undefined> {
  const row = yield* first(newestOf, { workspaceId, action });
  return row && toEntry(row);
}

function toEntry(row: AuditTable): AuditEntry {
  return {
    workspaceId: row.workspace_id,
    seq: Number(row.seq),
    at: Number(row.at),
    actor: row.actor,
    role: row.role,
    action: row.action,
    target: row.target,
    before: row.state_before,
    after: row.state_after,
    why: row.why,
    previousHash: row.previous_hash,
    hash: row.hash,
  };
}
