// The Postgres engine: the same work, awaited statement by statement on one connection.
import { PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from "kysely";
import { AstraError } from "../core/error.ts";
import type { Ledger } from "./ledger.ts";
import { LEDGER_VERSION, pendingMigrations } from "./migrate.ts";
import { type Compiled, compilerFor, fill, type Statement, type Work } from "./statement.ts";

/** One connection of a driver. Integers of 64 bits and sums must come back as bigints. */
export type PostgresConnection = {
  query(sql: string, values: readonly unknown[]): Promise<{ rows: readonly unknown[] }>;
  /** Several statements at once, without values. */
  exec(sql: string): Promise<unknown>;
  close(): Promise<void>;
};

/** Any number that every astra-budget agrees on: the advisory lock under which tables are made. */
const MIGRATION_LOCK = 0x61737472;

export async function openPostgres(connection: PostgresConnection): Promise<Ledger> {
  await migrate(connection);
  const run = runner(connection);
  let last: Promise<unknown> = Promise.resolve();
  /** One transaction at a time on one connection. */
  const inTurn = <T>(job: () => Promise<T>): Promise<T> => {
    const next = last.then(job, job);
    last = next.catch(() => undefined);
    return next;
  };
  const transaction =
    (begin: string) =>
    <T>(work: () => Work<T>): Promise<T> =>
      inTurn(async () => {
        await connection.exec(begin);
        try {
          const answer = await run(work());
          await connection.exec("commit");
          return answer;
        } catch (error) {
          await connection.exec("rollback");
          throw error;
        }
      });
  return {
    // Rows are locked by the upserts of `lockBalances`; read committed sees what the lock waited for. A session's
    // state, stops and idempotency keys are read before that: safe on this one connection, not yet beside others.
    write: transaction("begin isolation level read committed"),
    read: transaction("begin isolation level repeatable read read only"),
    // Each writing transaction takes the next number.
    changes: () =>
      inTurn(async () => {
        const { rows } = await connection.query(
          "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as at",
          [],
        );
        return Number((rows[0] as { at: bigint }).at);
      }),
    // The file is the Postgres server's to check, with its own tools.
    integrity: async () => [],
    // Postgres keeps the space for what comes next; its tables do not shrink while others write.
    vacuum: () =>
      inTurn(async () => {
        await connection.exec("vacuum");
        return 0;
      }),
    close: () => inTurn(() => connection.close()),
  };
}

async function migrate(connection: PostgresConnection): Promise<void> {
  await connection.exec(
    `begin; select pg_advisory_xact_lock(${MIGRATION_LOCK}); create table if not exists ledger_version (version bigint not null)`,
  );
  try {
    const { rows } = await connection.query("select version from ledger_version", []);
    const version = Number((rows[0] as { version: bigint } | undefined)?.version ?? 0n);
    if (version > LEDGER_VERSION) {
      throw new AstraError(
        "ledger_newer",
        `The ledger has version ${version}; this astra-budget knows ${LEDGER_VERSION}.`,
        "Update astra-budget.",
      );
    }
    for (const sql of pendingMigrations(version, "postgres")) await connection.exec(sql);
    await connection.exec(`delete from ledger_version; insert into ledger_version values (${LEDGER_VERSION}); commit`);
  } catch (error) {
    await connection.exec("rollback");
    throw error;
  }
}

function runner(connection: PostgresConnection) {
  const compile = compilerFor({
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: (kysely) => new PostgresIntrospector(kysely),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  });
  const compiled = new WeakMap<Statement<never, unknown>, Compiled>();
  return async <T>(work: Work<T>): Promise<T> => {
    let step = work.next([]);
    while (!step.done) {
      const of = step.value.statement;
      const known = compiled.get(of) ?? compile(of);
      compiled.set(of, known);
      const { rows } = await connection.query(known.sql, fill(known.places, step.value.args));
      step = work.next(rows);
    }
    return step.value;
  };
}
