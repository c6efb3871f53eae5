// Giving space back while others write: the file shrinks, and nothing that is acknowledged meanwhile is lost.
import { statSync } from "node:fs";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { invoke } from "../../src/operations/operation.ts";
import { pruneCharges } from "../../src/operations/prune.ts";
import { WIDE, worldOf } from "../world.ts";
import { book, bookMany, faultsOf, folder, opened } from "./files.ts";

let place: ReturnType<typeof folder>;
beforeEach(() => {
  place = folder();
});
afterEach(() => place.remove());

test("old charges are pruned and their space given back while another server books", async () => {
  const file = place.in("ledger.db");
  const { ledger: writer, session } = await opened(file);
  await bookMany(writer, session, 20_000);
  const world = await worldOf({ policy: { hardCaps: WIDE }, ledger: await openSqlite(file) });
  world.pass(100 * 86_400_000);
  const full = statSync(file).size;
  let isDone = false;
  let booked = 0;
  const booking = (async () => {
    while (!isDone) {
      await book(writer, session, `while-${booked}`);
      booked += 1;
    }
  })();
  let cursor: string | null | undefined;
  do {
    const answer = await invoke(
      pruneCharges,
      world.context,
      { kind: "owner", actor: "test" },
      {
        before: "2026-12-01",
        keep_rollups: true,
        ...(cursor === undefined ? {} : { cursor }),
      },
    );
    cursor = answer.next_cursor;
  } while (cursor !== null);
  const freed = await world.ledger.vacuum();
  isDone = true;
  await booking;
  expect(freed).toBeGreaterThan(full / 3);
  expect(booked).toBeGreaterThan(0);
  expect(await faultsOf(writer)).toEqual([]);
  expect(await world.costs({ months: 12 })).toMatchObject({ charges: 20_000 + booked });
  await writer.close();
  await world.ledger.close();
  expect(statSync(file).size).toBeLessThan(full * 0.7);
});

test("a file that an older version made is rewritten once, and gives space back from then on", async () => {
  const file = place.in("ledger.db");
  const { ledger, session } = await opened(file);
  await bookMany(ledger, session, 5_000);
  await ledger.close();
  const db = new Database(file);
  db.pragma("journal_mode = DELETE");
  db.exec(
    "pragma auto_vacuum = NONE; vacuum; delete from charge_tool_rows; delete from charge_rows; delete from balances",
  );
  expect(db.pragma("auto_vacuum", { simple: true })).toBe(0);
  db.close();
  const again = await openSqlite(file);
  expect(await again.vacuum()).toBeGreaterThan(300_000);
  expect(await again.vacuum()).toBe(0);
  expect(await again.integrity()).toEqual([]);
  await again.close();
});
