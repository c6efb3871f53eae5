// The sums of costs against the charges: cells against charges, sums against cells, attributions against sessions.
import { type RawBuilder, sql } from "kysely";
import { BOOK_SIZE } from "./books.ts";
import { CELL, SUMS } from "./cost-shape.ts";
import { type Difference, note } from "./difference.ts";
import { SUMS_KEY, sumsOf } from "./fold.ts";
import { all, first, statement, type Work } from "./statement.ts";

type Row = Readonly<Record<string, bigint>>;

export function* compareCosts(): Work<Difference[]> {
  return [
    ...(yield* compareRows("cost", CELL_KEY, computedCells, storedCells)),
    ...(yield* compareRows("sum", [...SUMS_KEY], computedSums, storedSums)),
    ...(yield* compareAttributions()),
  ];
}

const CELL_KEY = ["book_no", ...CELL];
const list = (columns: readonly string[]) => sql.join(columns.map((column) => sql.ref(column)));
const sums = sql.join(SUMS.map((column) => sql`sum(${sql.ref(column)}) as ${sql.ref(column)}`));
/** What adds up to nothing may have a row or none. */
const isSomething = sql.join(
  SUMS.map((column) => sql`sum(${sql.ref(column)}) <> 0`),
  sql` or `,
);

/** Charges that are folded, of days that were not pruned, as cells. */
const computedCells = sql`select ${list(CELL_KEY)}, ${sums} from cost_lines join books on books.no = book_no
  where seq <= book_no * ${sql.lit(BOOK_SIZE)} + folded and ${notPruned()}
  group by ${list(CELL_KEY)} having ${isSomething}`;
const storedCells = sql`select ${list(CELL_KEY)}, ${sums} from cost_cells join books on books.no = book_no
  where ${notPruned()} group by ${list(CELL_KEY)} having ${isSomething}`;

function notPruned(): RawBuilder<boolean> {
  return sql`day >= cast(replace(coalesce(pruned_before, '0'), '-', '') as bigint)`;
}

const computedSums = sql`select ${list([...SUMS_KEY])}, ${sums} from ${sumsOf(sql`cost_cells`)} as computed
  group by ${list([...SUMS_KEY])} having ${isSomething}`;
const storedSums = sql`select ${list([...SUMS_KEY])}, ${sums} from cost_sums
  group by ${list([...SUMS_KEY])} having ${isSomething}`;

/** Only what differs is read: the ledger may hold millions of rows. */
function* compareRows(
  what: "cost" | "sum",
  key: readonly string[],
  computed: RawBuilder<unknown>,
  stored: RawBuilder<unknown>,
): Work<Difference[]> {
  const found = new Map<string, { stored: string; computed: string }>();
  for (const [side, one, other] of [
    ["computed", computed, stored],
    ["stored", stored, computed],
  ] as const) {
    const rows = yield* all(
      statement((db) =>
        db.selectFrom(sql<Row>`(select * from (${one}) as a except select * from (${other}) as b)`.as("d")).selectAll(),
      ),
      {},
    );
    for (const row of rows as readonly Row[]) {
      const text = key.map((column) => `${column} ${row[column]}`).join(" ");
      const both = found.get(text) ?? { stored: "nothing", computed: "nothing" };
      found.set(text, { ...both, [side]: SUMS.map((column) => `${column} ${row[column]}`).join(", ") });
    }
  }
  const differences: Difference[] = [];
  for (const [text, both] of found) note(differences, what, yield* named(text), both.stored, both.computed);
  return differences;
}

const nameOf = statement((db, args: { no: bigint }) => db.selectFrom("names").select("name").where("no", "=", args.no));

/** A row's key with the names that its numbers stand for. */
function* named(key: string): Work<string> {
  const words = key.split(" ");
  for (const [i, column] of words.entries()) {
    if (!column.endsWith("_no") || column === "book_no") continue;
    const row = yield* first(nameOf, { no: BigInt(words[i + 1] ?? 0) });
    words[i] = column.slice(0, -3);
    words[i + 1] = row?.name || "(none)";
  }
  return words.join(" ");
}

const misattributed = statement((db) =>
  db
    .selectFrom("sessions as s")
    .leftJoin("names as n", "n.name", "s.id")
    .leftJoin("attributions as a", "a.session_no", "n.no")
    .leftJoin("books as b", "b.no", "a.book_no")
    .where(
      sql<boolean>`coalesce(b.workspace_id, '') <> s.workspace_id or ${sql.join(
        [
          ["agent_no", "agent_id"],
          ["team_no", "team_id"],
          ["task_no", "task_id"],
          ["user_no", "user_id"],
          ["role_no", "role"],
        ].map(
          ([no, name]) =>
            sql`coalesce((select name from names where no = ${sql.ref(`a.${no}`)}), '') <> coalesce(${sql.ref(`s.${name}`)}, '')`,
        ),
        sql` or `,
      )}`,
    )
    .select("s.id"),
);

/** A session's charges count for whom the session says. */
function* compareAttributions(): Work<Difference[]> {
  return (yield* all(misattributed, {})).map(({ id }) => ({
    what: "session",
    key: id,
    stored: "its charges count for others",
    computed: "they count for whom it names",
  }));
}
