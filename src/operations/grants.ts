// Grants: an operator raises one limit by an amount until an instant, never past the hard caps.
import { z } from "zod";
import type { Attribution, BalanceScope } from "../core/balance-key.ts";
import { AstraError } from "../core/error.ts";
import { callerId } from "../core/id.ts";
import { AMOUNT_MEASURES, type Limit } from "../core/limits.ts";
import { nanoFromUsd } from "../core/money.ts";
import type { WindowKind } from "../core/window.ts";
import { findGrant, type Grant, grantsInForce, insertGrant, revokeGrant as revoke } from "../ledger/grants.ts";
import { findSession } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { recordChange } from "./audit.ts";
import { once } from "./idempotency.ts";
import { idempotencyKey, instant, ourId, reason, why } from "./input.ts";
import { actorOf, type Context, defineOperation, hourAt, invalidInput, sessionNotFound } from "./operation.ts";
import { amountOut, instantOut } from "./output.ts";
import { livePageOf, nextCursor, pageInput } from "./page.ts";
import { knownTask, limitsNow, sessionStanding, standingOf } from "./standing.ts";

/** A scope's own window where none is named. */
const USUAL_WINDOW = {
  session: "session",
  task: "total",
  agent: "day",
  team: "day",
  workspace: "day",
} as const satisfies Record<BalanceScope, WindowKind>;

const scopes = Object.keys(USUAL_WINDOW) as [BalanceScope, ...BalanceScope[]];
const LONGEST_MS = 31 * 86_400_000;

const input = z.strictObject({
  scope: z.enum(scopes, { error: `expected one of ${scopes.join(", ")}` }),
  scope_id: callerId.describe("The session, task, agent, team or workspace."),
  window: z
    .enum(["session", "hour", "day", "month", "total"], { error: "expected session, hour, day, month or total" })
    .optional()
    .describe("The limit's window; absent: session for a session, total for a task, day for the others."),
  measure: z.enum(AMOUNT_MEASURES, { error: `expected one of ${AMOUNT_MEASURES.join(", ")}` }).default("cost_usd"),
  amount: z
    .number({ error: "expected dollars, or a whole number of tokens or calls, above 0" })
    .positive({ error: "expected more than 0" })
    .max(1e9, { error: "expected at most 1,000,000,000" })
    .describe("By how much: dollars for cost_usd, else tokens or calls."),
  expires_at: instant.describe("ISO 8601, until when: at most 31 days ahead."),
  reason,
  idempotency_key: idempotencyKey.optional(),
});

const output = z.looseObject({
  grant_id: z.string(),
  scope: z.string(),
  scope_id: z.string(),
  window: z.string(),
  measure: z.string(),
  amount: z.number(),
  expires_at: z.string(),
});

type Input = z.output<typeof input>;

export const grant = defineOperation({
  name: "grant",
  title: "Raise a limit for a while",
  description:
    "Raises one limit that is set by an amount until an instant. It holds at once, for open sessions too; a session's limit never passes the hard caps.",
  input,
  output: output.extend({ limit_before: z.number(), limit_after: z.number() }),
  access: "operator",
  effect: "write",
  run: (context, principal, args) =>
    context.ledger.write(() =>
      once(context, actorOf(principal), "grant", args, function* () {
        const made = newGrant(context, actorOf(principal), args);
        const before = yield* limitOf(context, made);
        yield* insertGrant(made);
        const after = yield* limitOf(context, made);
        const limits = {
          limit_before: amountOut(made.measure, before.limit),
          limit_after: amountOut(made.measure, after.limit),
        };
        yield* recordChange(context, principal, {
          action: "grant",
          target: targetOf(made),
          before: { limit: limits.limit_before },
          after: { limit: limits.limit_after, ...grantOut(made) },
          why: args.reason,
        });
        return { ...grantOut(made), ...limits };
      }),
    ),
});

function newGrant(context: Context, createdBy: string, args: Input): Grant {
  const now = context.now();
  if (args.expires_at <= now) throw invalidInput("expires_at", "expected a time to come");
  if (args.expires_at > now + LONGEST_MS) throw invalidInput("expires_at", "expected at most 31 days ahead");
  if (args.measure !== "cost_usd" && !Number.isInteger(args.amount))
    throw invalidInput("amount", "expected a whole number of tokens or calls");
  if (args.scope === "workspace" && args.scope_id !== context.policy.workspace.id)
    throw invalidInput("scope_id", "expected this workspace's id");
  const amount = args.measure === "cost_usd" ? nanoFromUsd(args.amount) : BigInt(args.amount);
  if (amount <= 0n) throw invalidInput("amount", "expected at least 0.000000001 dollars");
  return {
    id: context.newId("grant"),
    workspaceId: context.policy.workspace.id,
    scope: args.scope,
    scopeId: args.scope_id,
    window: args.window ?? USUAL_WINDOW[args.scope],
    measure: args.measure,
    amount,
    reason: args.reason,
    createdAt: now,
    createdBy,
    expiresAt: args.expires_at,
    revokedAt: null,
  };
}

/** The limit as decisions see it now. A grant on a limit that is not set would do nothing, so it is refused. */
function* limitOf(context: Context, made: Grant): Work<Limit> {
  const limits = yield* limitsBearingOn(context, made);
  const limit = limits.find(
    (each) =>
      each.scope === made.scope &&
      each.scopeId === made.scopeId &&
      each.window === made.window &&
      each.measure === made.measure,
  );
  if (!limit)
    throw invalidInput("scope_id", `expected a ${made.scope} that has a ${made.measure} limit per ${made.window}`);
  return limit;
}

function* limitsBearingOn(context: Context, { workspaceId, scope, scopeId }: Grant): Work<Limit[]> {
  const { policy } = context;
  const now = context.now();
  const hour = hourAt(context, now);
  if (scope === "session") {
    const session = yield* findSession(workspaceId, scopeId);
    if (!session) throw sessionNotFound();
    return yield* limitsNow(policy, yield* sessionStanding(policy, session, hour, now), now);
  }
  const task = scope === "task" ? yield* knownTask(policy, workspaceId, scopeId) : null;
  const spend: Attribution = {
    workspaceId,
    chain: [],
    agentId: scope === "agent" ? scopeId : "",
    teamId: scope === "team" ? scopeId : (task?.team ?? null),
    taskId: scope === "task" ? scopeId : null,
    hour,
  };
  return yield* limitsNow(policy, yield* standingOf(policy, spend, null, [], now), now);
}

export const listGrants = defineOperation({
  name: "list_grants",
  title: "List grants in force",
  description: "The temporary increases of limits that are in force, the newest first.",
  input: z.strictObject(pageInput(50)),
  output: z.looseObject({ grants: z.array(output), next_cursor: nextCursor }),
  access: "viewer",
  effect: "read",
  run: (context, _principal, args) =>
    context.ledger.read(function* () {
      const workspaceId = context.policy.workspace.id;
      const all = yield* grantsInForce(workspaceId, context.now());
      const find = (id: string) => findGrant(workspaceId, id);
      const { items, next_cursor } = yield* livePageOf(all, (each) => each.id, args, find);
      return { grants: items.map(grantOut), next_cursor };
    }),
});

export const revokeGrant = defineOperation({
  name: "revoke_grant",
  title: "Take a grant back",
  description: "Ends a grant before its time; ending it again changes nothing.",
  input: z.strictObject({ grant_id: ourId("grant"), reason: why }),
  output,
  access: "operator",
  effect: "idempotent",
  run: (context, principal, args) =>
    context.ledger.write(function* (): Work<z.input<typeof output>> {
      const known = yield* findGrant(context.policy.workspace.id, args.grant_id);
      if (!known) throw new AstraError("not_found", "There is no such grant.", "list_grants shows those in force.");
      if (known.revokedAt === null) {
        yield* revoke(known.workspaceId, known.id, context.now());
        yield* recordChange(context, principal, {
          action: "revoke_grant",
          target: targetOf(known),
          before: grantOut(known),
          after: null,
          why: args.reason,
        });
      }
      return grantOut(known);
    }),
});

const targetOf = (made: Grant): string => `${made.scope} ${made.scopeId} ${made.window} ${made.measure}`;

export function grantOut(each: Grant): z.input<typeof output> {
  return {
    grant_id: each.id,
    scope: each.scope,
    scope_id: each.scopeId,
    window: each.window,
    measure: each.measure,
    amount: amountOut(each.measure, each.amount),
    reason: each.reason,
    created_at: instantOut(each.createdAt),
    created_by: each.createdBy,
    expires_at: instantOut(each.expiresAt),
  };
}
