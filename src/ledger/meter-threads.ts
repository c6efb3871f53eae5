// What meters remember: which session a client's thread is booked to, and how far each of its files was read.
import { all, first, statement, type Work } from "./statement.ts";

/** A conversation of a client, or a sub-agent in it. */
export type ThreadKey = { readonly workspaceId: string; readonly client: string; readonly threadId: string };

export type Thread = {
  readonly sessionId: string;
  /** Since when (epoch ms) its usage counts in the session. */
  readonly since: number;
  /** The limits that its model was warned of. */
  readonly warned: readonly string[];
};

const byKey = statement((db, args: { workspaceId: string; client: string; threadId: string }) =>
  db
    .selectFrom("meter_threads")
    .select(["session_id", "since", "warned"])
    .where("workspace_id", "=", args.workspaceId)
    .where("client", "=", args.client)
    .where("thread_id", "=", args.threadId),
);

export function* findThread(key: ThreadKey): Work<Thread | undefined> {
  const row = yield* first(byKey, { ...key });
  return (
    row && {
      sessionId: row.session_id,
      since: Number(row.since),
      warned: row.warned === "" ? [] : row.warned.split("\n"),
    }
  );
}

const put = statement(
  (
    db,
    args: { workspaceId: string; client: string; threadId: string; sessionId: string; since: bigint; warned: string },
  ) =>
    db
      .insertInto("meter_threads")
      .values({
        workspace_id: args.workspaceId,
        client: args.client,
        thread_id: args.threadId,
        session_id: args.sessionId,
        since: args.since,
        warned: args.warned,
      })
      .onConflict((oc) =>
        oc
          .columns(["workspace_id", "client", "thread_id"])
          .doUpdateSet({ session_id: args.sessionId, since: args.since, warned: args.warned }),
      ),
);

export function* putThread(key: ThreadKey, { sessionId, since, warned }: Thread): Work<void> {
  yield* all(put, { ...key, sessionId, since: BigInt(since), warned: warned.join("\n") });
}

const bytesOf = statement((db, args: { workspaceId: string; path: string }) =>
  db
    .selectFrom("meter_files")
    .select("bytes")
    .where("workspace_id", "=", args.workspaceId)
    .where("path", "=", args.path),
);

/** How many bytes of a file are booked. */
export function* bookedBytes(workspaceId: string, path: string): Work<number> {
  return Number((yield* first(bytesOf, { workspaceId, path }))?.bytes ?? 0n);
}

const putBytes = statement((db, args: { workspaceId: string; path: string; bytes: bigint; now: bigint }) =>
  db
    .insertInto("meter_files")
    .values({ workspace_id: args.workspaceId, path: args.path, bytes: args.bytes, read_at: args.now })
    .onConflict((oc) => oc.columns(["workspace_id", "path"]).doUpdateSet({ bytes: args.bytes, read_at: args.now })),
);

export function* putBookedBytes(workspaceId: string, path: string, bytes: number, nowMs: number): Work<void> {
  yield* all(putBytes, { workspaceId, path, bytes: BigInt(bytes), now: BigInt(nowMs) });
}

export type BookedFile = { readonly path: string; readonly bytes: number };

const lately = statement((db, args: { workspaceId: string; limit: bigint }) =>
  db
    .selectFrom("meter_files")
    .select(["path", "bytes"])
    .where("workspace_id", "=", args.workspaceId)
    .orderBy("read_at", "desc")
    .limit(args.limit),
);

/** The files that were read last. */
export function* filesReadLast(workspaceId: string, limit: number): Work<BookedFile[]> {
  const rows = yield* all(lately, { workspaceId, limit: BigInt(limit) });
  return rows.map(({ path, bytes }) => ({ path, bytes: Number(bytes) }));
}
