// Names: every text that repeats in the charges is kept once, and has a number.
import { type RawBuilder, sql } from "kysely";
import { type Arguments, all, family, pieces, placed, statement, valuesOf, type Work } from "./statement.ts";
import type { NamesTable } from "./tables.ts";

/** As many names as one statement makes sure of; fewer are filled up with the empty one, which is always there. */
const MOST = 6;
const SLOTS = Array.from({ length: MOST }, (_, i) => `name${i}`);

const insert = statement((db, args: Record<string, string>) =>
  db
    .insertInto("names")
    .values(SLOTS.map((slot) => ({ name: args[slot] })) as NamesTable[])
    .onConflict((oc) => oc.column("name").doNothing()),
);

/** Gives each of the texts a number, where it has none yet. */
export function* ensureNames(names: readonly (string | null)[]): Work<void> {
  const distinct = [...new Set(names.filter((name) => name !== null))];
  for (let i = 0; i < distinct.length; i += MOST)
    yield* all(insert, Object.fromEntries(SLOTS.map((slot, place) => [slot, distinct[i + place] ?? ""])));
}

const select = family((count) =>
  statement((db, args: Arguments) =>
    db.selectFrom("names").select(["no", "name"]).where("name", "in", valuesOf<string>(args, count)),
  ),
);

/** The numbers of names that have one, for writing many rows at once. */
export function* numbersOf(names: Iterable<string>): Work<ReadonlyMap<string, bigint>> {
  const numbers = new Map<string, bigint>();
  for (const some of pieces([...new Set(names)]))
    for (const row of yield* all(select(some.length), placed([some]))) numbers.set(row.name, row.no);
  return numbers;
}

/** In a statement: the number of a name (an argument or a text), null where it has none. */
export const numberOf = (name: string): RawBuilder<bigint> => sql<bigint>`(select no from names where name = ${name})`;
