// A ledger that an earlier version made is brought up to date when it is opened, and keeps what is in it.
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LEDGER_VERSION, pendingMigrations } from "../../src/ledger/migrate.ts";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { findTeamLimits, putTeamLimit } from "../../src/ledger/team-limits.ts";
import { raw } from "./engines.ts";
import { book, folder, keysIn, opened } from "./files.ts";

let place: ReturnType<typeof folder>;
beforeEach(() => {
  place = folder();
});
afterEach(() => place.remove());

/** As version 1 made it: its own tables and nothing of later. */
function firstVersion(file: string): void {
  const [first = ""] = pendingMigrations(0, "sqlite");
  const db = new Database(file);
  db.pragma("journal_mode = WAL");
  db.exec(first);
  db.pragma(`application_id = ${0x61737472}`);
  db.pragma("user_version = 1");
  db.close();
}

test("a ledger of version 1 gets the later tables, by whichever of several servers is first", async () => {
  const file = place.in("ledger.db");
  firstVersion(file);
  const ledgers = await Promise.all([openSqlite(file), openSqlite(file), openSqlite(file)]);
  const [ledger] = ledgers;
  if (!ledger) throw new Error("not opened");
  expect(await ledger.read(() => raw("pragma user_version"))).toEqual([{ user_version: BigInt(LEDGER_VERSION) }]);
  await ledger.write(() => putTeamLimit("default", "night", "daily_cost", 5n, 1));
  for (const each of ledgers)
    expect(await each.read(() => findTeamLimits("default", "night"))).toEqual({ daily_cost: 5n });
  for (const each of ledgers) await each.close();
});

test("what was booked before is still there", async () => {
  const file = place.in("ledger.db");
  const { ledger: before, session } = await opened(file);
  for (const key of ["a", "b"]) await book(before, session, key);
  await before.close();
  const db = new Database(file);
  const later = pendingMigrations(1, "sqlite").join("\n");
  const made = [...later.matchAll(/^CREATE (TABLE|INDEX) (\w+)/gm)].reverse();
  for (const [, kind, name] of made) db.exec(`drop ${kind} if exists ${name}`);
  db.pragma("user_version = 1");
  db.close();
  const after = await openSqlite(file);
  expect(await keysIn(after)).toEqual(["a", "b"]);
  expect(await after.read(() => findTeamLimits("default", "night"))).toEqual({});
  await after.close();
});
