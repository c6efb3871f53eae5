// The SQLite engine: one writing connection, synchronous transactions, durable commits, fair waiting.
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, rmSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import { AstraError } from "../core/error.ts";
import { hash64 } from "../core/hash64.ts";
import type { Ledger } from "./ledger.ts";
import { LEDGER_VERSION, pendingMigrations } from "./migrate.ts";
import { isThere, ledgerError } from "./sqlite-error.ts";
import { FairQueue } from "./sqlite-queue.ts";
import { type Ready, type Rows, SharedReads } from "./sqlite-reads.ts";
import { type Call, type Compiled, compilerFor, fill, type Statement, type Work } from "./statement.ts";

export type SqliteLedger = Ledger & {
  /** Copies the live ledger, consistently, to a file that must not exist yet. */
  backup(file: string): Promise<void>;
};

const APPLICATION_ID = 0x61737472; // "astr"
/** Before 3.51.3 a checkpoint in one process could lose a commit of another (sqlite.org/wal.html#walresetbug). */
const LEAST_SQLITE = [3, 51, 3] as const;
/** File systems on which SQLite's shared memory or locks do not hold: NFS, SMB, FUSE, 9p, Ceph, AFS. */
const REMOTE = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x65735546, 0x01021997, 0x00c36400, 0x5346414f]);

/** Opens the ledger in a file, or a private one with ":memory:". Makes and migrates it where needed. */
export async function openSqlite(file: string): Promise<SqliteLedger> {
  try {
    if (file !== ":memory:") prepareFile(file);
    const db = new Database(file, { timeout: 0 });
    try {
      const queue = new FairQueue(db);
      await queue.retry(() => configure(db, file));
      await queue.retry(() => migrate(db));
      return ledgerOver(db, queue);
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    throw ledgerError(error);
  }
}

/** The directory for its owner only, and an empty file before SQLite makes one that others can read. */
function prepareFile(file: string): void {
  makeFolder(dirname(file));
  closeSync(openSync(file, "a", 0o600));
  if (process.platform === "linux" && REMOTE.has(statfsSync(dirname(file)).type)) {
    throw new AstraError(
      "ledger_unavailable",
      "The ledger file lies on a network or FUSE file system, where SQLite's locks do not hold.",
      "Put it on a local disk: --ledger FILE or ASTRA_LEDGER.",
    );
  }
}

/** Level by level: Node's own recursive mkdir never comes back from a folder that cannot be made (/proc/x/y). */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another server may have been quicker.
    if (!isThere(error)) throw error;
  }
}

function configure(db: Database.Database, file: string): void {
  const version = String(db.prepare("select sqlite_version()").pluck().get()).split(".").map(Number);
  const isOld = LEAST_SQLITE.map((least, i) => (version[i] ?? 0) - least).find((difference) => difference !== 0);
  if (isOld !== undefined && isOld < 0) {
    throw new AstraError(
      "ledger_unavailable",
      `SQLite ${version.join(".")} can lose commits of other processes.`,
      `Use one with SQLite ${LEAST_SQLITE.join(".")} or later.`,
    );
  }
  refuseForeign(db);
  // A new file only, for it needs the lock: free pages can then be given back a few at a time (see `vacuum`).
  if (db.pragma("page_count", { simple: true }) === 0) db.pragma("auto_vacuum = INCREMENTAL");
  const mode = db.pragma("journal_mode = WAL", { simple: true });
  for (const pragma of [
    "synchronous = FULL",
    "foreign_keys = ON",
    "trusted_schema = OFF",
    "cell_size_check = ON",
    "journal_size_limit = 67108864",
    "fullfsync = ON",
    "checkpoint_fullfsync = ON",
  ]) {
    db.pragma(pragma);
  }
  // The driver's default in WAL mode is NORMAL, which loses acknowledged charges in a power cut: read it back.
  const isDurable = db.pragma("synchronous", { simple: true }) === 2 && (mode === "wal" || file === ":memory:");
  if (!isDurable)
    throw new AstraError(
      "ledger_unavailable",
      "The ledger could not be opened in durable mode (WAL, FULL).",
      "Use a local disk.",
    );
}

function refuseForeign(db: Database.Database): void {
  // In this order: another process may be making the ledger right now, and it makes tables and id at once.
  const tables = db.prepare("select count(*) from sqlite_master").pluck().get();
  const id = db.pragma("application_id", { simple: true });
  if (id !== APPLICATION_ID && tables !== 0) {
    throw new AstraError(
      "ledger_foreign",
      "The file is a database of another program, not an astra-budget ledger.",
      "Name another file with --ledger.",
    );
  }
  const version = Number(db.pragma("user_version", { simple: true }));
  if (version > LEDGER_VERSION) {
    throw new AstraError(
      "ledger_newer",
      `The ledger has version ${version}; this astra-budget knows ${LEDGER_VERSION}.`,
      "Update astra-budget, or name another file with --ledger.",
    );
  }
}

/** Several servers may start at once on a new file: the version is read again under the lock. */
function migrate(db: Database.Database): void {
  if (Number(db.pragma("user_version", { simple: true })) === LEDGER_VERSION) return;
  db.function("HASH64", (text) => (text === null ? null : hash64(createHash("sha256").update(text).digest("hex"))));
  db.transaction(() => {
    refuseForeign(db);
    for (const sql of pendingMigrations(Number(db.pragma("user_version", { simple: true })), "sqlite")) db.exec(sql);
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${LEDGER_VERSION}`);
  }).immediate();
}

function ledgerOver(db: Database.Database, queue: FairQueue): SqliteLedger {
  const ready = readier(db);
  const reads = new SharedReads(db, queue, ready);
  const version = db.prepare("pragma data_version").pluck();
  return {
    write: (work) => queue.write(() => drive(work(), (call) => run(ready(call)))),
    read: (work) => reads.read((answer) => drive(work(), answer)),
    close: async () => {
      await reads.drained();
      await queue.drained();
      db.close();
    },
    // SQLite counts the commits of other connections, the queue those of this one.
    changes: async () => Number(version.get()) + queue.commits,
    backup: (file) => backUp(db, file),
    vacuum: () => vacuum(db, queue),
    integrity: async () => {
      try {
        const lines = db.pragma("integrity_check") as { integrity_check: string }[];
        return lines.map((line) => line.integrity_check).filter((line) => line !== "ok");
      } catch (error) {
        throw ledgerError(error);
      }
    },
  };
}

/** Pages given back in one step: 8 MB. */
const VACUUM_STEP = 2_000;
const INCREMENTAL = 2;

async function vacuum(db: Database.Database, queue: FairQueue): Promise<number> {
  const size = () => db.pragma("page_count", { simple: true }) as number;
  try {
    const before = size();
    // A ledger made before version 3 is rewritten whole, once, and others wait for that.
    if (db.pragma("auto_vacuum", { simple: true }) !== INCREMENTAL) {
      await queue.retry(() => db.exec("pragma auto_vacuum = INCREMENTAL; vacuum"));
    }
    while ((db.pragma("freelist_count", { simple: true }) as number) > 0) {
      await queue.retry(() => db.exec(`pragma incremental_vacuum(${VACUUM_STEP})`));
      await new Promise((done) => setTimeout(done, 1));
    }
    const freed = (before - size()) * (db.pragma("page_size", { simple: true }) as number);
    db.pragma("wal_checkpoint(TRUNCATE)");
    return Math.max(0, freed);
  } catch (error) {
    throw ledgerError(error);
  }
}

/** A copy in a new file for its owner only; one that fails leaves nothing behind. */
async function backUp(db: Database.Database, file: string): Promise<void> {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    throw isThere(error)
      ? new AstraError("invalid_input", "The file is there already.", "Name a file that does not exist yet.")
      : ledgerError(error);
  }
  try {
    // In one step: SQLite starts a copy in steps over whenever another process commits in between.
    await db.backup(file, { progress: () => 0x7fffffff });
  } catch (error) {
    rmSync(file, { force: true });
    throw ledgerError(error);
  }
}

/** Drives a transaction's work without ever giving up the thread: nothing can come between its statements. */
function drive<T>(work: Work<T>, answer: (call: Call) => Rows): T {
  let step = work.next([]);
  while (!step.done) step = work.next(answer(step.value));
  return step.value;
}

/** A call as a statement that is compiled and prepared once, with its values. */
function readier(db: Database.Database): (call: Call) => Ready {
  const compile = compilerFor({
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (kysely) => new SqliteIntrospector(kysely),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  });
  type Prepared = { readonly places: Compiled["places"]; readonly statement: Database.Statement };
  const prepared = new WeakMap<Statement<never, unknown>, Prepared>();
  const prepare = (of: Statement<never, unknown>): Prepared => {
    const known = prepared.get(of);
    if (known) return known;
    const { sql, places } = compile(of);
    const made = { places, statement: db.prepare(sql).safeIntegers(true) };
    prepared.set(of, made);
    return made;
  };
  return (call) => {
    const { places, statement } = prepare(call.statement);
    return { statement, values: fill(places, call.args) };
  };
}

function run({ statement, values }: Ready): Rows {
  if (statement.reader) return statement.all(values);
  statement.run(values);
  return [];
}
