// What imports call: books what conversations used before anything metered them, a bounded number of responses at a time.
import type { Meter } from "../core/metered.ts";
import { type BookedFile, bookedBytes, findThread } from "../ledger/meter-threads.ts";
import type { Session } from "../ledger/session-row.ts";
import { findSession } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { type Batch, bookAll, hasNews } from "./meter-booking.ts";
import { isEarlier, type MeteredThread, notInFuture, pastOf, type Span, sinceOf, spanOf } from "./meter-session.ts";
import type { Context } from "./operation.ts";

/** Responses of one transaction, in which nobody else can report. */
const MOST_BOOKED = 1_000;

export type PastConversation = {
  /** Parents before their children. */
  readonly threads: readonly MeteredThread[];
  /** How far each file need not be read again once all this is booked. */
  readonly files: readonly BookedFile[];
};

export type Importing = {
  /** The program that ran the model: "claude-code". */
  readonly client: string;
  readonly meter: Meter;
  readonly agentId: string;
};

export type PastBooked = {
  /** Looked at; those that were new, or of which more is known now, are `booked`. */
  readonly responses: number;
  readonly booked: number;
  /** Nano-dollars of what was booked. */
  readonly cost: bigint;
};

/** Books them, and says after each transaction what was booked. Limits are not asked and nothing is raised: it is over. */
export async function* bookPast(
  context: Context,
  importing: Importing,
  conversations: AsyncIterable<PastConversation>,
): AsyncGenerator<PastBooked> {
  for await (const part of partsOf(conversations, context.now())) yield await bookPart(context, importing, part);
}

/** How many bytes of each file are booked. */
export async function bookedBytesOfAll(
  context: Context,
  paths: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const workspaceId = context.policy.workspace.id;
  return await context.ledger.read(function* () {
    const booked = new Map<string, number>();
    for (const path of paths) booked.set(path, yield* bookedBytes(workspaceId, path));
    return booked;
  });
}

type PartOfThread = MeteredThread & {
  /** Of the whole thread, as far as it was read. */
  readonly span: Span;
};

/** What is booked together: what its files tell before their marks is in it, or was in parts before it. */
type Part = { readonly threads: PartOfThread[]; readonly files: BookedFile[] };

async function* partsOf(conversations: AsyncIterable<PastConversation>, now: number): AsyncGenerator<Part> {
  let part: Part = { threads: [], files: [] };
  let room = MOST_BOOKED;
  for await (const { threads, files } of conversations) {
    for (const thread of threads.map((each) => notInFuture(each, now))) {
      const span = spanOf(thread.responses);
      for (let rest = thread.responses; rest.length > 0; ) {
        const responses = rest.slice(0, room);
        rest = rest.slice(room);
        room -= responses.length;
        part.threads.push({ ...thread, responses, span });
        if (room > 0) continue;
        yield part;
        part = { threads: [], files: [] };
        room = MOST_BOOKED;
      }
    }
    part.files.push(...files);
  }
  if (part.threads.length + part.files.length > 0) yield part;
}

async function bookPart(context: Context, importing: Importing, { threads, files }: Part): Promise<PastBooked> {
  const responses = threads.reduce((sum, thread) => sum + thread.responses.length, 0);
  const news = await context.ledger.read(() => withNews(context, importing, threads));
  const batches = news.length > 0 ? await context.ledger.write(() => batchesOf(context, importing, news)) : [];
  const all = await context.ledger.write(() => bookAll(context, batches, files, importing.meter, context.now()));
  return {
    responses,
    booked: all.reduce((sum, booked) => sum + booked.responses, 0),
    cost: all.reduce((sum, { charge }) => sum + charge.cost, 0n),
  };
}

/** A copied or continued conversation repeats what is booked already: that needs no session. */
function* withNews(context: Context, { meter }: Importing, threads: readonly PartOfThread[]): Work<PartOfThread[]> {
  const news: PartOfThread[] = [];
  for (const thread of threads) if (yield* hasNews(context, thread.responses, meter)) news.push(thread);
  return news;
}

function* batchesOf(context: Context, importing: Importing, threads: readonly PartOfThread[]): Work<Batch[]> {
  const batches: Batch[] = [];
  for (const thread of threads) batches.push(...(yield* batchesOfThread(context, importing, thread)));
  return batches;
}

/** What a session that stands open used counts in it: else an import would make its room anew. The rest is past. */
function* batchesOfThread(context: Context, importing: Importing, thread: PartOfThread): Work<Batch[]> {
  const { threadId, parentId, responses, span } = thread;
  const key = { workspaceId: context.policy.workspace.id, client: importing.client, threadId };
  const open = yield* openSessionOf(key, context.now());
  const since = open ? yield* sinceOf(key, parentId, context.now()) : Number.POSITIVE_INFINITY;
  const current = responses.filter((each) => !isEarlier(since, each));
  const earlier = responses.filter((each) => isEarlier(since, each));
  const batches: Batch[] = open && current.length > 0 ? [{ session: open, responses: current, when: "live" }] : [];
  if (earlier.length === 0) return batches;
  const session = yield* pastOf(context, key, importing.agentId, parentId, span);
  return [...batches, { session, responses: earlier, when: "past" }];
}

function* openSessionOf(key: Parameters<typeof findThread>[0], now: number): Work<Session | undefined> {
  const thread = yield* findThread(key);
  const session = thread && (yield* findSession(key.workspaceId, thread.sessionId));
  return session && session.status === "open" && session.expiresAt > now ? session : undefined;
}
