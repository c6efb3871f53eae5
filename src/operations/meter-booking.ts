// Booking what a meter found: each response once, under the locks of every balance it counts in.
import { type BalanceKey, balanceKeys } from "../core/balance-key.ts";
import { hash64 } from "../core/hash64.ts";
import type { Meter, MeteredResponse } from "../core/metered.ts";
import { NO_USAGE, type Usage } from "../core/usage.ts";
import { chargeId, type NewCharge, recordCharges } from "../ledger/charges.ts";
import { findCharge, inForce } from "../ledger/corrections.ts";
import { findAccounts, putAccounts, type StoredAccount } from "../ledger/metered.ts";
import type { Session } from "../ledger/session-row.ts";
import type { Work } from "../ledger/statement.ts";
import { correctTo, lockCharges } from "./correct.ts";
import { accountOf, bookedAccount, type Change, changeOf, type PricedAccount } from "./meter-account.ts";
import { type Context, hourAt } from "./operation.ts";

/** Responses of one thread that count in one session. */
export type Batch = {
  readonly session: Session;
  readonly responses: readonly MeteredResponse[];
  /** `past`: the session stands for all that nothing metered in time, so that nothing is late in it. */
  readonly when: "live" | "past";
};

/** A charge of a better account that cost less: by how much the one booked is to be lowered. */
export type Lowered = { readonly chargeId: string; readonly by: bigint };

export type Booked = {
  /** All charges of the batch as one; null = nothing was new. */
  readonly charge: NewCharge | null;
  /** Responses that were new, or of which more is known now. */
  readonly booked: number;
  readonly lowered: readonly Lowered[];
};

const hashOf = (context: Context, responseId: string): bigint => hash64(context.sha256(responseId));

/** Every balance the batch counts in. */
export function keysOfBatch(context: Context, { session, responses }: Batch): BalanceKey[] {
  const hours = new Set(responses.map(({ occurredAt }) => hourAt(context, occurredAt)));
  return [...hours].flatMap((hour) => balanceKeys({ ...session, hour }));
}

/** Whether any of them is unknown, or is known by an account that this one adds to. */
export function* hasNews(context: Context, responses: readonly MeteredResponse[], meter: Meter): Work<boolean> {
  const hashes = responses.map(({ responseId }) => hashOf(context, responseId));
  const known = yield* findAccounts(context.policy.workspace.id, hashes);
  return responses.some((response, i) => {
    const account = known.get(hashes[i] ?? 0n);
    if (!account) return true;
    const { adds, lowers } = changeOf(account, accountOf(context, response, meter));
    return adds !== null || lowers > 0n;
  });
}

type Found = { readonly hash: bigint; readonly found: PricedAccount; readonly known: StoredAccount | undefined };

/** Books the batch; its keys must be locked. Whatever the limits say: the money is spent. */
export function* bookBatch(context: Context, batch: Batch, meter: Meter, now: number): Work<Booked> {
  const { session, responses } = batch;
  const workspaceId = context.policy.workspace.id;
  const hashes = responses.map(({ responseId }) => hashOf(context, responseId));
  const accounts = yield* findAccounts(workspaceId, hashes);
  const charges: NewCharge[] = [];
  const kept: (Found & { readonly place: number | null })[] = [];
  const lowered: Lowered[] = [];
  for (const [i, response] of responses.entries()) {
    const hash = hashes[i] ?? 0n;
    const found = accountOf(context, response, meter);
    const known = accounts.get(hash);
    const change = changeOf(known, found);
    if (change.adds === null && change.lowers === 0n) continue;
    if (change.adds) charges.push(chargeOf(context, batch, found, change.adds, now));
    kept.push({ hash, found, known, place: known ? null : charges.length });
    if (known && change.lowers > 0n)
      lowered.push({ chargeId: chargeId(known.sessionId, known.chargeNo), by: change.lowers });
  }
  const [charge] = charges;
  const before = charge ? (yield* recordCharges(session, charges)).totals.charges - BigInt(charges.length) : 0n;
  yield* putAccounts(
    workspaceId,
    kept.map(({ hash, found, known, place }) => ({
      ...bookedAccount(known, found),
      hash,
      sessionId: known?.sessionId ?? session.id,
      chargeNo: known?.chargeNo ?? before + BigInt(place ?? 0),
    })),
  );
  return { charge: charge ? asOne(charge, charges) : null, booked: kept.length, lowered };
}

function chargeOf(
  context: Context,
  { session, when }: Batch,
  { response, price, account }: PricedAccount,
  { usage, cost, lines }: NonNullable<Change["adds"]>,
  now: number,
): NewCharge {
  return {
    session,
    model: response.model,
    provider: price.provider,
    tool: null,
    occurredAt: response.occurredAt,
    recordedAt: now,
    hour: hourAt(context, response.occurredAt),
    usage,
    cost,
    reported: null,
    priced: price.cost,
    costSource: price.costSource,
    priceList: price.priceList,
    source: "self_reported",
    meter: account.meter,
    late: when === "past" || response.occurredAt <= (session.endedAt ?? response.occurredAt) ? "in_time" : "late",
    latencyMs: null,
    error: null,
    holdId: null,
    key: null,
    corrects: null,
    lines,
  };
}

/** What watches reports sees many responses as one report. */
function asOne(charge: NewCharge, all: readonly NewCharge[]): NewCharge {
  const usage = all.map((each) => each.usage).reduce(addUsage, NO_USAGE);
  return { ...charge, usage, cost: all.reduce((sum, { cost }) => sum + cost, 0n), lines: [] };
}

function addUsage(a: Usage, b: Usage): Usage {
  const sums = (Object.keys(NO_USAGE) as (keyof Usage)[]).map((count) => [count, a[count] + b[count]]);
  return Object.fromEntries(sums) as Usage;
}

/** Takes back what a weaker account had too much, down to what the charge's tools cost. */
export function* lower(context: Context, { chargeId: id, by }: Lowered): Work<void> {
  const charge = yield* findCharge(context.policy.workspace.id, id);
  const [locked] = charge ? yield* lockCharges(context, [charge]) : [];
  if (!locked) return;
  const now = yield* inForce(locked.charge);
  const cost = now.cost - by > now.toolCost ? now.cost - by : now.toolCost;
  yield* correctTo(context, locked.charge, locked.session, now, { cost, source: "corrected" });
}
