// Swarms: root sessions with all that was opened below them.
import type { Kysely } from "kysely";
import { type Session, toSession } from "./session-row.ts";
import { all, first, statement, type Work } from "./statement.ts";
import type { SessionsTable, Tables } from "./tables.ts";

/** How many sessions there are below a root, how many of them could still spend, and how deep the deepest is. */
export type Below = { readonly sessions: number; readonly open: number; readonly depth: number };

export type Swarm = { readonly root: Session; readonly below: Below };

type Counts = { readonly below: bigint; readonly below_open: bigint; readonly below_depth: bigint | null };

/** The roots of sessions that are below others: those without children are never looked at. */
const counted = (db: Kysely<Tables>, workspaceId: string, now: bigint) =>
  db
    .selectFrom("sessions")
    .where("workspace_id", "=", workspaceId)
    .where("parent_session_id", "is not", null)
    .groupBy("root_session_id")
    .select(({ fn }) => [
      "root_session_id",
      fn.countAll<bigint>().as("below"),
      fn.countAll<bigint>().filterWhere("status", "=", "open").filterWhere("expires_at", ">", now).as("below_open"),
      fn.max<bigint>("depth").as("below_depth"),
    ]);

const newest = (from: "start" | "place") =>
  statement((db, args: { workspaceId: string; before: string; now: bigint; limit: bigint }) =>
    db
      .selectFrom(
        counted(db, args.workspaceId, args.now)
          .$if(from === "place", (query) => query.where("root_session_id", "<", args.before))
          .orderBy("root_session_id", "desc")
          .limit(args.limit)
          .as("swarm"),
      )
      .innerJoin("sessions", "sessions.id", "swarm.root_session_id")
      .selectAll("sessions")
      .select(["swarm.below", "swarm.below_open", "swarm.below_depth"])
      .orderBy("swarm.root_session_id", "desc"),
  );

const NEWEST = { start: newest("start"), place: newest("place") };

/** Swarms in falling order of their roots' ids: what the ledger heard of last comes first. */
export function* newestSwarms(workspaceId: string, nowMs: number, limit: number, before: string | null): Work<Swarm[]> {
  const args = { workspaceId, before: before ?? "", now: BigInt(nowMs), limit: BigInt(limit) };
  const rows = yield* all(NEWEST[before === null ? "start" : "place"], args);
  return rows.map((row) => ({ root: toSession(row as SessionsTable), below: toBelow(row) }));
}

const ofRoot = statement((db, args: { workspaceId: string; root: string; now: bigint }) =>
  counted(db, args.workspaceId, args.now).where("root_session_id", "=", args.root),
);

/** The same of one root; zeros where nothing is below it. */
export function* countBelow({ workspaceId, id }: Session, nowMs: number): Work<Below> {
  return toBelow(yield* first(ofRoot, { workspaceId, root: id, now: BigInt(nowMs) }));
}

const toBelow = (row: Counts | undefined): Below => ({
  sessions: Number(row?.below ?? 0n),
  open: Number(row?.below_open ?? 0n),
  depth: Number(row?.below_depth ?? 0n),
});

const members = statement((db, args: { root: string; limit: bigint }) =>
  db.selectFrom("sessions").selectAll().where("root_session_id", "=", args.root).orderBy("path").limit(args.limit),
);

/** A root and the first of the sessions below it, parents before children. */
export function* membersOf(root: Session, limit: number): Work<Session[]> {
  return (yield* all(members, { root: root.id, limit: BigInt(limit) })).map(toSession);
}
