// Costs: sums over charges by any attribution, from the smallest table that can answer, plus what is not folded yet.
import { type Book, findBook } from "./books.ts";
import { calendarNumber, calendarText, lastDayOf, monthAfter, monthBefore } from "./calendar.ts";
import { type Filter, type Grouping, type Piece, queryOf, tailQuery } from "./cost-queries.ts";
import { ATTRIBUTES, type Attribute, type Dimension, SUMS, type Sums, UNITS, type Unit } from "./cost-shape.ts";
import { all, type Work } from "./statement.ts";

/** Which costs: local days, both inclusive ("YYYY-MM-DD"), and attributions that must all match. */
export type CostFilter = {
  readonly workspaceId: string;
  readonly fromDay: string;
  readonly toDay: string;
  readonly agentId: string | null;
  readonly teamId: string | null;
  readonly taskId: string | null;
  readonly userId: string | null;
  readonly role: string | null;
  readonly provider: string | null;
  readonly model: string | null;
  /** "" is the model call itself. */
  readonly tool: string | null;
  readonly sessionId: string | null;
};

/** All of a workspace's costs in a range of days. */
export const everything = (workspaceId: string, fromDay: string, toDay: string): CostFilter => ({
  workspaceId,
  fromDay,
  toDay,
  agentId: null,
  teamId: null,
  taskId: null,
  userId: null,
  role: null,
  provider: null,
  model: null,
  tool: null,
  sessionId: null,
});

export type CostGroup = Sums & { readonly key: string };

/** Sums of one name in one day or month; "" where that is not asked for. */
export type CostPart = { readonly name: string; readonly at: string; readonly sums: Sums };

const NO_SUMS = Object.fromEntries(SUMS.map((column) => [column, 0n])) as Sums;

/** The groups of one dimension, largest cost first; "" is what has no such attribution. */
export function* costsBy(dimension: Dimension, filter: CostFilter): Work<readonly CostGroup[]> {
  const per = UNITS.find((unit) => unit === dimension) ?? null;
  const by = ATTRIBUTES.find((attribute) => attribute === dimension) ?? null;
  const groups = yield* groupsOf({ by, per }, filter);
  return groups
    .map(({ name, at, sums }) => ({ key: per === null ? name : at, ...sums }))
    .sort((a, b) => compare(b.cost_nano_usd, a.cost_nano_usd) || compare(a.key, b.key));
}

/** One attribution's groups in each day or month ("2026-11-22", "2026-11"), in no order. */
export function* costsOverTime(by: Attribute, per: Unit, filter: CostFilter): Work<readonly CostPart[]> {
  return yield* groupsOf({ by, per }, filter);
}

/** The sums over everything the filter lets through. */
export function* costTotals(filter: CostFilter): Work<Sums> {
  return (yield* groupsOf({ by: null, per: null }, filter))[0]?.sums ?? NO_SUMS;
}

const compare = <T extends bigint | string>(a: T, b: T): number => (a === b ? 0 : a < b ? -1 : 1);

function* groupsOf(grouping: Grouping, filter: CostFilter): Work<CostPart[]> {
  const book = yield* findBook(filter.workspaceId);
  if (!book) return [];
  const groups = new Groups();
  const attributes = attributesOf(filter);
  for (const piece of piecesOf(grouping, filter, attributes)) {
    const { statement, args } = queryOf(piece, grouping, book.no, attributes, filter.sessionId);
    for (const row of yield* all(statement, args)) groups.add(row.name, row.at, row);
  }
  // A session's own lines are all of its charges already.
  if (filter.sessionId === null) yield* addTail(groups, book, grouping, filter, attributes);
  return groups.found();
}

/** The few charges that are not in the sums yet. */
function* addTail(
  groups: Groups,
  book: Book,
  { by, per }: Grouping,
  filter: CostFilter,
  attributes: Filter,
): Work<void> {
  const from = calendarNumber(filter.fromDay);
  const to = calendarNumber(filter.toDay);
  for (const line of yield* all(tailQuery, { after: book.foldedSeq, to: book.lastSeq })) {
    if (line.day < from || line.day > to) continue;
    if (attributes.some(([attribute, name]) => line[attribute] !== name)) continue;
    const at = per === "day" ? line.day : per === "month" ? line.day / 100n : 0n;
    groups.add(by === null ? "" : line[by], at, line);
  }
}

/** Sums by name and time, as the pieces of an answer add to them. */
class Groups {
  readonly #sums = new Map<bigint, Map<string, Sums>>();

  add(name: string, at: bigint, more: Sums): void {
    const names = this.#sums.get(at) ?? new Map<string, Sums>();
    this.#sums.set(at, names);
    const sums = names.get(name) ?? NO_SUMS;
    names.set(name, Object.fromEntries(SUMS.map((column) => [column, sums[column] + more[column]])) as Sums);
  }

  /** All but what was taken back to nothing: that is no group. */
  found(): CostPart[] {
    return [...this.#sums].flatMap(([at, names]) => {
      const text = at === 0n ? "" : calendarText(String(at));
      return [...names]
        .filter(([, sums]) => SUMS.some((column) => sums[column] !== 0n))
        .map(([name, sums]) => ({ name, at: text, sums }));
    });
  }
}

/** The attributions that must match, in one order. */
function attributesOf(filter: CostFilter): Filter {
  const wanted: Record<Attribute, string | null> = {
    agent: filter.agentId,
    team: filter.teamId,
    task: filter.taskId,
    user: filter.userId,
    role: filter.role,
    provider: filter.provider,
    model: filter.model,
    tool: filter.tool,
  };
  return ATTRIBUTES.flatMap((attribute) => {
    const name = wanted[attribute];
    return name === null ? [] : [[attribute, name] as const];
  });
}

const FIRST_DAY = 1_000_000n;

/** Whole months from the small table where it has the question, the rest by days or cells; charges for one session. */
function piecesOf({ by, per }: Grouping, filter: CostFilter, attributes: Filter): Piece[] {
  const range = { from: calendarNumber(filter.fromDay), to: calendarNumber(filter.toDay) };
  // Below it a number is a month's (202611), and in the same column: no day of a ledger is that early.
  if (range.from < FIRST_DAY) range.from = FIRST_DAY;
  if (filter.sessionId !== null) return [{ table: "lines", ...range }];
  if (attributes.some(([attribute]) => attribute !== "agent")) return [{ table: "cells", ...range }];
  const edges = by === null || by === "agent" ? "days" : "cells";
  if (per === "day") return [{ table: edges, ...range }];
  const firstMonth = filter.fromDay.endsWith("-01") ? filter.fromDay.slice(0, 7) : monthAfter(filter.fromDay);
  const lastMonth = filter.toDay >= lastDayOf(filter.toDay) ? filter.toDay.slice(0, 7) : monthBefore(filter.toDay);
  if (firstMonth > lastMonth) return [{ table: edges, ...range }];
  const months = { from: calendarNumber(firstMonth), to: calendarNumber(lastMonth) };
  const pieces: Piece[] = [
    { table: edges, from: range.from, to: months.from * 100n },
    { table: "months", ...months },
    { table: edges, from: months.to * 100n + 99n, to: range.to },
  ];
  return pieces.filter((piece) => piece.from <= piece.to);
}
