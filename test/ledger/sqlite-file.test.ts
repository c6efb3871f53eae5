// A ledger in a file is durable, private to its owner, strict, and left in order when it is closed.
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LEDGER_VERSION } from "../../src/ledger/migrate.ts";
import { openSqlite, type SqliteLedger } from "../../src/ledger/sqlite.ts";
import { raw } from "./engines.ts";
import { book, faultsOf, folder, keysIn, opened } from "./files.ts";

let place: ReturnType<typeof folder>;
beforeEach(() => {
  place = folder();
});
afterEach(() => place.remove());

const pragma = async (ledger: SqliteLedger, name: string): Promise<unknown> => {
  const [row] = await ledger.read(() => raw(`pragma ${name}`));
  return Object.values(row ?? {})[0];
};

test("every connection is durable: WAL, FULL, both read back from the connection itself", async () => {
  const file = place.in("ledger.db");
  for (const _ of ["a new file", "one that is there"]) {
    const ledger = await openSqlite(file);
    expect(await pragma(ledger, "journal_mode")).toBe("wal");
    expect(await pragma(ledger, "synchronous")).toBe(2n);
    expect(await pragma(ledger, "fullfsync")).toBe(1n);
    expect(await pragma(ledger, "checkpoint_fullfsync")).toBe(1n);
    expect(await pragma(ledger, "foreign_keys")).toBe(1n);
    expect(await pragma(ledger, "trusted_schema")).toBe(0n);
    expect(await pragma(ledger, "cell_size_check")).toBe(1n);
    expect(await pragma(ledger, "journal_size_limit")).toBe(67_108_864n);
    expect(await pragma(ledger, "busy_timeout")).toBe(0n);
    expect(await pragma(ledger, "application_id")).toBe(0x61737472n);
    expect(await pragma(ledger, "user_version")).toBe(BigInt(LEDGER_VERSION));
    await ledger.close();
  }
});

test("every table is strict", async () => {
  const ledger = await openSqlite(place.in("ledger.db"));
  const tables = await ledger.read(() => raw("pragma table_list"));
  const ours = tables.filter(
    (row) => row.schema === "main" && row.type === "table" && !String(row.name).startsWith("sqlite_"),
  );
  expect(ours.length).toBeGreaterThanOrEqual(9);
  for (const table of ours) expect(table).toMatchObject({ strict: 1n });
  await ledger.close();
});

test.skipIf(process.platform === "win32")("folder and files are for their owner alone", async () => {
  const file = place.in("new/and/deep/ledger.db");
  const { ledger, session } = await opened(file);
  await book(ledger, session, "k");
  const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
  expect(mode(dirname(file))).toBe("700");
  expect(readdirSync(dirname(file)).sort()).toEqual(["ledger.db", "ledger.db-shm", "ledger.db-wal"]);
  for (const name of readdirSync(dirname(file)))
    expect([name, mode(place.in(`new/and/deep/${name}`))]).toEqual([name, "600"]);
  await ledger.close();
});

test("closing waits for what is being written, and leaves one file with all of it", async () => {
  const file = place.in("ledger.db");
  const { ledger, session } = await opened(file);
  const writes = Array.from({ length: 50 }, (_, i) => book(ledger, session, `k${i}`));
  await ledger.close();
  await Promise.all(writes);
  expect(existsSync(`${file}-wal`)).toBe(false);
  await expect(book(ledger, session, "too late")).rejects.toThrow();
  const again = await openSqlite(file);
  expect(await keysIn(again)).toHaveLength(50);
  expect(await faultsOf(again)).toEqual([]);
  await again.close();
});

test("what one tick writes shares one commit", async () => {
  const { ledger, session } = await opened(place.in("ledger.db"));
  const wal = () => statSync(place.in("ledger.db-wal")).size;
  const before = wal();
  await book(ledger, session, "alone");
  const alone = wal() - before;
  const start = wal();
  await Promise.all(Array.from({ length: 40 }, (_, i) => book(ledger, session, `k${i}`)));
  expect(wal() - start).toBeLessThan(alone * 10);
  await ledger.close();
});

test("reading goes on in the middle of many writes, each time at one moment of the ledger", async () => {
  const { ledger, session } = await opened(place.in("ledger.db"));
  const other = await openSqlite(place.in("ledger.db"));
  let isWriting = true;
  const writing = (async () => {
    for (let i = 0; i < 200; i++) await Promise.all([0, 1, 2].map((j) => book(ledger, session, `${i}-${j}`)));
    isWriting = false;
  })();
  let seen = 0;
  while (isWriting) {
    expect(await faultsOf(other)).toEqual([]);
    seen += 1;
    await new Promise((done) => setImmediate(done));
  }
  await writing;
  expect(seen).toBeGreaterThan(3);
  expect(await keysIn(other)).toHaveLength(600);
  await other.close();
  await ledger.close();
});
