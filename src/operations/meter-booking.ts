// Booking what a meter found: each response once, under the locks of every balance it counts in.
import { type BalanceKey, balanceKeys, sortKeys } from "../core/balance-key.ts";
import { hash64 } from "../core/hash64.ts";
import { max } from "../core/limits.ts";
import { type Meter, type MeteredResponse, tokensOf } from "../core/metered.ts";
import type { Nano } from "../core/money.ts";
import { NO_USAGE, type Usage } from "../core/usage.ts";
import { type NewCharge, recordCharges } from "../ledger/charges.ts";
import { type BookedFile, putBookedBytes } from "../ledger/meter-threads.ts";
import { type Account, findAccounts, putAccounts, type StoredAccount } from "../ledger/metered.ts";
import type { Session } from "../ledger/session-row.ts";
import { findSession } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { lockAndExpire } from "./expiry.ts";
import { accountOf, type Change, changeOf, type PricedAccount } from "./meter-account.ts";
import { keysOfBooked, type Place, type TakenBack, takeBack } from "./meter-take-back.ts";
import { type Context, hourAt } from "./operation.ts";
import { servedBy } from "./price-response.ts";

/** Responses of one thread that count in one session. */
export type Batch = {
  readonly session: Session;
  readonly responses: readonly MeteredResponse[];
  /** `past`: the session stands for all that nothing metered in time, so that nothing is late in it. */
  readonly when: "live" | "past";
};

export type Booked = {
  /** The batch's, as it was before. */
  readonly session: Session;
  /** All charges of the batch as one, for what watches reports. */
  readonly charge: NewCharge;
  /** How many responses were new, or are known better now. */
  readonly responses: number;
};

type News = {
  readonly hash: bigint;
  readonly found: PricedAccount;
  readonly known: StoredAccount | undefined;
  readonly change: Change;
};

/** How the ledger knows a response. */
export const hashOf = (context: Context, responseId: string): bigint => hash64(context.sha256(responseId));

type LookedUp = Pick<News, "hash" | "known"> & { readonly response: MeteredResponse };

function* lookUp(context: Context, responses: readonly MeteredResponse[]): Work<LookedUp[]> {
  const all = eachOnce(responses).map((response) => ({ response, hash: hashOf(context, response.responseId) }));
  const hashes = all.map(({ hash }) => hash);
  const booked = yield* findAccounts(context.policy.workspace.id, hashes);
  return all.map((each) => ({ ...each, known: booked.get(each.hash) }));
}

/** Null where the response is booked already, and in full. */
function newsOf(context: Context, { response, hash, known }: LookedUp, meter: Meter): News | null {
  const found = accountOf(context, response, meter);
  const change = changeOf(known, found);
  return change && { hash, found, known, change };
}

/** Of a response that is told of more than once the larger account. */
function eachOnce(responses: readonly MeteredResponse[]): MeteredResponse[] {
  const largest = new Map<string, MeteredResponse>();
  for (const response of responses) {
    const known = largest.get(response.responseId);
    if (!known || tokensOf(response) > tokensOf(known)) largest.set(response.responseId, response);
  }
  return [...largest.values()];
}

export function* hasNews(context: Context, responses: readonly MeteredResponse[], meter: Meter): Work<boolean> {
  const found = yield* lookUp(context, responses);
  return found.some((each) => each.known === undefined || newsOf(context, each, meter) !== null);
}

/** All that was read, in one transaction: it is booked, with how far the files are, or it is read again. */
export function* bookAll(
  context: Context,
  batches: readonly Batch[],
  files: readonly BookedFile[],
  meter: Meter,
  now: number,
): Work<Booked[]> {
  const workspaceId = context.policy.workspace.id;
  const keys: BalanceKey[] = [];
  for (const batch of batches) keys.push(...(yield* keysOfBatch(context, batch, meter)));
  if (keys.length > 0) yield* lockAndExpire(context, sortKeys(keys), now);
  const all: Booked[] = [];
  for (const batch of batches) {
    // Batches before it in this transaction may have changed it.
    const session = (yield* findSession(workspaceId, batch.session.id)) ?? batch.session;
    const booked = yield* bookBatch(context, { ...batch, session }, meter, now);
    if (booked) all.push(booked);
  }
  for (const { path, bytes } of files) yield* putBookedBytes(workspaceId, path, bytes, now);
  return all;
}

/** Every balance the batch counts in, or takes something back from. */
function* keysOfBatch(context: Context, { session, responses }: Batch, meter: Meter): Work<BalanceKey[]> {
  const hours = new Set(responses.map(({ occurredAt }) => hourAt(context, occurredAt)));
  const keys = [...hours].flatMap((hour) => balanceKeys({ ...session, hour }));
  for (const each of yield* lookUp(context, responses))
    if (each.known && newsOf(context, each, meter)) keys.push(...(yield* keysOfBooked(context, each.known)));
  return keys;
}

/** Books the batch; its keys must be locked. Whatever the limits say: the money is spent. Null = nothing was new. */
function* bookBatch(context: Context, batch: Batch, meter: Meter, now: number): Work<Booked | null> {
  const news: { readonly hash: bigint; readonly account: Account; readonly charge: NewCharge }[] = [];
  let cost = 0n;
  for (const each of yield* lookUp(context, batch.responses)) {
    const found = newsOf(context, each, meter);
    const replaced = found?.known ? yield* takeBack(context, found.known) : null;
    if (!found || replaced === "pruned") continue;
    const place = placeOf(context, batch, found, replaced);
    const charge = chargeOf(place, batch.when, found, replaced?.stays ?? null, now);
    const account = { ...found.change.account, cost: (replaced?.stays ?? 0n) + charge.cost };
    cost += account.cost - (found.known?.cost ?? 0n);
    news.push({ hash: found.hash, account, charge });
  }
  const charges = news.map(({ charge }) => charge);
  const [first] = charges;
  if (!first) return null;
  for (const some of Map.groupBy(news, ({ charge }) => charge.session.id).values()) {
    const ofSession = some.map(({ charge }) => charge);
    const { session } = ofSession[0] ?? first;
    const { totals } = yield* recordCharges(session, ofSession);
    const before = totals.charges - BigInt(some.length);
    const accounts = some.map(({ hash, account }, i) => ({
      ...account,
      hash,
      sessionId: session.id,
      chargeNo: before + BigInt(i) + 1n,
    }));
    yield* putAccounts(context.policy.workspace.id, accounts);
  }
  return { session: batch.session, charge: asOne(first, charges, cost), responses: charges.length };
}

/**
 * A response that only grew stays where it was booked: what a file says of it later, of another day or in another
 * conversation, must not free a budget of what was spent from it.
 */
function placeOf(context: Context, { session }: Batch, { found, known }: News, replaced: TakenBack | null): Place {
  if (replaced && known?.meter === found.account.meter) return replaced.place;
  const { occurredAt } = found.response;
  return { session, occurredAt, hour: hourAt(context, occurredAt) };
}

/** `stays`: what the charges that it replaces count for still; null = it replaces none. */
function chargeOf(
  { session, occurredAt, hour }: Place,
  when: Batch["when"],
  { found: { response, price, account }, change }: News,
  stays: Nano | null,
  now: number,
): NewCharge {
  const { usage, lines } = change;
  const ofLines = lines.reduce((sum, line) => sum + line.cost, 0n);
  return {
    session,
    model: response.model,
    provider: price.provider,
    tool: response.tool ?? null,
    occurredAt,
    recordedAt: now,
    hour,
    usage,
    cost: max(change.account.cost - (stays ?? 0n), ofLines),
    reported: response.cost ?? null,
    // What replaces a charge has only the tokens that are new: they do not say what it costs.
    priced: stays === null ? price.cost : null,
    costSource: response.cost === undefined ? price.costSource : "reported",
    priceList: servedBy(price.priceList, response),
    source: "self_reported",
    meter: account.meter,
    late: when === "past" || occurredAt <= (session.endedAt ?? occurredAt) ? "in_time" : "late",
    latencyMs: null,
    error: null,
    holdId: null,
    key: null,
    corrects: null,
    lines,
  };
}

/** What watches reports sees many responses as one report. `cost`: what they came to beyond what was taken back. */
function asOne(charge: NewCharge, all: readonly NewCharge[], cost: Nano): NewCharge {
  const usage = all.map((each) => each.usage).reduce(addUsage, NO_USAGE);
  return { ...charge, usage, cost, lines: [] };
}

function addUsage(a: Usage, b: Usage): Usage {
  const sums = (Object.keys(NO_USAGE) as (keyof Usage)[]).map((count) => [count, a[count] + b[count]]);
  return Object.fromEntries(sums) as Usage;
}
