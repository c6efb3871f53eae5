// The pace of open sessions, one small row each, and the past of each role, written as sessions end.
import { sql } from "kysely";
import type { RolePace, Watch } from "../core/session-pace.ts";
import { all, first, statement, type Work } from "./statement.ts";

const MINUTE_MS = 60_000;

type Report = { id: string; minute: bigint; tokens: bigint; hash: string; times: bigint; at: bigint };

/**
 * Every report runs this, so it is one statement. A new minute begins from nothing and what was the present one may be
 * the busiest; the same error within a minute of the one before counts on, another begins anew ('' = no error).
 */
const upsert = statement((db, args: Report) =>
  db
    .insertInto("session_watch")
    .values({
      session_id: args.id,
      minute_at: args.minute,
      reports: 1n,
      tokens: args.tokens,
      peak_tokens: 0n,
      error_hash: args.hash,
      error_times: args.times,
      error_at: args.at,
    })
    .onConflict((oc) =>
      oc.column("session_id").doUpdateSet({
        minute_at: sql<bigint>`excluded.minute_at`,
        reports: sql<bigint>`case when session_watch.minute_at = excluded.minute_at then session_watch.reports else 0 end + 1`,
        tokens: sql<bigint>`case when session_watch.minute_at = excluded.minute_at then session_watch.tokens else 0 end + excluded.tokens`,
        peak_tokens: sql<bigint>`case when session_watch.minute_at = excluded.minute_at or session_watch.tokens < session_watch.peak_tokens
          then session_watch.peak_tokens else session_watch.tokens end`,
        error_hash: sql<string>`case when excluded.error_hash = '' then session_watch.error_hash else excluded.error_hash end`,
        error_times: sql<bigint>`case when excluded.error_hash = '' then session_watch.error_times
          when excluded.error_hash = session_watch.error_hash and excluded.error_at - session_watch.error_at <= ${sql.lit(MINUTE_MS)}
          then session_watch.error_times + 1 else 1 end`,
        error_at: sql<bigint>`case when excluded.error_hash = '' then session_watch.error_at else excluded.error_at end`,
      }),
    )
    .returning(["minute_at", "reports", "tokens", "peak_tokens", "error_times", "error_at"]),
);

/** Takes a report into the pace of its session and answers that. `errorHash`: null where the report names no error. */
export function* addToWatch(sessionId: string, tokens: bigint, errorHash: string | null, atMs: number): Work<Watch> {
  const row = yield* first(upsert, {
    id: sessionId,
    minute: BigInt(atMs - (atMs % MINUTE_MS)),
    tokens,
    hash: errorHash ?? "",
    times: errorHash === null ? 0n : 1n,
    at: errorHash === null ? 0n : BigInt(atMs),
  });
  if (!row) throw new TypeError("an upsert answered no row");
  return {
    minuteAt: Number(row.minute_at),
    reports: Number(row.reports),
    tokens: Number(row.tokens),
    peakTokens: Number(row.peak_tokens),
    sameErrors: atMs - Number(row.error_at) <= MINUTE_MS ? Number(row.error_times) : 0,
  };
}

const remove = statement((db, args: { id: string }) =>
  db.deleteFrom("session_watch").where("session_id", "=", args.id).returning(["tokens", "peak_tokens"]),
);

const addToRole = statement((db, args: { workspaceId: string; role: string; peak: bigint }) =>
  db
    .insertInto("role_pace")
    .values({ workspace_id: args.workspaceId, role: args.role, sessions: 1n, peak_tokens: args.peak })
    .onConflict((oc) =>
      oc.columns(["workspace_id", "role"]).doUpdateSet((eb) => ({
        sessions: eb("role_pace.sessions", "+", 1n),
        peak_tokens: eb("role_pace.peak_tokens", "+", args.peak),
      })),
    ),
);

/** A session ends: its busiest minute becomes part of its role's past. One that used no tokens leaves no trace. */
export function* endWatch(workspaceId: string, sessionId: string, role: string | null): Work<void> {
  const row = yield* first(remove, { id: sessionId });
  const peak = row && (row.tokens > row.peak_tokens ? row.tokens : row.peak_tokens);
  if (peak) yield* all(addToRole, { workspaceId, role: role ?? "", peak });
}

const ofRole = statement((db, args: { workspaceId: string; role: string }) =>
  db
    .selectFrom("role_pace")
    .select(["sessions", "peak_tokens"])
    .where("workspace_id", "=", args.workspaceId)
    .where("role", "=", args.role),
);

export function* findRolePace(workspaceId: string, role: string | null): Work<RolePace | null> {
  const row = yield* first(ofRole, { workspaceId, role: role ?? "" });
  return row ? { sessions: Number(row.sessions), peakTokens: Number(row.peak_tokens) } : null;
}
