// A ledger that an earlier version made is brought up to date when it is opened, and keeps what is in it.
import { createHash } from "node:crypto";
import { PGlite } from "@electric-sql/pglite";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hash64 } from "../../src/core/hash64.ts";
import { findChargeByKey, recordCharge } from "../../src/ledger/charges.ts";
import { costTotals, everything as everyCost } from "../../src/ledger/costs.ts";
import { foldCosts } from "../../src/ledger/fold.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { LEDGER_VERSION, pendingMigrations } from "../../src/ledger/migrate.ts";
import { openPostgres } from "../../src/ledger/postgres.ts";
import { findSession } from "../../src/ledger/sessions.ts";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { findTeamLimits, putTeamLimit } from "../../src/ledger/team-limits.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { raw } from "./engines.ts";
import { folder } from "./files.ts";
import { aCharge } from "./fixtures.ts";

const hash = (text: string) => hash64(createHash("sha256").update(text).digest("hex"));

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

/** A parent and a child of version 2 with charges of every kind, as that version wrote them. */
const BOOKED = `
  insert into sessions values
    ('ses_0000000000000001aaaaaaaaaaaaaa', 'w', 'ada', 'writer', 'blue', 't', 'u1', 'm1', 'p1', null, null,
      'ses_0000000000000001aaaaaaaaaaaaaa', 'ses_0000000000000001aaaaaaaaaaaaaa', 0, '{}', '{"allow":null,"deny":[]}', '{}',
      '[]', 'open', null, 1, 2, null, null, null, 2, 1, 30, 3, 0, 0, 2, 300),
    ('ses_0000000000000002bbbbbbbbbbbbbb', 'w', 'bob', null, null, null, null, null, null,
      'ses_0000000000000001aaaaaaaaaaaaaa', 'ada', 'ses_0000000000000001aaaaaaaaaaaaaa',
      'ses_0000000000000001aaaaaaaaaaaaaa/ses_0000000000000002bbbbbbbbbbbbbb', 1, '{}', '{"allow":null,"deny":[]}', '{}',
      '[]', 'success', null, 1, 2, 3, null, null, 1, 0, 5, 0, 0, 0, 0, 7);
  insert into charges values
    ('chg_1', 'w', 'ses_0000000000000001aaaaaaaaaaaaaa', 'ada', 'writer', 'blue', 't', 'u1', 'm1', 'p1', null, 1000, 1001,
      '2026-10-31T23', 10, 1, 0, 0, 0, 2, 100, null, 100, 'exact', 'list', 'self_reported', 0, 12, 'failed', null, 'k1', 'body'),
    ('chg_2', 'w', 'ses_0000000000000001aaaaaaaaaaaaaa', 'ada', 'writer', 'blue', 't', 'u1', 'm2', 'p1', 'web', 2000, 2000,
      '2026-11-01T00', 20, 2, 0, 0, 0, 0, 200, 200, null, 'reported', null, 'self_reported', 1, null, null, null, null, null),
    ('chg_3', 'w', 'ses_0000000000000002bbbbbbbbbbbbbb', 'bob', null, null, null, null, null, null, null, 3000, 3000,
      '2026-11-01T00', 5, 0, 0, 0, 0, 0, 7, null, 7, 'unpriced', null, 'self_reported', 0, null, null, null, null, null);
  insert into charge_tools values ('chg_1', 'web', 1, 40), ('chg_1', 'shell', 1, 10);
  insert into sessions values
    ('ses_0000000000000003cccccccccccccc', 'other', 'eve', null, null, null, null, null, null, null, null,
      'ses_0000000000000003cccccccccccccc', 'ses_0000000000000003cccccccccccccc', 0, '{}', '{"allow":null,"deny":[]}', '{}',
      '[]', 'open', null, 1, 2, null, null, null, 4, 0, 4, 0, 0, 0, 0, 4);
  ${[1, 2, 3, 4]
    .map(
      (n) => `insert into charges values
    ('chg_other${n}', 'other', 'ses_0000000000000003cccccccccccccc', 'eve', null, null, null, null, null, null, null, ${n}, ${n},
      '2026-11-02T00', 1, 0, 0, 0, 0, 0, 1, null, 1, 'exact', null, 'self_reported', 0, null, null, null, null, null);`,
    )
    .join("")}`;

test("what was booked before is still there, counts where it counted, and is known by its key", async () => {
  const file = place.in("ledger.db");
  firstVersion(file);
  const db = new Database(file);
  db.exec(pendingMigrations(1, "sqlite")[0] ?? "");
  db.exec(BOOKED);
  db.pragma("user_version = 2");
  db.close();
  await compare(await openSqlite(file));
});

test("the same on Postgres", async () => {
  const postgres = await PGlite.create({ parsers: { 20: BigInt, 1700: BigInt } });
  for (const sql of pendingMigrations(0, "postgres").slice(0, 2)) await postgres.exec(sql);
  await postgres.exec(BOOKED);
  await postgres.exec("create table ledger_version (version bigint not null); insert into ledger_version values (2)");
  await compare(
    await openPostgres({
      query: (text, values) => postgres.query(text, [...values]),
      exec: (text) => postgres.exec(text),
      close: () => postgres.close(),
    }),
  );
});

test("what was charged before there were meters is self-reported, and what a meter finds comes on top", async () => {
  const file = place.in("ledger.db");
  firstVersion(file);
  const db = new Database(file);
  db.function("HASH64", { deterministic: true }, (text) => (text === null ? null : hash(String(text))));
  db.exec(pendingMigrations(1, "sqlite")[0] ?? "");
  db.exec(BOOKED);
  for (const sql of pendingMigrations(2, "sqlite").slice(0, 4)) db.exec(sql);
  db.pragma("user_version = 6");
  db.close();
  await compare(await openSqlite(file));
  await compareMetered(await openSqlite(file));
});

test("the same of version 6 on Postgres", async () => {
  const postgres = await PGlite.create({ parsers: { 20: BigInt, 1700: BigInt } });
  const migrations = pendingMigrations(0, "postgres");
  for (const sql of [...migrations.slice(0, 2), BOOKED, ...migrations.slice(2, 6)]) await postgres.exec(sql);
  await postgres.exec("create table ledger_version (version bigint not null); insert into ledger_version values (6)");
  const open = (close: () => Promise<void>) =>
    openPostgres({
      query: (text, values) => postgres.query(text, [...values]),
      exec: (text) => postgres.exec(text),
      close,
    });
  await compare(await open(async () => {}));
  await compareMetered(await open(() => postgres.close()));
});

/** All of before is self-reported; what a meter finds comes on top. */
async function compareMetered(ledger: Ledger): Promise<void> {
  const sums = () => ledger.read(() => costTotals(everyCost("w", "0000-01-01", "9999-12-31")));
  const sources = await ledger.read(() => raw("select distinct source, metered_by from charges"));
  expect(sources).toEqual([{ source: "self_reported", metered_by: null }]);
  expect(await sums()).toMatchObject({ cost_nano_usd: 307n, metered_nano_usd: 0n });
  await ledger.write(function* () {
    const session = yield* findSession("w", "ses_0000000000000001aaaaaaaaaaaaaa");
    if (!session) throw new Error("no session");
    yield* recordCharge(aCharge(session, { cost: 5n, meter: "gateway" }));
  });
  for (let i = 0; i < 2; i++) {
    expect(await sums()).toMatchObject({ cost_nano_usd: 312n, metered_nano_usd: 5n, charges: 4n });
    await ledger.write(() => foldCosts("w"));
  }
  const { differences } = await ledger.read(verifyLedger);
  expect(differences.filter(({ what }) => what !== "balance")).toEqual([]);
  await ledger.close();
}

async function compare(ledger: Ledger): Promise<void> {
  const rows = await ledger.read(() =>
    raw("select id, tool, hour, cost_nano_usd, cost_source, error from charges where workspace_id = 'w' order by seq"),
  );
  expect(rows).toEqual([
    {
      id: "chg_0000000000000001-1",
      tool: null,
      hour: "2026-10-31T23",
      cost_nano_usd: 100n,
      cost_source: "exact",
      error: "failed",
    },
    {
      id: "chg_0000000000000001-2",
      tool: "web",
      hour: "2026-11-01T00",
      cost_nano_usd: 200n,
      cost_source: "reported",
      error: null,
    },
    {
      id: "chg_0000000000000002-1",
      tool: null,
      hour: "2026-11-01T00",
      cost_nano_usd: 7n,
      cost_source: "unpriced",
      error: null,
    },
  ]);
  expect(await ledger.read(() => findChargeByKey("ses_0000000000000001aaaaaaaaaaaaaa", hash("k1")))).toMatchObject({
    id: "chg_0000000000000001-1",
    request: hash("k1 body"),
  });
  const days = await ledger.read(() =>
    raw(
      "select day, tool, sum(cost_nano_usd) as cost from costs_by_day where workspace_id = 'w' group by day, tool order by day, tool",
    ),
  );
  for (const [workspace, cost, charges] of [
    ["w", 307n, 3n],
    ["other", 4n, 4n],
  ] as const) {
    const total = await ledger.read(() => costTotals(everyCost(workspace, "0000-01-01", "9999-12-31")));
    expect(total).toMatchObject({ cost_nano_usd: cost, charges });
    await ledger.write(() => foldCosts(workspace));
    expect(await ledger.read(() => costTotals(everyCost(workspace, "0000-01-01", "9999-12-31")))).toEqual(total);
  }
  expect(days.map(({ day, tool, cost }) => `${day} ${tool} ${cost}`)).toEqual([
    "2026-10-31  50",
    "2026-10-31 shell 10",
    "2026-10-31 web 40",
    "2026-11-01  7",
    "2026-11-01 web 200",
  ]);
  // What had ended is an execution. Its cost limit is not known: half of that part.
  expect(await ledger.read(() => raw("select session_id, outcome, ended_hour, score_ppm from execution_log"))).toEqual([
    { session_id: "ses_0000000000000002bbbbbbbbbbbbbb", outcome: "success", ended_hour: null, score_ppm: 725_000n },
  ]);
  // The charges were written without their balances here: all else agrees.
  const { charges, differences } = await ledger.read(verifyLedger);
  expect(charges).toBe(7n);
  expect(differences.filter(({ what }) => what !== "balance")).toEqual([]);
  await ledger.close();
}
