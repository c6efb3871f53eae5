// Expiry of forgotten holds, inside the transaction that needs the room: no sweeper, no process need be alive.
import { type BalanceKey, balanceKeys, sortKeys } from "../core/balance-key.ts";
import { NOTHING, negate } from "../core/usage.ts";
import { addToBalances, type BalanceRow, lockBalances } from "../ledger/balances.ts";
import { recordCharge } from "../ledger/charges.ts";
import { closeHold, dueHolds, type Hold } from "../ledger/holds.ts";
import { findSession, type Session } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import type { Context } from "./operation.ts";

/**
 * Locks the keys of a transaction together with those of every hold whose time is over, expires those holds, and
 * answers the balances of the asked keys. Every write that decides begins with this. With `expire_only`, for a
 * write whose first statement locks the keys anyway, nothing is locked unless a hold is due.
 */
export function* lockAndExpire(
  context: Context,
  keys: readonly BalanceKey[],
  nowMs: number,
  how: "lock" | "expire_only" = "lock",
): Work<readonly BalanceRow[]> {
  const due = yield* withSessions(yield* dueHolds(context.policy.workspace.id, nowMs));
  if (due.length === 0) return how === "lock" ? yield* lockBalances(context.policy.workspace.id, keys) : [];
  yield* lockBalances(
    context.policy.workspace.id,
    sortKeys([...keys, ...due.flatMap(({ hold, session }) => keysOfHold(hold, session))]),
  );
  for (const { hold, session } of due) yield* expire(context, hold, session, nowMs);
  return yield* lockBalances(context.policy.workspace.id, keys);
}

/** The balances that carry a hold. */
export function keysOfHold(hold: Hold, session: Session): BalanceKey[] {
  return balanceKeys({ ...session, hour: hold.hour });
}

/** Takes a hold's amounts off its balances, once; the keys must be locked. */
export function* freeHold(
  hold: Hold,
  session: Session,
  state: "settled" | "released" | "expired",
): Work<"closed" | "was_closed"> {
  const closed = yield* closeHold(hold.id, state);
  if (closed === "closed")
    yield* addToBalances(hold.workspaceId, keysOfHold(hold, session), NOTHING, negate(hold.amounts));
  return closed;
}

function* expire(context: Context, hold: Hold, session: Session, nowMs: number): Work<void> {
  const closed = yield* freeHold(hold, session, "expired");
  if (closed === "was_closed" || context.policy.onHoldExpiry === "release") return;
  yield* recordCharge({
    id: context.newId("charge"),
    session,
    model: session.model,
    provider: session.provider,
    tool: null,
    occurredAt: hold.expiresAt,
    recordedAt: nowMs,
    // Where it was held, there it is booked: its rows are locked, and no window changes under it.
    hour: hold.hour,
    usage: {
      inputTokens: hold.amounts.promptTokens,
      outputTokens: hold.amounts.completionTokens,
      cacheReadTokens: 0n,
      cacheWriteTokens: 0n,
      cacheWrite1hTokens: 0n,
      toolCalls: hold.amounts.toolCalls,
    },
    cost: hold.amounts.cost,
    reported: null,
    priced: null,
    costSource: "estimate",
    priceList: null,
    source: "unconfirmed",
    late: session.status === "open" ? "in_time" : "late",
    latencyMs: null,
    error: null,
    holdId: hold.id,
    idempotencyKey: null,
    request: null,
    lines: [],
  });
}

function* withSessions(holds: readonly Hold[]): Work<{ hold: Hold; session: Session }[]> {
  const found: { hold: Hold; session: Session }[] = [];
  for (const hold of holds) {
    const session = yield* findSession(hold.workspaceId, hold.sessionId);
    if (session) found.push({ hold, session });
  }
  return found;
}

/** Expires what is due in a transaction of its own, for a reader that found some. */
export function* expireDue(context: Context, nowMs: number): Work<void> {
  yield* lockAndExpire(context, [], nowMs);
}
