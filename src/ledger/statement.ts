// A statement: written once with Kysely, compiled once per engine, run many times with named arguments.
import { type CompiledQuery, type Dialect, DummyDriver, Kysely, type QueryCompiler } from "kysely";
import type { Tables } from "./tables.ts";

/** Stands for a named argument while Kysely builds the SQL. */
class Argument {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

type Compilable<Row> = { compile(): CompiledQuery<Row> };
export type Value = string | bigint | null;
export type Arguments = Readonly<Record<string, Value>>;

/** `Args` and `Row` are what callers see; `build` is called once per engine. */
export type Statement<Args extends Arguments, Row> = {
  readonly build: (db: Kysely<Tables>) => Compilable<Row>;
  /** Only for inference. */
  readonly args?: Args;
};

/** One statement to run; the engine answers with its rows. */
export type Call = { readonly statement: Statement<never, unknown>; readonly args: Arguments };

/** A transaction's logic, written once: it yields calls and receives rows, synchronously or not. */
export type Work<T> = Generator<Call, T, readonly unknown[]>;

export function statement<Args extends Arguments, Row>(
  build: (db: Kysely<Tables>, args: Args) => Compilable<Row>,
): Statement<Args, Row> {
  const args = new Proxy({}, { get: (_, name) => new Argument(String(name)) }) as Args;
  return { build: (db) => build(db, args) };
}

/** All rows of a statement. */
export function* all<Args extends Arguments, Row>(of: Statement<Args, Row>, args: Args): Work<readonly Row[]> {
  return (yield { statement: of as Statement<never, unknown>, args }) as readonly Row[];
}

/** The first row of a statement, if any. */
export function* first<Args extends Arguments, Row>(of: Statement<Args, Row>, args: Args): Work<Row | undefined> {
  return (yield* all(of, args))[0];
}

/** Rows that one statement takes; many rows are cut into these few sizes, so that few statements are compiled. */
const SIZES = [64, 32, 16, 8, 4, 2, 1] as const;

export function pieces<T>(rows: readonly T[]): (readonly T[])[] {
  const cut: (readonly T[])[] = [];
  for (let at = 0; at < rows.length; ) {
    const size = SIZES.find((each) => each <= rows.length - at) ?? 1;
    cut.push(rows.slice(at, at + size));
    at += size;
  }
  return cut;
}

/** One statement per number of rows, made when first needed. */
export function family<Args extends Arguments, Row>(make: (count: number) => Statement<Args, Row>) {
  const made = new Map<number, Statement<Args, Row>>();
  return (count: number) => {
    let of = made.get(count);
    if (!of) {
      of = make(count);
      made.set(count, of);
    }
    return of;
  };
}

/** The arguments of many rows by their place: to make a name for each would cost more than to write them. */
export function placed(rows: readonly (readonly Value[])[]): Arguments {
  return rows.flat() as readonly Value[] as unknown as Arguments;
}

/** In such a statement: the values of a list. */
export function valuesOf<Of extends Value>(args: Arguments, count: number): Of[] {
  return Array.from({ length: count }, (_, i) => args[i] as Of);
}

/** In such a statement: the rows, each as its columns with their arguments. */
export function rowsOf<Table>(args: Arguments, columns: readonly string[], count: number): Table[] {
  return Array.from({ length: count }, (_, row) =>
    Object.fromEntries(columns.map((column, i) => [column, args[row * columns.length + i]])),
  ) as Table[];
}

/** SQL with the argument that goes into each of its places. */
export type Compiled = { readonly sql: string; readonly places: readonly (string | { readonly constant: Value })[] };

/** A Kysely that can only compile; running needs an engine. */
export function compilerFor(
  dialect: Pick<Dialect, "createAdapter" | "createIntrospector"> & { createQueryCompiler(): QueryCompiler },
) {
  const db = new Kysely<Tables>({ dialect: { ...dialect, createDriver: () => new DummyDriver() } });
  return (of: Statement<never, unknown>): Compiled => {
    const { sql, parameters } = of.build(db).compile();
    const places = parameters.map((p) => (p instanceof Argument ? p.name : { constant: p as Value }));
    return { sql, places };
  };
}

/** The values for a compiled statement's places. */
export function fill(places: Compiled["places"], args: Arguments): Value[] {
  return places.map((place) => {
    if (typeof place !== "string") return place.constant;
    const value = args[place];
    if (value === undefined) throw new TypeError(`statement argument ${place} is missing`);
    return value;
  });
}
