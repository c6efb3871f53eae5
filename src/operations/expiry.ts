// Expiry of forgotten holds, inside the transaction that needs the room: no sweeper, no process need be alive.
import { type BalanceKey, balanceKeys, sortKeys } from "../core/balance-key.ts";
import { NOTHING, negate } from "../core/usage.ts";
import { addToBalances, type BalanceRow, lockBalances } from "../ledger/balances.ts";
import { isBookedUnconfirmed, type NewCharge, recordCharge } from "../ledger/charges.ts";
import { closeHold, dueHolds, type Hold } from "../ledger/holds.ts";
import type { Session } from "../ledger/session-row.ts";
import { findSession } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import type { Context } from "./operation.ts";

/**
 * Locks the keys of a transaction together with those of every hold whose time is over, expires those holds, and
 * answers the balances of the asked keys. Every write that decides begins with this. With `expire_only`, for a
 * write whose first statement locks the keys anyway, nothing is locked unless a hold is due. A hold that is being
 * settled right now is spared: its report has come, if late.
 */
export function* lockAndExpire(
  context: Context,
  keys: readonly BalanceKey[],
  nowMs: number,
  how: "lock" | "expire_only" = "lock",
  spared?: string,
): Work<readonly BalanceRow[]> {
  const overdue = yield* dueHolds(context.policy.workspace.id, nowMs);
  const due = yield* withSessions(overdue.filter((hold) => hold.id !== spared));
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
  yield* recordCharge(chargeOfHold(hold, session, "unconfirmed", nowMs));
}

/** Takes back the charge a forgotten hold was booked as, when its report comes after all: nothing counts twice. */
export function* reverseUnconfirmed(hold: Hold, session: Session, nowMs: number): Work<void> {
  if (!(yield* isBookedUnconfirmed(session.id, hold.id))) return;
  yield* recordCharge(chargeOfHold({ ...hold, amounts: negate(hold.amounts) }, session, "reversal", nowMs));
}

/** A hold's amounts as a charge: booked where they were held, so that its rows are locked and no window changes. */
function chargeOfHold(hold: Hold, session: Session, source: "unconfirmed" | "reversal", nowMs: number): NewCharge {
  const { cost, promptTokens, completionTokens, toolCalls } = hold.amounts;
  return {
    session,
    model: session.model,
    provider: session.provider,
    tool: null,
    occurredAt: hold.expiresAt,
    recordedAt: nowMs,
    hour: hold.hour,
    usage: {
      inputTokens: promptTokens,
      outputTokens: completionTokens,
      cacheReadTokens: 0n,
      cacheWriteTokens: 0n,
      cacheWrite1hTokens: 0n,
      toolCalls,
    },
    cost,
    reported: null,
    priced: null,
    costSource: "estimate",
    priceList: null,
    source,
    meter: "self_reported",
    late: session.status === "open" ? "in_time" : "late",
    latencyMs: null,
    error: null,
    holdId: hold.id,
    key: null,
    corrects: null,
    lines: [],
  };
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
