// The questions that costs are made of: each table of sums under one shape, every statement compiled once.
import { type Kysely, sql } from "kysely";
import { ATTRIBUTES, type Attribute, type Dimension, dimensionNumber, type Sums, summed } from "./cost-shape.ts";
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

export type Group = Sums & Readonly<Record<Attribute, string>>;

type Row = Sums & { readonly key: string | bigint };
type Query = { readonly statement: Statement<Arguments, Row>; readonly args: Arguments };

const made = new Map<string, Statement<Arguments, Row>>();

/** One piece's groups of a dimension; all in one group where there is none. */
export function queryOf(
  piece: Piece,
  dimension: Dimension | null,
  book: bigint,
  filter: Filter,
  session: string | null,
): Query {
  const attributes = filter.map(([attribute]) => attribute);
  const name = [piece.table, dimension, ...attributes].join(" ");
  const known = made.get(name) ?? statementOf(piece.table, dimension, attributes);
  made.set(name, known);
  const args = { book, from: piece.from, to: piece.to, session: session ?? "", ...Object.fromEntries(filter) };
  return { statement: known, args };
}

function statementOf(
  table: Piece["table"],
  dimension: Dimension | null,
  attributes: readonly Attribute[],
): Statement<Arguments, Row> {
  return statement((db, args: Arguments) => {
    const groups = groupsOf(db, table, dimension, attributes, args).as("g");
    const rows = db.selectFrom(groups).selectAll("g");
    if (dimension === null || dimension === "day" || dimension === "month") return rows.select("g.no as key");
    return rows.innerJoin("names", "names.no", "g.no").select("names.name as key");
  }) as Statement<Arguments, Row>;
}

function groupsOf(
  db: Kysely<Tables>,
  table: Piece["table"],
  dimension: Dimension | null,
  attributes: readonly Attribute[],
  args: Arguments,
) {
  const { source, time, key, where } = shapes[table](dimension, attributes, args);
  const by = dimension === null ? sql<bigint>`cast(0 as bigint)` : key;
  const query = db
    .selectFrom(sql`${sql.table(source)}`.as("s") as never)
    .where(sql<boolean>`s.book_no = ${args.book}`)
    .where(sql<boolean>`${time} between ${args.from} and ${args.to}`)
    .where(sql<boolean>`${sql.join([sql`1 = 1`, ...where], sql` and `)}`)
    .select(by.as("no"))
    .select(summed((column) => `s.${column}`));
  return dimension === null ? query : query.groupBy(key);
}

type Shape = {
  readonly source: string;
  readonly time: ReturnType<typeof sql<bigint>>;
  readonly key: ReturnType<typeof sql<bigint>>;
  readonly where: readonly ReturnType<typeof sql>[];
};

const shapes: Record<
  Piece["table"],
  (dimension: Dimension | null, attributes: readonly Attribute[], args: Arguments) => Shape
> = {
  months: (dimension, attributes, args) => ({
    source: "cost_sums",
    time: sql`s.period`,
    key: dimension === "month" ? sql`s.period` : sql`s.key_no`,
    where: [
      attributes.includes("agent") ? sql`s.of_agent_no = ${numberOf(args.agent as string)}` : sql`s.of_agent_no = 0`,
      sql`s.dimension = ${sql.lit(dimensionNumber(monthDimension(dimension, attributes)))}`,
    ],
  }),
  days: (dimension, attributes, args) => ({
    source: "cost_sums",
    time: sql`s.period`,
    key: dimension === "day" ? sql`s.period` : dimension === "month" ? sql`s.period / 100` : sql`s.key_no`,
    where: [
      sql`s.of_agent_no = 0`,
      sql`s.dimension = ${sql.lit(dimensionNumber("agent"))}`,
      ...(attributes.includes("agent") ? [sql`s.key_no = ${numberOf(args.agent as string)}`] : []),
    ],
  }),
  cells: (dimension, attributes, args) => ({
    source: "cost_cells",
    time: sql`s.day`,
    key: cellKey(dimension),
    where: attributes.map((name) => sql`${sql.ref(`s.${name}_no`)} = ${numberOf(args[name] as string)}`),
  }),
  lines: (dimension, attributes, args) => ({
    source: "cost_lines",
    time: sql`s.day`,
    key: cellKey(dimension),
    where: [
      sql`s.session_no = ${numberOf(args.session as string)}`,
      ...attributes.map((name) => sql`${sql.ref(`s.${name}_no`)} = ${numberOf(args[name] as string)}`),
    ],
  }),
};

/** Totals and months are the same in every dimension: the one with the fewest names is read. */
function monthDimension(dimension: Dimension | null, attributes: readonly Attribute[]): Attribute {
  if (dimension === null || dimension === "month" || dimension === "day")
    return attributes.includes("agent") ? "agent" : "provider";
  return dimension;
}

function cellKey(dimension: Dimension | null) {
  if (dimension === "day") return sql<bigint>`s.day`;
  if (dimension === "month") return sql<bigint>`s.day / 100`;
  return sql<bigint>`${sql.ref(`s.${dimension}_no`)}`;
}

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
