// Pruning: old charges leave the ledger; what they came to stays, so that everything derived can still be verified.
import { sql } from "kysely";
import { findBook } from "./books.ts";
import { calendarNumber } from "./calendar.ts";
import { CELL, SUMS } from "./cost-shape.ts";
import { addToSums, foldCosts, sumsOf } from "./fold.ts";
import { all, first, statement, type Work } from "./statement.ts";
import type { PrunedChargesTable } from "./tables.ts";

const markPruned = statement((db, args: { workspaceId: string; before: string }) =>
  db
    .updateTable("books")
    .set({ pruned_before: args.before })
    .where("workspace_id", "=", args.workspaceId)
    .where((eb) => eb.or([eb("pruned_before", "is", null), eb("pruned_before", "<", args.before)])),
);

/** From now on the charges of earlier local days ("YYYY-MM-DD") are as good as gone: they are in the sums already. */
export function* beginPruning(workspaceId: string, before: string): Work<void> {
  yield* foldCosts(workspaceId);
  yield* all(markPruned, { workspaceId, before });
}

/** Charges of forgotten holds stay: a report that comes after all takes one back. */
const isPrunable = (hour: bigint) => sql<boolean>`hour < ${hour} and source not in (1, 2)`;

const oldCharges = statement((db, args: { after: bigint; to: bigint; hour: bigint; limit: bigint }) =>
  db
    .selectFrom("charge_rows")
    .select("seq")
    .where("seq", ">", args.after)
    .where("seq", "<=", args.to)
    .where(isPrunable(args.hour))
    .orderBy("seq")
    .limit(args.limit),
);

const PRUNED_SUMS = [
  "charges",
  "errors",
  "input_tokens",
  "output_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "tool_calls",
  "cost_nano_usd",
] as const;

type Pruned = { from: bigint; to: bigint; hour: bigint };

const keepSums = statement((db, args: Pruned) =>
  db
    .insertInto("pruned_charges")
    .columns(["session_no", "hour", ...PRUNED_SUMS])
    .expression(
      db
        .selectFrom("charge_rows")
        .where("seq", ">=", args.from)
        .where("seq", "<=", args.to)
        .where(isPrunable(args.hour))
        .groupBy(["session_no", "hour"])
        .select(["session_no", "hour"])
        .select([
          sql<bigint>`count(*)`.as("charges"),
          sql<bigint>`sum(case when error is null then 0 else 1 end)`.as("errors"),
          ...PRUNED_SUMS.slice(2).map((column) => sql<bigint>`sum(${sql.ref(column)})`.as(column)),
        ]) as never,
    )
    .onConflict((oc) =>
      oc
        .columns(["session_no", "hour"])
        .doUpdateSet(
          Object.fromEntries(
            PRUNED_SUMS.map((column) => [
              column,
              sql<bigint>`${sql.ref(`pruned_charges.${column}`)} + ${sql.ref(`excluded.${column}`)}`,
            ]),
          ) as Partial<PrunedChargesTable>,
        ),
    ),
);

const deleteTools = statement((db, args: Pruned) =>
  db
    .deleteFrom("charge_tool_rows")
    .where("seq", ">=", args.from)
    .where("seq", "<=", args.to)
    .where(sql<boolean>`seq in (select seq from charge_rows where seq between ${args.from} and ${args.to}
      and ${isPrunable(args.hour)})`),
);

const deleteCharges = statement((db, args: Pruned) =>
  db.deleteFrom("charge_rows").where("seq", ">=", args.from).where("seq", "<=", args.to).where(isPrunable(args.hour)),
);

/** Charges from one `seq` to another, both included, that are to go; `next` is where to go on after, null at the end. */
export type Prunable = { readonly from: bigint; readonly to: bigint; readonly next: bigint | null };

/** The oldest charges of days before `before`, after a number in the book (0 = from the start). Needs no lock. */
export function* findPrunable(
  workspaceId: string,
  before: string,
  after: bigint,
  most: number,
): Work<Prunable | undefined> {
  const book = yield* findBook(workspaceId);
  if (!book) return undefined;
  const hour = calendarNumber(before) * 100n;
  // What is folded only: the rest is of today.
  const range = { after: book.startSeq + after, to: book.foldedSeq, hour, limit: BigInt(most) };
  const found = yield* all(oldCharges, range);
  const [from, to] = [found[0]?.seq, found.at(-1)?.seq];
  if (from === undefined || to === undefined) return undefined;
  return { from, to, next: found.length < most ? null : to - book.startSeq };
}

const countPrunable = statement((db, args: Pruned) =>
  db
    .selectFrom("charge_rows")
    .select((eb) => eb.fn.countAll<bigint>().as("count"))
    .where("seq", ">=", args.from)
    .where("seq", "<=", args.to)
    .where(isPrunable(args.hour)),
);

/** Deletes them, and keeps what they came to; answers how many there were. */
export function* prune({ from, to }: Prunable, before: string): Work<number> {
  const range = { from, to, hour: calendarNumber(before) * 100n };
  const count = (yield* first(countPrunable, range))?.count ?? 0n;
  yield* all(keepSums, range);
  yield* all(deleteTools, range);
  yield* all(deleteCharges, range);
  return Number(count);
}

const firstCellDay = statement((db, args: { book: bigint; day: bigint }) =>
  db
    .selectFrom("cost_cells")
    .select("day")
    .where("book_no", "=", args.book)
    .where("day", "<", args.day)
    .orderBy("day")
    .limit(sql<number>`1`),
);

const negated = SUMS.map((column) => sql`-${sql.ref(column)} as ${sql.ref(column)}`);

const takeOffSums = statement((db, args: { book: bigint; day: bigint }) =>
  addToSums(
    db,
    sumsOf(sql`(select book_no, ${sql.join(CELL.map((column) => sql.ref(column)))}, ${sql.join(negated)}
      from cost_cells where book_no = ${args.book} and day = ${args.day})`),
  ),
);

const deleteCells = statement((db, args: { book: bigint; day: bigint }) =>
  db.deleteFrom("cost_cells").where("book_no", "=", args.book).where("day", "=", args.day),
);

const deleteEmptySums = statement((db, args: { book: bigint; day: bigint }) =>
  db
    .deleteFrom("cost_sums")
    .where("book_no", "=", args.book)
    .where(sql<boolean>`(period = ${args.day} or period = ${args.day} / 100)`)
    .where((eb) => eb.and(SUMS.map((column) => eb(column, "=", sql<bigint>`0`)))),
);

/** Takes the costs of the oldest day before `before` out of the sums; answers it, or null when there is none. */
export function* pruneCostsOfADay(workspaceId: string, before: string): Work<bigint | null> {
  const book = yield* findBook(workspaceId);
  if (!book) return null;
  const day = (yield* first(firstCellDay, { book: book.no, day: calendarNumber(before) }))?.day;
  if (day === undefined) return null;
  yield* all(takeOffSums, { book: book.no, day });
  yield* all(deleteCells, { book: book.no, day });
  yield* all(deleteEmptySums, { book: book.no, day });
  return day;
}
