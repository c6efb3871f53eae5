// A report that names the model's response: known to meters by that, so that each counts once, by its best account.
import { chargeId, type NewCharge, type StoredCharge } from "../ledger/charges.ts";
import { findChargeOf } from "../ledger/corrections.ts";
import { findAccounts, putAccounts } from "../ledger/metered.ts";
import { findSession } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { WEB_SEARCH } from "./meter-account.ts";
import { hashOf } from "./meter-booking.ts";
import { type Context, mayTouch, type Principal } from "./operation.ts";

/**
 * What is booked for the response already, by whatever source; decide on it only under the report's locks. Another agent's
 * is not told, and frees nobody from a charge: such a report counts by itself.
 */
export function* bookedResponse(
  context: Context,
  principal: Principal,
  responseId: string,
): Work<Omit<StoredCharge, "request"> | "nothing" | "of another"> {
  const hash = hashOf(context, responseId);
  const known = (yield* findAccounts(context.policy.workspace.id, [hash])).get(hash);
  if (!known) return "nothing";
  const session = yield* findSession(context.policy.workspace.id, known.sessionId);
  if (!session || !mayTouch(principal, session.agentId)) return "of another";
  const charge = yield* findChargeOf(known.sessionId, known.chargeNo);
  return {
    id: chargeId(known.sessionId, known.chargeNo),
    cost: known.cost,
    // Of a pruned charge nothing more is known.
    costSource: charge?.cost_source ?? "reported",
    late: charge?.late === 1n ? "late" : "in_time",
  };
}

/** Keeps the report as the response's account until a meter finds a better one. What other tools cost is no part of it. */
export function* keepResponse(context: Context, responseId: string, charge: NewCharge, chargeNo: bigint): Work<void> {
  const { usage, lines } = charge;
  const searches = lines.find(({ tool }) => tool === WEB_SEARCH)?.calls ?? 0n;
  const others = lines.filter(({ tool }) => tool !== WEB_SEARCH).reduce((sum, { cost }) => sum + cost, 0n);
  const account = {
    ...usage,
    hash: hashOf(context, responseId),
    sessionId: charge.session.id,
    chargeNo,
    meter: charge.meter,
    webSearches: searches,
    toolCalls: usage.toolCalls - searches,
    cost: charge.cost - others,
  };
  yield* putAccounts(context.policy.workspace.id, [account]);
}
