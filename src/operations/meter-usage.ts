// What meters call: books true usage to the sessions of a client's threads, and says whether they may go on.
import { type Limit, lookup } from "../core/limits.ts";
import type { Meter, MeteredResponse } from "../core/metered.ts";
import type { Verdict } from "../core/verdict.ts";
import { readBalances } from "../ledger/balances.ts";
import type { NewCharge } from "../ledger/charges.ts";
import {
  type BookedFile,
  bookedBytes,
  filesReadLast,
  findThread,
  putThread,
  type ThreadKey,
} from "../ledger/meter-threads.ts";
import type { Session } from "../ledger/session-row.ts";
import { findSession } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { type Batch, bookAll, hasNews } from "./meter-booking.ts";
import {
  isEarlier,
  type MeteredThread,
  notInFuture,
  openThread,
  pastOf,
  type Renewal,
  sinceOf,
  spanOf,
  standingSession,
} from "./meter-session.ts";
import { type Asking, verdictFor } from "./meter-verdict.ts";
import { type Context, hourAt } from "./operation.ts";
import { limitsOf, sessionStanding, usualCosts } from "./standing.ts";
import { watchReport } from "./watch.ts";

export type Metering = Asking & {
  /** The program that runs the model: "claude-code". */
  readonly client: string;
  readonly meter: Meter;
  readonly agentId: string;
  /** Those that used something and the one that asks, parents before their children. */
  readonly threads: readonly MeteredThread[];
  /** How far each file was read for this. */
  readonly files: readonly BookedFile[];
  /** The thread the verdict is for. */
  readonly asking: string;
  /** Of the thread that asks; no other is renewed on its behalf. */
  readonly renewal: Renewal;
  /** `later`: the answer cannot carry a warning, so it is kept for one that can. */
  readonly telling: "now" | "later";
};

export type Metered = {
  readonly session: Session;
  readonly verdict: Verdict;
  /** Whether the thread may start a sub-agent; null where it does not want to. */
  readonly spawn: Verdict | null;
  /** Limits that are nearly used up, of which this thread was not told before. */
  readonly nearlyUsedUp: readonly Limit[];
};

export async function meterUsage(context: Context, asked: Metering): Promise<Metered> {
  const now = context.now();
  const metering = { ...asked, threads: asked.threads.map((thread) => notInFuture(thread, now)) };
  const batches: Batch[] = [];
  let refused: Verdict | null = null;
  for (const thread of metering.threads) {
    if (await isOver(context, metering, thread, now)) {
      batches.push(...(await earlierBatch(context, metering, thread, thread.responses)));
      continue;
    }
    const opened = await sessionOf(context, metering, thread, now);
    if (opened.verdict?.decision === "deny" && thread.threadId === metering.asking) refused = opened.verdict;
    batches.push(...(await batchesOf(context, metering, thread, opened.session, now)));
  }
  if (batches.length > 0 || metering.files.length > 0)
    await context.ledger.write(() => bookAndWatch(context, metering, batches, now));
  const metered = await context.ledger.read(() => look(context, metering, now));
  const verdict = refused && metered.verdict.decision !== "deny" ? refused : metered.verdict;
  // Who is stopped hears of that alone.
  if (metering.telling === "later" || verdict.decision === "deny") return { ...metered, verdict, nearlyUsedUp: [] };
  if (metered.nearlyUsedUp.length > 0) await context.ledger.write(() => rememberTold(context, metering, metered));
  return { ...metered, verdict };
}

/** How many bytes of a file are booked. */
export const bookedBytesOf = (context: Context, path: string): Promise<number> =>
  context.ledger.read(() => bookedBytes(context.policy.workspace.id, path));

/** The files that meters read last, and how far they are booked. */
export const filesBookedLast = (context: Context, limit: number): Promise<BookedFile[]> =>
  context.ledger.read(() => filesReadLast(context.policy.workspace.id, limit));

/** Whether a client's thread was ever metered. */
export const isThreadKnown = async (context: Context, client: string, threadId: string): Promise<boolean> => {
  const workspaceId = context.policy.workspace.id;
  return (await context.ledger.read(() => findThread({ workspaceId, client, threadId }))) !== undefined;
};

const keyOf = (context: Context, { client }: Metering, threadId: string): ThreadKey => ({
  workspaceId: context.policy.workspace.id,
  client,
  threadId,
});

async function sessionOf(
  context: Context,
  metering: Metering,
  { threadId, parentId }: MeteredThread,
  now: number,
): Promise<{ session: Session; verdict: Verdict | null }> {
  const key = keyOf(context, metering, threadId);
  const standing = (yes: Session | undefined) => yes && { session: yes, verdict: null };
  const renewal = threadId === metering.asking ? metering.renewal : "keep";
  const find = () => standingSession(key, renewal, now);
  const known = standing(await context.ledger.read(find));
  if (known) return known;
  return await context.ledger.write(function* () {
    // Another process may have opened it meanwhile.
    const found = standing(yield* find());
    return found ?? (yield* openThread(context, key, metering.agentId, parentId, now));
  });
}

/** A thread of an earlier run, that nobody goes on with: it needs no session of now. */
async function isOver(
  context: Context,
  metering: Metering,
  { threadId, parentId, responses }: MeteredThread,
  now: number,
): Promise<boolean> {
  const isNeeded = threadId === metering.asking || metering.threads.some((other) => other.parentId === threadId);
  if (isNeeded || responses.length === 0) return false;
  const key = keyOf(context, metering, threadId);
  return await context.ledger.read(function* () {
    if (yield* findThread(key)) return false;
    const since = yield* sinceOf(key, parentId, now);
    return responses.every((response) => isEarlier(since, response));
  });
}

/** What is of the session that stands, and what was used before it. */
async function batchesOf(
  context: Context,
  metering: Metering,
  thread: MeteredThread,
  session: Session,
  now: number,
): Promise<Batch[]> {
  const { threadId, parentId, responses } = thread;
  if (responses.length === 0) return [];
  const since = await context.ledger.read(() => sinceOf(keyOf(context, metering, threadId), parentId, now));
  const { earlier = [], current = [] } = Object.groupBy(responses, (each) =>
    isEarlier(since, each) ? "earlier" : "current",
  );
  const batches = current.length > 0 ? [{ session, responses: current, when: "live" as const }] : [];
  return [...batches, ...(await earlierBatch(context, metering, thread, earlier))];
}

/** What counts in a session that has ended. */
async function earlierBatch(
  context: Context,
  metering: Metering,
  { threadId, parentId }: MeteredThread,
  responses: readonly MeteredResponse[],
): Promise<Batch[]> {
  // A copied or continued conversation repeats what is booked already: that needs no session.
  if (!(await context.ledger.read(() => hasNews(context, responses, metering.meter)))) return [];
  const key = keyOf(context, metering, threadId);
  const session = await context.ledger.write(() => pastOf(context, key, metering.agentId, parentId, spanOf(responses)));
  return [{ session, responses, when: "past" }];
}

function* bookAndWatch(context: Context, metering: Metering, batches: readonly Batch[], now: number): Work<void> {
  for (const { session, charge } of yield* bookAll(context, batches, metering.files, metering.meter, now))
    if (session.status === "open") yield* watch(context, session, charge, now);
}

/** Raises incidents as a report would; a stop among them is in force for the verdict. */
function* watch(context: Context, { id }: Session, charge: NewCharge, now: number): Work<void> {
  const { policy } = context;
  const session = yield* findSession(policy.workspace.id, id);
  if (!session) return;
  const standing = yield* sessionStanding(policy, session, hourAt(context, now), now);
  const balanceOf = lookup(yield* readBalances(session.workspaceId, standing.keys));
  const limits = limitsOf(policy, standing, balanceOf, now);
  const costs = usualCosts(policy, standing, balanceOf);
  yield* watchReport(context, { standing, session, charge, limits, costs }, now);
}

function* look(context: Context, metering: Metering, now: number): Work<Metered> {
  const thread = yield* findThread(keyOf(context, metering, metering.asking));
  const session = thread && (yield* findSession(context.policy.workspace.id, thread.sessionId));
  if (!thread || !session) throw new TypeError("the thread that asks is none of those that are metered");
  const { verdict, spawn, warned } = yield* verdictFor(context, session, metering, now);
  const told = new Set(thread.warned);
  return { session, verdict, spawn, nearlyUsedUp: warned.filter((limit) => !told.has(limitName(limit))) };
}

/** A window that has begun anew is another limit. */
const limitName = ({ scope, scopeId, measure, window, resetsAt }: Limit): string =>
  [scope, scopeId, measure, window, resetsAt ?? ""].join(" ");

function* rememberTold(context: Context, metering: Metering, { nearlyUsedUp }: Metered): Work<void> {
  const key = keyOf(context, metering, metering.asking);
  const thread = yield* findThread(key);
  if (thread) yield* putThread(key, { ...thread, warned: [...thread.warned, ...nearlyUsedUp.map(limitName)] });
}
