// list_charges: single charges of a range, oldest first, with the tools in them.
import { z } from "zod";
import { chargesAfter, type ListedCharge } from "../ledger/charge-list.ts";
import { chargeId } from "../ledger/charges.ts";
import type { Work } from "../ledger/statement.ts";
import { chargeLine } from "./charge-line.ts";
import { costFilterInput, filterOf, mustSeeSession } from "./cost-filter.ts";
import { type Context, defineOperation, forbidden, type Principal } from "./operation.ts";
import { usdOf } from "./output.ts";
import { nextCursor, pageInput, wrongCursor } from "./page.ts";
import { hidesUsers } from "./reveal.ts";

const input = z.strictObject({ ...costFilterInput, ...pageInput(100) });

export const listCharges = defineOperation({
  name: "list_charges",
  title: "List charges",
  description:
    "Single charges of a range, in the order in which they were recorded, with the tools in them. The filters are those of get_costs. A page may be short or empty; go on until next_cursor is null.",
  input,
  output: z.looseObject({ charges: z.array(z.looseObject({})), next_cursor: nextCursor }),
  access: "viewer",
  effect: "read",
  run: (context, principal, args) => {
    // A user's charges one by one are what the privacy budget is there to hide.
    if (hidesUsers(context, principal)) throw forbidden("list_charges", "operators, where privacy is enabled");
    return context.ledger.read(() => page(context, principal, args));
  },
});

function* page(
  context: Context,
  principal: Principal,
  args: z.output<typeof input>,
): Work<{ charges: Record<string, unknown>[]; next_cursor: string | null }> {
  const filter = filterOf(context, principal, args);
  yield* mustSeeSession(context, principal, filter);
  const { charges, next } = yield* chargesAfter(filter, bookPlace(args.cursor), args.limit);
  return { charges: charges.map((charge) => lineOf(charge, principal)), next_cursor: bookCursor(next) };
}

/** A page ends at a charge's number in the workspace's book: it never changes, and new charges get higher ones. */
export const bookCursor = (next: bigint | null): string | null => (next === null ? null : String(next));

export function bookPlace(cursor: string | undefined): bigint {
  if (cursor === undefined) return 0n;
  if (!/^\d{1,13}$/.test(cursor)) throw wrongCursor();
  return BigInt(cursor);
}

function lineOf(charge: ListedCharge, principal: Principal): Record<string, unknown> {
  return {
    ...chargeLine(charge),
    parent_session_id: charge.parent_session_id,
    role: charge.role,
    team_id: charge.team_id,
    user_id: charge.user_id,
    hour: charge.hour,
    cache_read_tokens: Number(charge.cache_read_tokens),
    cache_write_tokens: Number(charge.cache_write_tokens),
    cache_write_1h_tokens: Number(charge.cache_write_1h_tokens),
    tool_calls: Number(charge.tool_calls),
    reported_usd: usdOf(charge.reported_nano_usd),
    priced_usd: usdOf(charge.priced_nano_usd),
    cost_source: charge.cost_source,
    latency_ms: charge.latency_ms === null ? null : Number(charge.latency_ms),
    corrects: charge.corrects_no === null ? null : chargeId(charge.session_id, charge.corrects_no),
    // Whatever an agent wrote there, perhaps with a secret in it: for those who have to mend it.
    ...(principal.kind === "viewer" ? {} : { error: charge.error, hold_id: charge.hold_id }),
  };
}
