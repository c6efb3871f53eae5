// The questions that costs are made of: each table of sums under one shape, every statement compiled once.
import { type Kysely, sql } from "kysely";
import { ATTRIBUTES, type Attribute, dimensionNumber, type Sums, summed, type Unit } from "./cost-shape.ts";
import { numberOf } from "./names.ts";
import { type Arguments, type Statement, statement } from "./statement.ts";
import type { Tables } from "./tables.ts";

/** A part of a question: a table, and the days or months (both inclusive) it answers for. */
export type Piece = {
  readonly table: "months" | "days" | "cells" | "lines";
  readonly from: bigint;
  readonly to: bigint;
};

/** Attributions that must match. */
export type Filter = readonly (readonly [Attribute, string])[];

/** What costs are broken down by: an attribution, a unit of time, both at once, or neither. */
export type Grouping = { readonly by: Attribute | null; readonly per: Unit | null };

/** One group's sums: its name in the attribution ("" = none) and its day or month (0 = all of the range). */
type Row = Sums & { readonly name: string; readonly at: bigint };
type Query = { readonly statement: Statement<Arguments, Row>; readonly args: Arguments };

const made = new Map<string, Statement<Arguments, Row>>();

/** One piece's groups; all in one group where nothing is asked for. */
export function queryOf(piece: Piece, grouping: Grouping, book: bigint, filter: Filter, session: string | null): Query {
  const attributes = filter.map(([attribute]) => attribute);
  const name = [piece.table, grouping.by, grouping.per, ...attributes].join(" ");
  const known = made.get(name) ?? statementOf(piece.table, grouping, attributes);
  made.set(name, known);
  const args = { book, from: piece.from, to: piece.to, session: session ?? "", ...Object.fromEntries(filter) };
  return { statement: known, args };
}

function statementOf(
  table: Piece["table"],
  grouping: Grouping,
  attributes: readonly Attribute[],
): Statement<Arguments, Row> {
  return statement((db, args: Arguments) => {
    const groups = groupsOf(db, table, grouping, attributes, args).as("g");
    const rows = db.selectFrom(groups).selectAll("g");
    if (grouping.by === null) return rows.select(sql<string>`''`.as("name"));
    return rows.innerJoin("names", "names.no", "g.no").select("names.name as name");
  }) as Statement<Arguments, Row>;
}

function groupsOf(
  db: Kysely<Tables>,
  table: Piece["table"],
  grouping: Grouping,
  attributes: readonly Attribute[],
  args: Arguments,
) {
  const { source, time, at, no, where } = shapes[table](grouping, attributes, args);
  const keys = [...(grouping.by === null ? [] : [no]), ...(grouping.per === null ? [] : [at])];
  const query = db
    .selectFrom(sql`${sql.table(source)}`.as("s") as never)
    .where(sql<boolean>`s.book_no = ${args.book}`)
    .where(sql<boolean>`${time} between ${args.from} and ${args.to}`)
    .where(sql<boolean>`${sql.join([sql`1 = 1`, ...where], sql` and `)}`)
    .select((grouping.by === null ? NONE : no).as("no"))
    .select((grouping.per === null ? NONE : at).as("at"))
    .select(summed((column) => `s.${column}`));
  return keys.length === 0 ? query : query.groupBy(keys);
}

const NONE = sql<bigint>`cast(0 as bigint)`;

type Shape = {
  readonly source: string;
  /** The column whose range is asked for. */
  readonly time: ReturnType<typeof sql<bigint>>;
  /** The day or month of a row, as the grouping has it. */
  readonly at: ReturnType<typeof sql<bigint>>;
  /** The name of a row in the grouping's attribution. */
  readonly no: ReturnType<typeof sql<bigint>>;
  readonly where: readonly ReturnType<typeof sql>[];
};

const shapes: Record<Piece["table"], (grouping: Grouping, attributes: readonly Attribute[], args: Arguments) => Shape> =
  {
    months: (grouping, attributes, args) => ({
      source: "cost_sums",
      time: sql`s.period`,
      at: sql`s.period`,
      no: sql`s.key_no`,
      where: [
        attributes.includes("agent") ? sql`s.of_agent_no = ${numberOf(args.agent as string)}` : sql`s.of_agent_no = 0`,
        sql`s.dimension = ${sql.lit(dimensionNumber(monthDimension(grouping, attributes)))}`,
      ],
    }),
    days: ({ per }, attributes, args) => ({
      source: "cost_sums",
      time: sql`s.period`,
      at: per === "month" ? sql`s.period / 100` : sql`s.period`,
      no: sql`s.key_no`,
      where: [
        sql`s.of_agent_no = 0`,
        sql`s.dimension = ${sql.lit(dimensionNumber("agent"))}`,
        ...(attributes.includes("agent") ? [sql`s.key_no = ${numberOf(args.agent as string)}`] : []),
      ],
    }),
    cells: (grouping, attributes, args) => ({
      source: "cost_cells",
      ...cellKeys(grouping),
      where: attributes.map((name) => sql`${sql.ref(`s.${name}_no`)} = ${numberOf(args[name] as string)}`),
    }),
    lines: (grouping, attributes, args) => ({
      source: "cost_lines",
      ...cellKeys(grouping),
      where: [
        sql`s.session_no = ${numberOf(args.session as string)}`,
        ...attributes.map((name) => sql`${sql.ref(`s.${name}_no`)} = ${numberOf(args[name] as string)}`),
      ],
    }),
  };

/** Totals and months are the same in every dimension: the one with the fewest names is read. */
function monthDimension({ by }: Grouping, attributes: readonly Attribute[]): Attribute {
  return by ?? (attributes.includes("agent") ? "agent" : "provider");
}

const cellKeys = ({ by, per }: Grouping) => ({
  time: sql<bigint>`s.day`,
  at: per === "month" ? sql<bigint>`s.day / 100` : sql<bigint>`s.day`,
  no: sql<bigint>`${sql.ref(`s.${by}_no`)}`,
});

/** The charges that are not folded yet, as cells with their names: read once for all questions of one snapshot. */
export const tailQuery = statement((db, range: { after: bigint; to: bigint }) => {
  const cells = db
    .selectFrom("cost_lines")
    .where("seq", ">", range.after)
    .where("seq", "<=", range.to)
    .groupBy(["day", ...ATTRIBUTES.map((name) => `${name}_no` as const)])
    .select(["day", ...ATTRIBUTES.map((name) => `${name}_no` as const)])
    .select(summed());
  return db
    .selectFrom(cells.as("g"))
    .selectAll("g")
    .select(
      ATTRIBUTES.map((name) => sql<string>`(select name from names where no = ${sql.ref(`g.${name}_no`)})`.as(name)),
    );
});
