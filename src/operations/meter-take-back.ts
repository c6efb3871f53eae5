// Taking back what is booked for a response, when another account of it takes its place.
import { type BalanceKey, balanceKeys } from "../core/balance-key.ts";
import type { Nano } from "../core/money.ts";
import { findBook } from "../ledger/books.ts";
import { findChargeOf, inForce } from "../ledger/corrections.ts";
import type { StoredAccount } from "../ledger/metered.ts";
import type { Session } from "../ledger/session-row.ts";
import { findSession } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import type { ChargesView } from "../ledger/tables.ts";
import { correctTo } from "./correct.ts";
import type { Context } from "./operation.ts";

type Booked = { readonly charge: ChargesView; readonly session: Session };

/** Where usage counts: in which session, and when (epoch ms, and its local hour). */
export type Place = { readonly session: Session; readonly occurredAt: number; readonly hour: string };

/** The charge that carries the account; null where its day is pruned. */
function* bookedFor(context: Context, { sessionId, chargeNo }: StoredAccount): Work<Booked | null> {
  const workspaceId = context.policy.workspace.id;
  const charge = yield* findChargeOf(sessionId, chargeNo);
  const session = yield* findSession(workspaceId, sessionId);
  const prunedBefore = (yield* findBook(workspaceId))?.prunedBefore ?? "";
  return charge && session && charge.hour >= prunedBefore ? { charge, session } : null;
}

/** The balances it counts in. */
export function* keysOfBooked(context: Context, account: StoredAccount): Work<BalanceKey[]> {
  const booked = yield* bookedFor(context, account);
  return booked ? balanceKeys({ ...booked.session, hour: booked.charge.hour }) : [];
}

export type TakenBack = {
  /** How much of the account's cost counts still. */
  readonly stays: Nano;
  /** Where it was booked. */
  readonly place: Place;
};

/**
 * Takes the cost back, but for that of the charge's listed tools: they ran, and no sum may fall below zero.
 * Whatever was corrected of the charge by then is replaced with it.
 */
export function* takeBack(context: Context, account: StoredAccount): Work<TakenBack | "pruned"> {
  const booked = yield* bookedFor(context, account);
  if (!booked) return "pruned";
  const { charge, session } = booked;
  const now = yield* inForce(charge);
  yield* correctTo(context, charge, session, now, { cost: now.toolCost, source: "corrected" });
  return {
    stays: account.cost - (charge.cost_nano_usd - now.toolCost),
    place: { session, occurredAt: Number(charge.occurred_at), hour: charge.hour },
  };
}
