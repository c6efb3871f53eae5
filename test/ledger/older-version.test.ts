// A ledger that an earlier version made is brought up to date when it is opened, and keeps what is in it.
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LEDGER_VERSION, pendingMigrations } from "../../src/ledger/migrate.ts";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { findTeamLimits, putTeamLimit } from "../../src/ledger/team-limits.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { raw } from "./engines.ts";
import { folder, keysIn } from "./files.ts";

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

test("what was booked before is still there, and what had ended is an execution", async () => {
  const file = place.in("ledger.db");
  firstVersion(file);
  const db = new Database(file);
  const session =
    db.prepare(`insert into sessions values (?, 'default', 'ada', null, null, null, null, null, null, null,
    null, ?, ?, 0, '{}', '{}', '{}', '[]', ?, null, 1000, 9000, ?, null, null, 1, 0, 1, 1, 0, 0, 0, 7)`);
  const charge =
    db.prepare(`insert into charges values (?, 'default', ?, 'ada', null, null, null, null, null, null, null,
    2000, 2000, '1970-01-01T00', 1, 1, 0, 0, 0, 0, 7, 7, null, 'reported', null, 'self_reported', 0, null, null, null, ?, '{}')`);
  for (const [id, status, endedAt] of [
    ["a", "error", 5000],
    ["b", "success", 5000],
    ["c", "open", null],
  ]) {
    session.run(id, id, id, status, endedAt);
    charge.run(id, id, id);
  }
  db.close();
  const after = await openSqlite(file);
  expect((await keysIn(after)).sort()).toEqual(["a", "b", "c"]);
  expect(await after.read(() => findTeamLimits("default", "night"))).toEqual({});
  const log = await after.read(() =>
    raw("select session_id, outcome, ended_hour, latency_ms, score_ppm from execution_log order by session_id"),
  );
  const before = { ended_hour: null, latency_ms: 4000n };
  // Its cost limit is not known: half of that part. Half of the time was left: half of that one.
  expect(log).toEqual([
    { session_id: "a", outcome: "error", score_ppm: 0n, ...before },
    { session_id: "b", outcome: "success", score_ppm: 600_000n + 125_000n + 75_000n, ...before },
  ]);
  expect((await after.read(verifyLedger)).differences.map((each) => each.what)).not.toContain("execution");
  await after.close();
});
