// The audit: who changed what and when, chained by hash, readable and verifiable but never writable by a caller.
import { z } from "zod";
import {
  type AuditEntry,
  type AuditHead,
  appendAudit,
  auditBelow,
  findAuditHead,
  lockAuditHead,
  newestAudit,
} from "../ledger/audit.ts";
import type { Work } from "../ledger/statement.ts";
import { actorOf, type Context, defineOperation, type Principal } from "./operation.ts";
import { instantOut } from "./output.ts";
import { nextCursor, pageInput, wrongCursor } from "./page.ts";

/** A change of limits, stops, grants, keys, tasks or the policy. `before` and `after` must hold no secret. */
export type Change = {
  readonly action: string;
  /** What was changed: "team night", "key key_…". */
  readonly target: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly why?: string | undefined;
};

/** Appends the change to the audit, in the transaction that makes it. */
export function* recordChange(context: Context, principal: Principal, change: Change): Work<void> {
  const workspaceId = context.policy.workspace.id;
  const head = yield* lockAuditHead(workspaceId);
  const entry = {
    workspaceId,
    seq: head.seq + 1,
    at: context.now(),
    actor: actorOf(principal),
    role: principal.kind,
    action: change.action,
    target: change.target,
    before: JSON.stringify(change.before ?? null),
    after: JSON.stringify(change.after ?? null),
    why: change.why ?? null,
    previousHash: head.hash,
  };
  yield* appendAudit({ ...entry, hash: hashOf(context, entry) });
}

/** SHA-256 over the hash before and every field of the entry, as a JSON list. */
function hashOf(context: Context, entry: Omit<AuditEntry, "hash">): string {
  const { previousHash, workspaceId, seq, at, actor, role, action, target, before, after, why: reason } = entry;
  return context.sha256(
    JSON.stringify([previousHash, workspaceId, seq, at, actor, role, action, target, before, after, reason]),
  );
}

export const listAudit = defineOperation({
  name: "list_audit",
  title: "List the audit",
  description: "Every change of limits, stops, grants, keys, tasks and the policy: who, when, before, after, why.",
  input: z.strictObject(pageInput(50)),
  output: z.looseObject({ entries: z.array(z.looseObject({})), next_cursor: nextCursor }),
  access: "viewer",
  effect: "read",
  run: (context, _principal, args) =>
    context.ledger.read(function* () {
      const below = args.cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(args.cursor);
      if (!Number.isSafeInteger(below) || below < 1) throw wrongCursor();
      const entries = yield* auditBelow(context.policy.workspace.id, below, args.limit);
      const last = entries.at(-1);
      return { entries: entries.map(entryOut), next_cursor: last && last.seq > 1 ? String(last.seq) : null };
    }),
});

function entryOut(entry: AuditEntry): Record<string, unknown> {
  return {
    seq: entry.seq,
    at: instantOut(entry.at),
    actor: entry.actor,
    role: entry.role,
    action: entry.action,
    target: entry.target,
    before: JSON.parse(entry.before),
    after: JSON.parse(entry.after),
    why: entry.why,
    hash: entry.hash,
  };
}

/** Rows of one step of the verification: a long audit is not read at once. */
const STEP = 1_000;

export const verifyAudit = defineOperation({
  name: "verify_audit",
  title: "Verify the audit",
  description:
    "Recomputes the audit's chain of hashes and names the first entry that was changed or is missing. Keep `hash` elsewhere: an audit rewritten as a whole cannot end in it.",
  input: z.strictObject({}),
  output: z.looseObject({
    ok: z.boolean(),
    entries: z.number(),
    hash: z.string(),
    fault: z.string().nullable(),
  }),
  access: "viewer",
  effect: "read",
  run: (context) =>
    context.ledger.read(function* () {
      const head = yield* findAuditHead(context.policy.workspace.id);
      const fault = yield* faultOf(context, head);
      return { ok: fault === null, entries: head.seq, hash: head.hash, fault };
    }),
});

/** From the newest entry back to the first. */
function* faultOf(context: Context, head: AuditHead): Work<string | null> {
  let next = head;
  for (;;) {
    const entries = yield* auditBelow(
      context.policy.workspace.id,
      next === head ? Number.MAX_SAFE_INTEGER : next.seq + 1,
      STEP,
    );
    for (const entry of entries) {
      if (entry.seq > next.seq) return `entry ${entry.seq} is newer than the recorded end`;
      if (entry.seq < next.seq) return `entry ${next.seq} is missing`;
      if (entry.hash !== next.hash || entry.hash !== hashOf(context, entry)) return `entry ${entry.seq} was changed`;
      next = { seq: entry.seq - 1, hash: entry.previousHash };
    }
    if (entries.length < STEP) break;
  }
  if (next.seq > 0) return `entry ${next.seq} is missing`;
  return next.hash === "" ? null : "entry 1 was changed";
}

/** Several servers see the same change of a file: it is recorded once. */
export const recordPolicy = defineOperation({
  name: "record_policy",
  title: "Record a changed policy",
  description: "Notes in the audit that a policy with this fingerprint took effect, unless it is the newest one noted.",
  input: z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  output: z.looseObject({ recorded: z.boolean() }),
  access: "owner",
  effect: "idempotent",
  run: (context, principal, args) =>
    context.ledger.write(function* (): Work<{ recorded: boolean }> {
      const workspaceId = context.policy.workspace.id;
      const earlier = yield* newestAudit(workspaceId, POLICY_ACTION);
      const before = earlier ? JSON.parse(earlier.after) : null;
      if (before?.sha256 === args.sha256) return { recorded: false };
      yield* recordChange(context, principal, {
        action: POLICY_ACTION,
        target: `policy ${workspaceId}`,
        before,
        after: args,
      });
      return { recorded: true };
    }),
});
const POLICY_ACTION = "policy_loaded";
