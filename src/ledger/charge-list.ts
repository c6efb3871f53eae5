// Charges by the page, in the order in which they were recorded: a page costs the same wherever in the ledger it is.
import { type Kysely, type RawBuilder, sql } from "kysely";
import { max, min } from "../core/limits.ts";
import { findBook } from "./books.ts";
import { calendarNumber } from "./calendar.ts";
import type { ToolLine } from "./charges.ts";
import { type CostFilter, everything } from "./costs.ts";
import { numberOf } from "./names.ts";
import { type Arguments, all, first, type Statement, statement, type Work } from "./statement.ts";
import type { ChargesView, SessionStatus, Tables } from "./tables.ts";

type Row = ChargesView & {
  parent_session_id: string | null;
  /** Session ids from the root to its own, joined by "/". */
  path: string;
  session_status: SessionStatus;
  opened_at: bigint;
  ended_at: bigint | null;
};

/** A charge with its tools, and of its session what only the session knows. */
export type ListedCharge = Readonly<Row> & { readonly lines: readonly ToolLine[] };

export type ChargePage = {
  readonly charges: readonly ListedCharge[];
  /** The next page begins after the charge of this number in the workspace's book. Null = there is no more. */
  readonly next: bigint | null;
};

/**
 * So many charges are looked at for a page at most. Days and names have no index here, and a filter that lets through
 * one charge in a million must not read the whole ledger in one call: its pages are short, and some are empty.
 */
const MOST_LOOKED_AT = 20_000n;

/** The first charges after a number (0 = from the start) that the filter lets through, oldest first. */
export function* chargesAfter(filter: CostFilter, after: bigint, limit: number): Work<ChargePage> {
  const book = yield* findBook(filter.workspaceId);
  const start = book?.startSeq ?? 0n;
  const last = book?.lastSeq ?? 0n;
  const from = yield* first(nextSeq, { after: start + after, last });
  if (!from) return { charges: [], next: null };
  // A session's charges are found by its index.
  const isOfSession = filter.sessionId !== null;
  const to = isOfSession ? last : min(from.seq + MOST_LOOKED_AT - 1n, last);
  const { page, lines, names } = statementsOf(filter);
  const args = {
    ...names,
    after: start + after,
    to,
    from_hour: calendarNumber(filter.fromDay) * 100n,
    to_hour: calendarNumber(filter.toDay) * 100n + 99n,
    limit: BigInt(limit),
  };
  const charges = yield* listed(page, lines, args);
  const end = charges.length === limit ? (charges.at(-1)?.seq ?? to) : to;
  const more = yield* first(nextSeq, { after: end, last });
  return { charges, next: more ? end - start : null };
}

function* listed(page: Statements["page"], lines: Statements["lines"], args: Arguments): Work<ListedCharge[]> {
  const rows = yield* all(page, args);
  const tools = Map.groupBy(rows.length > 0 ? yield* all(lines, args) : [], (line) => line.seq);
  return rows.map((row) => ({ ...row, lines: (tools.get(row.seq) ?? []).map(({ seq: _, ...line }) => line) }));
}

/** The newest charges of a workspace, oldest first. All three are numbers in its book. */
export type NewestCharges = {
  readonly charges: readonly ListedCharge[];
  /** Of the first of them; without any, the next there will be. */
  readonly first: bigint;
  /** The highest that was ever given to a charge. */
  readonly last: bigint;
};

/** The newest charges after a number, at most so many. Their numbers have no gaps but where charges were pruned. */
export function* newestCharges(workspaceId: string, after: bigint, limit: number): Work<NewestCharges> {
  const book = yield* findBook(workspaceId);
  if (!book) return { charges: [], first: 1n, last: 0n };
  const { startSeq: start } = book;
  const ends = { after: start + after, to: book.lastSeq };
  const seqs = (yield* all(newestSeqs, { ...ends, limit: BigInt(limit) })).map(({ seq }) => seq);
  const highest = seqs[0] ?? (yield* first(newestSeqs, { after: start, to: book.lastSeq, limit: 1n }))?.seq ?? start;
  const last = max(highest, book.foldedSeq) - start;
  const from = seqs.at(-1);
  if (from === undefined) return { charges: [], first: last + 1n, last };
  const { page, lines, names } = statementsOf(everything(workspaceId, "0000-01-01", "9999-12-31"));
  const range = { after: from - 1n, to: book.lastSeq, from_hour: 0n, to_hour: ALL_HOURS, limit: BigInt(limit) };
  return { charges: yield* listed(page, lines, { ...names, ...range }), first: from - start, last };
}

/** No hour of a calendar has a higher number. */
const ALL_HOURS = 9_999_999_999n;

const newestSeqs = statement((db, args: { after: bigint; to: bigint; limit: bigint }) =>
  db
    .selectFrom("charge_rows")
    .select("seq")
    .where("seq", ">", args.after)
    .where("seq", "<=", args.to)
    .orderBy("seq", "desc")
    .limit(args.limit),
);

/** The first `seq` there is after another: where charges were pruned there are none for a long way. */
const nextSeq = statement((db, args: { after: bigint; last: bigint }) =>
  db
    .selectFrom("charge_rows")
    .select("seq")
    .where("seq", ">", args.after)
    .where("seq", "<=", args.last)
    .orderBy("seq")
    .limit(1n),
);

type Line = ToolLine & { readonly seq: bigint };
type Statements = { readonly page: Statement<Arguments, Row>; readonly lines: Statement<Arguments, Line> };

const made = new Map<string, Statements>();

/** What a filter may name, and the column that must have its number. */
const COLUMNS = {
  agentId: "a.agent_no",
  teamId: "a.team_no",
  taskId: "a.task_no",
  userId: "a.user_no",
  role: "a.role_no",
  provider: "r.provider_no",
  model: "r.model_no",
  sessionId: "r.session_no",
} as const;
type Name = keyof typeof COLUMNS | "tool";
const NAMES = [...(Object.keys(COLUMNS) as (keyof typeof COLUMNS)[]), "tool"] as const satisfies readonly Name[];

/** One pair of statements for each set of names that a filter has, compiled once. */
function statementsOf(filter: CostFilter): Statements & { readonly names: Arguments } {
  const given = NAMES.filter((name) => filter[name] !== null);
  const known = made.get(given.join(" ")) ?? makeStatements(given);
  made.set(given.join(" "), known);
  return { ...known, names: Object.fromEntries(given.map((name) => [name, filter[name]])) };
}

function makeStatements(given: readonly Name[]): Statements {
  return {
    page: statement((db, args: Arguments) =>
      db
        .selectFrom(pageOf(db, given, args).as("p"))
        .innerJoin("charges as c", "c.seq", "p.seq")
        .innerJoin("sessions as s", "s.id", "c.session_id")
        .selectAll("c")
        .select(["s.parent_session_id", "s.path", "s.status as session_status", "s.opened_at", "s.ended_at"])
        .orderBy("c.seq"),
    ) as Statement<Arguments, Row>,
    lines: statement((db, args: Arguments) =>
      db
        .selectFrom(pageOf(db, given, args).as("p"))
        .innerJoin("charge_tool_rows as t", "t.seq", "p.seq")
        .innerJoin("names as n", "n.no", "t.tool_no")
        .select(["t.seq", "n.name as tool", "t.calls", "t.cost_nano_usd as cost"])
        .orderBy("t.seq")
        .orderBy("n.name"),
    ) as Statement<Arguments, Line>,
  };
}

/** The `seq` of a page's charges. */
function pageOf(db: Kysely<Tables>, given: readonly Name[], args: Arguments) {
  // With "+ 0" no engine takes the order of `seq` for quicker than the index of the session.
  const seq = given.includes("sessionId") ? sql<bigint>`r.seq + 0` : sql<bigint>`r.seq`;
  return db
    .selectFrom("charge_rows as r")
    .innerJoin("attributions as a", "a.session_no", "r.session_no")
    .select("r.seq")
    .where(sql<boolean>`${seq} > ${args.after} and ${seq} <= ${args.to}`)
    .where(sql<boolean>`r.hour between ${args.from_hour} and ${args.to_hour}`)
    .where(sql<boolean>`${sql.join([sql`1 = 1`, ...given.map((name) => matches(name, args))], sql` and `)}`)
    .orderBy(seq)
    .limit(args.limit as bigint);
}

/** A charge is for a tool when all of it is, or a part. */
function matches(name: Name, args: Arguments): RawBuilder<unknown> {
  const no = numberOf(args[name] as string);
  if (name !== "tool") return sql`${sql.ref(COLUMNS[name])} = ${no}`;
  return sql`(r.tool_no = ${no} or exists (select 1 from charge_tool_rows x where x.seq = r.seq and x.tool_no = ${no}))`;
}
