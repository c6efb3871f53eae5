// API keys: made by owners, shown once, kept as a hash, revoked at once.
import { z } from "zod";
import { AstraError } from "../core/error.ts";
import { callerId } from "../core/id.ts";
import { type ApiKey, findKey, insertKey, listKeys as keysOf, revokeKey as revoke } from "../ledger/keys.ts";
import type { Work } from "../ledger/statement.ts";
import { recordChange } from "./audit.ts";
import { once } from "./idempotency.ts";
import { freeText, idempotencyKey, instant, ourId, why } from "./input.ts";
import { actorOf, type Context, defineOperation, invalidInput, type Principal } from "./operation.ts";
import { instantOut } from "./output.ts";
import { nextCursor, pageInput, pageOf } from "./page.ts";

/** What every key begins with (Cost Control, "Sessions": `X-API-Key: oc_…`). */
export const KEY_PREFIX = "oc_";

const ROLES = ["agent", "viewer", "operator", "owner"] as const satisfies readonly Principal["kind"][];

export const keyRole = z.enum(ROLES, { error: `expected one of ${ROLES.join(", ")}` });

const input = z.strictObject({
  name: freeText(100).refine((name) => name.trim() !== "", { error: "expected a name: whose key is it?" }),
  role: keyRole
    .default("agent")
    .describe("agent: one agent's own sessions; viewer: reads all; operator: limits, tasks, stops; owner: keys too."),
  agent_id: callerId.optional().describe("For the role agent: the one agent it speaks for."),
  expires_at: instant.optional().describe("ISO 8601; absent = never."),
  reason: why,
  idempotency_key: idempotencyKey.optional(),
});

const output = z.looseObject({
  key_id: z.string(),
  name: z.string(),
  role: keyRole,
  agent_id: z.string().nullable(),
  secret_start: z.string(),
  created_at: z.string(),
  expires_at: z.string().nullable(),
  last_used_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
});

const made = output.extend({ secret: z.string().nullable() });

export const createKey = defineOperation({
  name: "create_key",
  title: "Create an API key",
  description: "Makes a key and answers its secret, this one time: only a hash is kept.",
  input,
  output: made,
  access: "owner",
  effect: "write",
  run: (context, principal, args) =>
    context.ledger.write(() =>
      once(
        context,
        actorOf(principal),
        "create_key",
        args,
        () => create(context, principal, args),
        // A repeat learns which key it was, never the secret: that is written nowhere.
        (answer) => ({ ...answer, secret: null }),
      ),
    ),
});

function* create(context: Context, principal: Principal, args: z.output<typeof input>): Work<z.input<typeof made>> {
  const now = context.now();
  if ((args.role === "agent") !== (args.agent_id !== undefined))
    throw invalidInput("agent_id", "expected exactly for the role agent");
  if (args.expires_at !== undefined && args.expires_at <= now)
    throw invalidInput("expires_at", "expected a time to come");
  const secret = KEY_PREFIX + context.newSecret();
  const key: ApiKey = {
    id: context.newId("key"),
    workspaceId: context.policy.workspace.id,
    name: args.name,
    role: args.role,
    agentId: args.agent_id ?? null,
    secretHash: context.sha256(secret),
    secretStart: secret.slice(0, KEY_PREFIX.length + 4),
    createdAt: now,
    createdBy: actorOf(principal),
    expiresAt: args.expires_at ?? null,
    lastUsedAt: null,
    revokedAt: null,
  };
  yield* insertKey(key);
  yield* recordChange(context, principal, {
    action: "create_key",
    target: `key ${key.id}`,
    before: null,
    after: keyOut(key),
    why: args.reason,
  });
  return { ...keyOut(key), secret };
}

/** First start: an owner's key, unless there is one that works. Several servers may start at once: one makes it. */
export const createFirstKey = defineOperation({
  name: "create_first_key",
  title: "Create the first owner key",
  description: "Makes an owner's key if the workspace has none that works.",
  input: z.strictObject({}),
  output: z.looseObject({ secret: z.string().nullable() }),
  access: "owner",
  effect: "idempotent",
  run: (context, principal) =>
    context.ledger.write(function* (): Work<{ secret: string | null }> {
      const keys = yield* keysOf(context.policy.workspace.id);
      if (keys.some((key) => key.role === "owner" && isInForce(key, context.now()))) return { secret: null };
      return yield* create(context, principal, { name: "first owner", role: "owner" });
    }),
});

export function isInForce(key: Pick<ApiKey, "expiresAt" | "revokedAt">, nowMs: number): boolean {
  return key.revokedAt === null && (key.expiresAt === null || key.expiresAt > nowMs);
}

export const listKeys = defineOperation({
  name: "list_keys",
  title: "List API keys",
  description: "All keys of the workspace, the newest first, revoked ones included; never a secret.",
  input: z.strictObject(pageInput(50)),
  output: z.looseObject({ keys: z.array(output), next_cursor: nextCursor }),
  access: "owner",
  effect: "read",
  run: async (context, _principal, args) => {
    const all = await context.ledger.read(() => keysOf(context.policy.workspace.id));
    const { items, next_cursor } = pageOf(all, (key) => key.id, args);
    return { keys: items.map(keyOut), next_cursor };
  },
});

export const revokeKey = defineOperation({
  name: "revoke_key",
  title: "Revoke an API key",
  description: "The key and every token it was traded for stop working at once, or within a second on other servers.",
  input: z.strictObject({ key_id: ourId("key"), reason: why }),
  output,
  access: "owner",
  effect: "idempotent",
  run: (context, principal, args) =>
    context.ledger.write(function* (): Work<z.input<typeof output>> {
      const { id: workspaceId } = context.policy.workspace;
      const key = yield* findKey(workspaceId, args.key_id);
      if (!key) throw new AstraError("not_found", "There is no such key.", "list_keys shows the keys.");
      if (key.revokedAt !== null) return keyOut(key);
      const revoked = { ...key, revokedAt: context.now() };
      yield* revoke(workspaceId, key.id, revoked.revokedAt);
      yield* recordChange(context, principal, {
        action: "revoke_key",
        target: `key ${key.id}`,
        before: keyOut(key),
        after: keyOut(revoked),
        why: args.reason,
      });
      return keyOut(revoked);
    }),
});

function keyOut(key: ApiKey): z.input<typeof output> {
  const instantOrNull = (ms: number | null) => (ms === null ? null : instantOut(ms));
  return {
    key_id: key.id,
    name: key.name,
    role: key.role,
    agent_id: key.agentId,
    secret_start: key.secretStart,
    created_at: instantOut(key.createdAt),
    created_by: key.createdBy,
    expires_at: instantOrNull(key.expiresAt),
    last_used_at: instantOrNull(key.lastUsedAt),
    revoked_at: instantOrNull(key.revokedAt),
  };
}
