// report_usage: book what was used, whatever the limits say, and answer where that leaves the session.
import { z } from "zod";
import { balanceKeys, sortKeys } from "../core/balance-key.ts";
import { AstraError } from "../core/error.ts";
import { type GuidedCost, guidelineNotices } from "../core/guidelines.ts";
import { type Limit, lookup } from "../core/limits.ts";
import { usdFromNano } from "../core/money.ts";
import { isExhausted, NO_ASK, type Refusal, type Verdict, verdictOf } from "../core/verdict.ts";
import { type BalanceRow, readBalances } from "../ledger/balances.ts";
import { findChargeByKey, recordCharge, type StoredCharge } from "../ledger/charges.ts";
import { findHold, type Hold } from "../ledger/holds.ts";
import type { Session } from "../ledger/session-row.ts";
import { findSession } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { freeHold, keysOfHold, lockAndExpire, reverseUnconfirmed } from "./expiry.ts";
import { idReused } from "./idempotency.ts";
import { type Context, defineOperation, hourAt, mayTouch, type Principal, sessionNotFound } from "./operation.ts";
import { totalsOut, totalsOutput, usdOutput, verdictOut, verdictOutput } from "./output.ts";
import { NOTHING_RAISED, type Raised } from "./raise.ts";
import { chargeKey, chargeOf, type ReportInput, reportInput, withoutModelUsage } from "./report-charge.ts";
import { bookedResponse, keepResponse } from "./report-response.ts";
import { limitsOf, type Standing, sessionStanding, usualCosts } from "./standing.ts";
import { watchReport } from "./watch.ts";

const output = z.looseObject({
  charge_id: z.string(),
  recorded: z.boolean(),
  duplicate: z.boolean(),
  late: z.boolean(),
  cost_usd: usdOutput,
  cost_source: z.string(),
  session: totalsOutput,
  over_budget: z.boolean(),
  verdict: verdictOutput,
});

export const reportUsage = defineOperation({
  name: "report_usage",
  title: "Report usage",
  description:
    "Report what was used since the last report (amounts are differences, not totals). It is always recorded, even over budget. Call it after every model call or small batch. Read verdict: on deny stop now; on warn finish with less.",
  input: reportInput,
  output,
  access: "agent",
  effect: "write",
  run: async (context, principal, args) => {
    const isMetered = principal.kind === "agent" && principal.isMetered === true;
    const added = isMetered ? withoutModelUsage(args) : args;
    const answer = await context.ledger.write(() => report(context, principal, added));
    return isMetered ? { ...answer, metered: true } : answer;
  },
});

function* report(context: Context, principal: Principal, args: ReportInput): Work<z.input<typeof output>> {
  const now = context.now();
  const session = yield* findSession(context.policy.workspace.id, args.session_id);
  if (!session || !mayTouch(principal, session.agentId)) throw sessionNotFound();
  const key = chargeKey(context, args);
  const earlier = key && (yield* findChargeByKey(session.id, key.hash));
  if (earlier) return yield* repeat(context, session, earlier, key.request, now);
  const hold = yield* ownHold(session, args.hold_id);
  const charge = chargeOf(context, args, session, now);
  const standing = yield* sessionStanding(context.policy, session, hourAt(context, now), now);
  const ownKeys = balanceKeys({ ...session, hour: charge.booked.hour });
  const holdKeys = hold ? keysOfHold(hold, session) : [];
  yield* lockAndExpire(
    context,
    sortKeys([...standing.keys, ...ownKeys, ...holdKeys]),
    now,
    hold || args.response_id !== undefined ? "lock" : "expire_only",
    args.hold_id,
  );
  const found = args.response_id === undefined ? null : yield* bookedResponse(context, principal, args.response_id);
  const known = typeof found === "object" ? found : null;
  const settled = hold ? yield* freeHold(hold, session, known ? "released" : "settled") : null;
  if (hold && settled === "was_closed") yield* reverseUnconfirmed(hold, session, now);
  if (known) return yield* bookedBefore(context, session, known, settled === "closed" ? "released" : settled, now);
  // What was admitted in a window is spent in it: a hold made before midnight leaves no hole in the new day's cap.
  const booked = hold && settled === "closed" ? { ...charge.booked, hour: hold.hour } : charge.booked;
  const { id, totals, balances } = yield* recordCharge(booked);
  if (args.response_id !== undefined && found === "nothing")
    yield* keepResponse(context, args.response_id, booked, totals.charges);
  // A report of an earlier hour counts there; the verdict is about now.
  const current =
    booked.hour === standing.spend.hour ? balances : yield* readBalances(session.workspaceId, standing.keys);
  const balanceOf = lookup(current);
  const limits = limitsOf(context.policy, standing, balanceOf, now);
  const costs = usualCosts(context.policy, standing, balanceOf);
  const after = { ...session, totals };
  const seen = { standing, session: after, charge: booked, limits, costs };
  const raised = yield* watchReport(context, seen, now);
  const verdict = verdictAfter(context, standing, limits, costs, raised, charge.refusal);
  return answer({ ...booked, id }, after, current, verdict, {
    duplicate: false,
    hold: settled === "closed" ? "settled" : settled,
  });
}

function* ownHold(session: Session, id: string | undefined): Work<Hold | null> {
  if (id === undefined) return null;
  const hold = yield* findHold(session.workspaceId, id);
  if (!hold || hold.sessionId !== session.id) {
    throw new AstraError(
      "hold_not_found",
      "This session has no such hold.",
      "Use the hold_id that check_budget returned for this session, or leave it out.",
    );
  }
  return hold;
}

function verdictAfter(
  context: Context,
  standing: Standing,
  limits: readonly Limit[],
  costs: readonly GuidedCost[],
  raised: Raised,
  refusal: Refusal | null,
): Verdict {
  const refusals = [...standing.refusals, ...raised.refusals, ...(refusal ? [refusal] : [])];
  const notices = [...raised.notices, ...guidelineNotices(costs, standing.runTime.teamDaily)];
  return verdictOf(limits, NO_ASK, context.policy.warnAtPpm, refusals, notices);
}

/** A repeat: the first one's charge, the verdict of now, nothing written. */
function* repeat(
  context: Context,
  session: Session,
  earlier: StoredCharge,
  request: bigint,
  now: number,
): Work<z.input<typeof output>> {
  if (earlier.request !== request) throw idReused();
  return yield* bookedBefore(context, session, earlier, null, now);
}

/** An answer with what is booked already, and with what a hold of the report has freed. */
function* bookedBefore(
  context: Context,
  { id, workspaceId }: Session,
  earlier: Omit<StoredCharge, "request">,
  hold: string | null,
  now: number,
): Work<z.input<typeof output>> {
  const session = yield* findSession(workspaceId, id);
  if (!session) throw sessionNotFound();
  const standing = yield* sessionStanding(context.policy, session, hourAt(context, now), now);
  const balances = yield* readBalances(session.workspaceId, standing.keys);
  const balanceOf = lookup(balances);
  const limits = limitsOf(context.policy, standing, balanceOf, now);
  const costs = usualCosts(context.policy, standing, balanceOf);
  const verdict = verdictAfter(context, standing, limits, costs, NOTHING_RAISED, null);
  return answer(earlier, session, balances, verdict, { duplicate: true, hold });
}

function answer(
  charge: Omit<StoredCharge, "request">,
  session: Session,
  balances: readonly BalanceRow[],
  verdict: Verdict,
  how: { duplicate: boolean; hold: string | null },
): z.input<typeof output> {
  const tree = balances.find(([key]) => key.scope === "session" && key.scopeId === session.id);
  return {
    charge_id: charge.id,
    recorded: true,
    duplicate: how.duplicate,
    late: charge.late === "late",
    cost_usd: usdFromNano(charge.cost),
    cost_source: charge.costSource,
    hold: how.hold,
    session: totalsOut(session, tree?.[1].spent.cost ?? 0n),
    over_budget: verdict.limits.some(isExhausted),
    verdict: verdictOut(verdict),
  };
}
