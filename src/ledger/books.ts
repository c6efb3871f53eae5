// Books: each workspace's charges have numbers 1, 2, 3, …, and the sums know up to which they hold them.
import { sql } from "kysely";
import { first, statement, type Work } from "./statement.ts";

/** A charge's `seq` is its book's number times this, plus its own number in the book. */
export const BOOK_SIZE = 1n << 40n;

export type Book = {
  readonly no: bigint;
  /** Below the `seq` of its first charge. */
  readonly startSeq: bigint;
  /** `seq` of the last charge that the sums hold. */
  readonly foldedSeq: bigint;
  /** The highest `seq` the book can have. */
  readonly lastSeq: bigint;
  /** Charges of local days before this ("YYYY-MM-DD") may have been pruned. */
  readonly prunedBefore: string | null;
};

const byWorkspace = statement((db, args: { workspaceId: string }) =>
  db.selectFrom("books").select(["no", "folded", "pruned_before"]).where("workspace_id", "=", args.workspaceId),
);

/** The workspace's book; undefined before its first session. */
export function* findBook(workspaceId: string): Work<Book | undefined> {
  const row = yield* first(byWorkspace, { workspaceId });
  if (!row) return undefined;
  const start = row.no * BOOK_SIZE;
  return {
    no: row.no,
    startSeq: start,
    foldedSeq: start + row.folded,
    lastSeq: start + BOOK_SIZE - 1n,
    prunedBefore: row.pruned_before,
  };
}

/** In a statement: the `seq` of a workspace's next charge, never one that was pruned. Only its writer, who holds its balances, may ask. */
export const nextSeq = (workspaceId: string) =>
  sql<bigint>`(select case when last > folded then last else folded end + 1 from (
    select b.no * ${BOOK_SIZE} + b.folded as folded, coalesce(
      (select seq from charge_rows where seq between b.no * ${BOOK_SIZE} and (b.no + 1) * ${BOOK_SIZE} - 1 order by seq desc limit 1),
      0) as last
    from books b where b.workspace_id = ${workspaceId}) as numbers)`;
