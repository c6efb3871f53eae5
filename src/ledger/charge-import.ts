// What an import asks of the ledger: is a charge of a file here already, and what does it correct or take back?
import { type Kysely, sql } from "kysely";
import { numberOf } from "./names.ts";
import { all, first, statement, type Work } from "./statement.ts";
import { type ChargesView, COST_SOURCES, type Tables } from "./tables.ts";

/** The rows of a session's charges, to choose from. */
const rowsOf = (db: Kysely<Tables>, sessionId: string) =>
  db.selectFrom("charge_rows").select("seq").where("session_no", "=", numberOf(sessionId)).orderBy("no");

/**
 * Chosen rows with their names. They must have a limit, and that written out: else SQLite takes rows and view for one
 * question, and plans it anew for each value that it is given, which takes twenty times as long as to answer it.
 */
const named = (db: Kysely<Tables>, rows: ReturnType<typeof rowsOf>) =>
  db.selectFrom(rows.as("r")).innerJoin("charges as c", "c.seq", "r.seq").selectAll("c").orderBy("c.no");

const ONE = sql.lit<bigint>(1n);

const byKey = statement((db, args: { sessionId: string; hash: bigint }) =>
  named(db, rowsOf(db, args.sessionId).where("key_hash", "=", args.hash).limit(ONE)),
);

/** The charge that an earlier import booked under this key. */
export function* importedCharge(sessionId: string, hash: bigint): Work<ChargesView | undefined> {
  return yield* first(byKey, { sessionId, hash });
}

/** No limit at all, but one by its form. */
const EVERY = sql.lit<bigint>((1n << 53n) - 1n);

const own = statement((db, args: { sessionId: string; from: bigint; to: bigint }) =>
  named(
    db,
    rowsOf(db, args.sessionId)
      .where("no", ">=", args.from)
      .where("no", "<=", args.to)
      // An import marks its charges by a key that is its own request: their numbers here need not be those of their ids.
      .where(sql<boolean>`(key_hash is null or request_hash is null or key_hash <> request_hash)`)
      .limit(EVERY),
  ),
);

/** A session's charges with numbers in a range that no import booked. */
export function* ownCharges(sessionId: string, from: bigint, to: bigint): Work<readonly ChargesView[]> {
  return yield* all(own, { sessionId, from, to });
}

const ofHold = statement((db, args: { sessionId: string; holdId: string }) =>
  named(
    db,
    rowsOf(db, args.sessionId).where("hold_id", "=", args.holdId).where("cost_source", "=", ESTIMATE).limit(EVERY),
  ),
);

const ESTIMATE = sql<bigint>`${sql.lit(COST_SOURCES.indexOf("estimate"))}`;

/** A forgotten hold's charge, by estimate, and what took it back, if anything. */
export function* estimatesOfHold(sessionId: string, holdId: string): Work<readonly ChargesView[]> {
  return yield* all(ofHold, { sessionId, holdId });
}

const anywhere = statement((db, args: { id: string }) =>
  db.selectFrom("sessions").select("workspace_id").where("id", "=", args.id),
);

/** Has any workspace of this ledger a session of this id? */
export function* isSessionIdTaken(id: string): Work<boolean> {
  return (yield* first(anywhere, { id })) !== undefined;
}
