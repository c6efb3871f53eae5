// Folding: every so many charges (or lines of tools in them), the sums that answer questions about costs take in the charges since the last time.
// A report writes no sums of its own; whoever reads adds the few charges that are not folded yet.
import { type Kysely, type RawBuilder, sql } from "kysely";
import { BOOK_SIZE, findBook } from "./books.ts";
import { ATTRIBUTES, CELL, dimensionNumber, SUMS, summed } from "./cost-shape.ts";
import { all, first, statement, type Work } from "./statement.ts";
import type { CostCellsTable, CostSumsTable, Tables } from "./tables.ts";

/** A power of two: a reader adds up to as many charges by itself, a writer pays for the sums once in as many reports. */
export const FOLD_EVERY = 1024n;
/** As many lines of listed tools are due before that: an agent may list 200 tools in one report. */
const MOST_LINES = 2048n;

/** What one row of `cost_sums` is of. */
export const SUMS_KEY = ["book_no", "of_agent_no", "dimension", "period", "key_no"] as const;

/** Takes all charges of a workspace that are not in the sums into them. Its writer alone may do so. */
export function* foldCosts(workspaceId: string): Work<void> {
  const book = yield* findBook(workspaceId);
  if (!book) return;
  const range = { after: book.foldedSeq, to: book.lastSeq };
  yield* all(foldCells, range);
  yield* all(foldSums, range);
  yield* all(moveMark, { no: book.no, start: book.no * BOOK_SIZE, to: book.lastSeq });
}

const countLines = statement((db, args: { workspaceId: string; lines: bigint }) =>
  db
    .updateTable("books")
    .set((eb) => ({ unfolded_lines: eb("unfolded_lines", "+", args.lines) }))
    .where("workspace_id", "=", args.workspaceId)
    .returning("unfolded_lines"),
);

/** Is it the turn of these charges, with so many lines of tools, to fold? */
export function* isFoldDue(workspaceId: string, seqs: readonly bigint[], lines: number): Work<boolean> {
  const isTurn = seqs.some((seq) => seq % FOLD_EVERY === 0n);
  if (lines === 0) return isTurn;
  const row = yield* first(countLines, { workspaceId, lines: BigInt(lines) });
  return isTurn || (row?.unfolded_lines ?? 0n) >= MOST_LINES;
}

type Range = { after: bigint; to: bigint };

/** The lines of the charges in a range of `seq`, summed to cells. */
function linesOf(db: Kysely<Tables>, range: Range) {
  return db
    .selectFrom("cost_lines")
    .where("seq", ">", range.after)
    .where("seq", "<=", range.to)
    .groupBy(["book_no", ...CELL])
    .select(["book_no", ...CELL])
    .select(summed());
}

const foldCells = statement((db, range: Range) =>
  db
    .insertInto("cost_cells")
    .columns(["book_no", ...CELL, ...SUMS])
    .expression(linesOf(db, range))
    .onConflict((oc) => oc.columns(["book_no", ...CELL]).doUpdateSet(added("cost_cells") as Partial<CostCellsTable>)),
);

/** A cell's name in the dimension of a breakdown. */
const KEY_NO = sql<bigint>`case b.dimension ${sql.join(
  ATTRIBUTES.map((name) => sql`when ${sql.lit(dimensionNumber(name))} then ${sql.ref(`c.${name}_no`)}`),
  sql` `,
)} end`;

/** Cells (or lines of that shape) as rows of `cost_sums`: one per kept breakdown. */
export const sumsOf = (cells: RawBuilder<unknown>) => sql<CostSumsTable>`(
  select c.book_no, c.agent_no * b.per_agent as of_agent_no, b.dimension,
    case b.per_day when 1 then c.day else c.day / 100 end as period, ${KEY_NO} as key_no,
    ${sql.join(SUMS.map((column) => sql`sum(${sql.ref(`c.${column}`)}) as ${sql.ref(column)}`))}
  from ${cells} as c cross join cost_breakdowns b group by 1, 2, 3, 4, 5)`;

/** Rows of that shape, added to the sums there are. */
export const addToSums = (db: Kysely<Tables>, rows: ReturnType<typeof sumsOf>) =>
  db
    .insertInto("cost_sums")
    .columns([...SUMS_KEY, ...SUMS])
    .expression(
      db
        .selectFrom(rows.as("s"))
        .select([...SUMS_KEY, ...SUMS])
        .where(sql<boolean>`1 = 1`),
    )
    .onConflict((oc) => oc.columns([...SUMS_KEY]).doUpdateSet(added("cost_sums") as Partial<CostSumsTable>));

const foldSums = statement((db, range: Range) => addToSums(db, sumsOf(sql`(${linesOf(db, range)})`)));

/** What is there plus what came. */
const added = (table: "cost_cells" | "cost_sums") =>
  Object.fromEntries(
    SUMS.map((column) => [column, sql<bigint>`${sql.ref(`${table}.${column}`)} + ${sql.ref(`excluded.${column}`)}`]),
  );

const moveMark = statement((db, args: { no: bigint; start: bigint; to: bigint }) =>
  db
    .updateTable("books")
    .set({
      // The newest may have been pruned since: the mark never goes back.
      folded: sql<bigint>`(select case when last > folded then last else folded end from (
        select b.folded as folded, coalesce(
          (select seq from charge_rows where seq between ${args.start} and ${args.to} order by seq desc limit 1) - ${args.start}, 0) as last
        from books b where b.no = ${args.no}) as numbers)`,
      unfolded_lines: 0n,
    })
    .where("no", "=", args.no),
);
