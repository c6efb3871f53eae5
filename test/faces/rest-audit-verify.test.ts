// The audit's chain of hashes: what a hand in the ledger's file changed, removed or cut off is found and named.
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { WIDE } from "../world.ts";
import { type Caller, newServerRoom } from "./server-room.ts";

const POLICY = { hardCaps: WIDE, teams: [{ id: "eng", dailyCostLimitUsd: 5 }] };

describe("audit/verify", () => {
  /** A server with a few rows, and a hand in its file. */
  async function tampered(sql: string): Promise<{ owner: Caller; rows: number }> {
    const { owner, ledgerFile } = await newServerRoom({ policy: POLICY });
    for (let i = 1; i <= 6; i++) await owner.patch("/api/v1/settings/teams/eng", { daily_cost_limit_usd: i });
    const clean = (await owner.get("/api/v1/audit/verify")).body;
    expect(clean).toMatchObject({ ok: true, entries: 8, fault: null, hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
    const db = new Database(ledgerFile);
    const { changes } = db.prepare(sql).run();
    db.close();
    return { owner, rows: changes };
  }

  test.each([
    [
      "a row whose after was changed",
      "update audit set state_after = '{\"daily_cost_limit_usd\":1000}' where seq = 5",
      "entry 5 was changed",
    ],
    ["a row whose why was changed", "update audit set why = 'allowed' where seq = 4", "entry 4 was changed"],
    ["a row of another actor", "update audit set actor = 'somebody' where seq = 3", "entry 3 was changed"],
    ["a row of another time", "update audit set at = at + 1 where seq = 8", "entry 8 was changed"],
    ["a first row that was changed", "update audit set target = 'x' where seq = 1", "entry 1 was changed"],
    [
      "a row with a hash of its own",
      "update audit set hash = lower(hex(randomblob(32))) where seq = 6",
      "entry 6 was changed",
    ],
    ["a row that was removed", "delete from audit where seq = 5", "entry 5 is missing"],
    ["a beginning that was cut off", "delete from audit where seq <= 2", "entry 2 is missing"],
    ["an end that was cut off", "delete from audit where seq >= 7", "entry 8 is missing"],
    ["all rows removed", "delete from audit", "entry 8 is missing"],
    ["a row at another place", "update audit set seq = 108 where seq = 4", "entry 108 is newer than the recorded end"],
    ["a recorded end that was removed", "delete from audit_heads", "entry 8 is newer than the recorded end"],
    ["a recorded end that was set back", "update audit_heads set seq = 7", "entry 8 is newer than the recorded end"],
  ])("finds %s", async (_, sql, fault) => {
    const { owner, rows } = await tampered(sql);
    expect(rows).toBeGreaterThan(0);
    expect((await owner.get("/api/v1/audit/verify")).body).toMatchObject({ ok: false, fault });
  });

  test("shows by its hash that all of it was written anew", async () => {
    const rooms = [await newServerRoom({ policy: POLICY }), await newServerRoom({ policy: POLICY })];
    const hashes = await Promise.all(
      rooms.map(async ({ owner }) => (await owner.get("/api/v1/audit/verify")).body.hash),
    );
    expect(hashes[0]).not.toBe(hashes[1]);
  });

  test("shows by its hash that the end was cut off together with the record of it", async () => {
    const room = await newServerRoom({ policy: POLICY });
    await room.owner.patch("/api/v1/settings/teams/eng", { daily_cost_limit_usd: 1 });
    const { hash } = (await room.owner.get("/api/v1/audit/verify")).body;
    const db = new Database(room.ledgerFile);
    db.exec("delete from audit where seq = 3");
    db.exec("update audit_heads set seq = 2, hash = (select hash from audit where seq = 2)");
    db.close();
    expect((await room.owner.get("/api/v1/audit/verify")).body.hash).not.toBe(hash);
  });

  test("holds after many changes at once, of several servers", async () => {
    const room = await newServerRoom({ policy: POLICY });
    const beside = await newServerRoom({ beside: room, policy: POLICY });
    const change = (by: Caller, i: number) => by.patch("/api/v1/settings/teams/eng", { daily_cost_limit_usd: i });
    await Promise.all(Array.from({ length: 40 }, (_, i) => change(i % 2 ? room.owner : beside.owner, i)));
    expect((await room.owner.get("/api/v1/audit/verify")).body).toMatchObject({ ok: true, entries: 42 });
  });
});
