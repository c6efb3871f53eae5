// The three engines the contract is run over; each makes a new ledger, opens it again and can be tampered with.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { sql } from "kysely";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openPostgres, type PostgresConnection } from "../../src/ledger/postgres.ts";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { all, statement, type Value, type Work } from "../../src/ledger/statement.ts";
import { TABLES } from "../world.ts";

export type Engine = {
  readonly name: string;
  /** A new, empty ledger. */
  make(): Promise<Ledger>;
  /** The ledger made last, opened once more; null where it is gone with its connection. */
  again: (() => Promise<Ledger>) | null;
  /** After the last test. */
  clear(): Promise<void>;
};

const memory: Engine = {
  name: "SQLite in memory",
  make: () => openSqlite(":memory:"),
  again: null,
  clear: async () => {},
};

function file(): Engine {
  const folder = mkdtempSync(join(tmpdir(), "astra-ledger-"));
  let count = 0;
  const path = () => join(folder, `${count}.db`);
  return {
    name: "SQLite in a file",
    make: () => {
      count += 1;
      return openSqlite(path());
    },
    again: () => openSqlite(path()),
    clear: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** One Postgres in WebAssembly for all tests of a file, for it takes seconds to start; a new ledger is a new schema. */
function postgres(): Engine {
  let started: PGlite | null = null;
  const connect = async (): Promise<PostgresConnection> => {
    started ??= await PGlite.create({ parsers: { 20: BigInt, 1700: BigInt } });
    const db = started;
    return {
      query: (text, values) => db.query(text, [...values]),
      exec: (text) => db.exec(text),
      close: async () => {},
    };
  };
  return {
    name: "Postgres (PGlite)",
    make: async () => {
      const connection = await connect();
      await connection.exec("drop schema public cascade; create schema public");
      return await openPostgres(connection);
    },
    again: async () => openPostgres(await connect()),
    clear: async () => {
      await started?.close();
    },
  };
}

export const engines = (): readonly Engine[] => [memory, file(), postgres()];

/** Any SQL inside a transaction: how a test looks at rows, and tampers with them. */
export function* raw<Row = Record<string, Value>>(text: string): Work<readonly Row[]> {
  return yield* all(
    statement((db) => ({ compile: () => sql.raw<Row>(text).compile(db) })),
    {},
  );
}

/** Every row of every table, to see whether anything changed. */
export function* everything(): Work<Record<string, readonly unknown[]>> {
  const found: Record<string, readonly unknown[]> = {};
  for (const table of TABLES) {
    const rows = yield* raw(`select * from ${table}`);
    found[table] = rows
      .map((row) => JSON.stringify(row, (_, value) => (typeof value === "bigint" ? `${value}n` : value)))
      .sort();
  }
  return found;
}
