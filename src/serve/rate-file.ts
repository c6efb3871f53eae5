// The rate limiter's file: beside the ledger, for its owner only, and never a reason for the server to fail.
import { closeSync, openSync, rmSync } from "node:fs";
import Database from "better-sqlite3";
import { AstraError } from "../core/error.ts";

/** How long one request may wait for another process at the file. */
const WAIT_MS = 20;
/** After a failure the file is left alone for so long: each try would hold up all requests. */
const PAUSE_MS = 1_000;
const START_MS = 5_000;
const TABLE = "rate_limits";

export type RateFile = {
  readonly table: string;
  /** What `rate-limiter-flexible` takes for a better-sqlite3 database. Throws while the file cannot be used. */
  readonly client: object;
  /** Forgets what is over. Never throws. */
  forgetBefore(epochMs: number): void;
  close(): void;
};

/** Makes the file where need be; a damaged one is replaced, for what it held is worth a minute. */
export function openRateFile(file: string, log: (text: string) => void): RateFile {
  const db = opened(file);
  const known = new Map<string, Database.Statement>();
  let pausedUntil = 0;
  /** A fault is told once for each outage; meanwhile the caller counts by itself. */
  const guarded = <T>(use: () => T): T => {
    if (performance.now() < pausedUntil) throw new Error("paused");
    try {
      const value = use();
      if (pausedUntil > 0) log("rate limits are shared with the other servers of this ledger again.");
      pausedUntil = 0;
      return value;
    } catch (error) {
      if (pausedUntil === 0) log(`rate limits are counted by this server alone for now: ${file}: ${error}`);
      pausedUntil = performance.now() + PAUSE_MS;
      throw error;
    }
  };
  const statement = (sql: string): Database.Statement => {
    const found = known.get(sql) ?? db.prepare(sql);
    known.set(sql, found);
    return found;
  };
  return {
    table: TABLE,
    client: {
      // Each statement is prepared once, is its own transaction, and is stepped to its end: else SQLite never
      // moves what it wrote from the log into the file.
      prepare: (sql: string) => ({
        get: (...values: unknown[]) => guarded(() => statement(sql).all(...values)[0]),
        run: (...values: unknown[]) => guarded(() => statement(sql).run(...values)),
      }),
      transaction: (run: () => unknown) => run,
    },
    forgetBefore(epochMs) {
      try {
        guarded(() => statement(`delete from ${TABLE} where expire < ?`).run(epochMs));
      } catch {
        // Told already; the next minute tries again.
      }
    },
    close: () => db.close(),
  };
}

function opened(file: string): Database.Database {
  try {
    return made(file);
  } catch {
    try {
      for (const each of [file, `${file}-wal`, `${file}-shm`]) rmSync(each, { force: true });
      return made(file);
    } catch {
      throw new AstraError(
        "ledger_unavailable",
        `The rate limits' file cannot be used: ${file}`,
        "Delete what lies there, or start with --rate-limit 0.",
      );
    }
  }
}

function made(file: string): Database.Database {
  // Before SQLite makes one that others can read; its companions get the same mode.
  closeSync(openSync(file, "a", 0o600));
  const db = new Database(file, { timeout: START_MS });
  try {
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = OFF");
    db.pragma("journal_size_limit = 4194304");
    // As the library would make it.
    db.exec(
      `create table if not exists ${TABLE} (key text primary key, points integer not null default 0, expire integer)`,
    );
    db.pragma(`busy_timeout = ${WAIT_MS}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
