// A backup is a whole, private ledger of one moment, taken while others write; it never replaces a file.
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { book, bookMany, codeOf, faultsOf, folder, keysIn, opened } from "./files.ts";

let place: ReturnType<typeof folder>;
beforeEach(() => {
  place = folder();
});
afterEach(() => place.remove());

test("a backup of a live ledger is whole and holds all that was there when it began", async () => {
  const { ledger, session } = await opened(place.in("ledger.db"));
  const neighbour = await openSqlite(place.in("ledger.db"));
  await bookMany(ledger, session, 1_000);
  let isWriting = true;
  let written = 0;
  const writers = [ledger, neighbour].map(async (each, i) => {
    for (; isWriting; written++) await book(each, session, `live-${i}-${written}`);
  });
  const before = (await keysIn(ledger)).length;
  await ledger.backup(place.in("copy.db"));
  isWriting = false;
  await Promise.all(writers);
  expect(written).toBeGreaterThan(0);
  const copy = await openSqlite(place.in("copy.db"));
  const kept = await keysIn(copy);
  expect(kept.length).toBeGreaterThanOrEqual(before);
  expect(new Set(kept).size).toBe(kept.length);
  expect(await faultsOf(copy)).toEqual([]);
  if (process.platform !== "win32") expect(statSync(place.in("copy.db")).mode & 0o777).toBe(0o600);
  await book(copy, session, "the copy is a ledger");
  expect(await keysIn(ledger)).not.toContain("the copy is a ledger");
  expect(await faultsOf(ledger)).toEqual([]);
  for (const each of [copy, neighbour, ledger]) await each.close();
});

test("a backup of a large ledger ends while another connection commits all the time", { timeout: 30_000 }, async () => {
  const { ledger, session } = await opened(place.in("ledger.db"));
  const neighbour = await openSqlite(place.in("ledger.db"));
  await bookMany(ledger, session, 6_000);
  let isDone = false;
  const backup = ledger.backup(place.in("copy.db")).then(() => {
    isDone = true;
  });
  // A copy in steps would begin anew after every one of these, and never end.
  let commits = 0;
  for (; !isDone && commits < 2_000; commits++) await book(neighbour, session, `live-${commits}`);
  expect(isDone).toBe(true);
  await backup;
  const copy = await openSqlite(place.in("copy.db"));
  expect((await keysIn(copy)).length).toBeGreaterThanOrEqual(6_000);
  expect(await faultsOf(copy)).toEqual([]);
  for (const each of [copy, neighbour, ledger]) await each.close();
});

test("a backup never overwrites a file, not even the ledger itself", async () => {
  const { ledger, session } = await opened(place.in("ledger.db"));
  await book(ledger, session, "k");
  writeFileSync(place.in("precious"), "precious");
  expect(await codeOf(ledger.backup(place.in("precious")))).toBe("invalid_input");
  expect(readFileSync(place.in("precious"), "utf8")).toBe("precious");
  expect(await codeOf(ledger.backup(place.in("ledger.db")))).toBe("invalid_input");
  expect(await keysIn(ledger)).toEqual(["k"]);
  await ledger.close();
});

test("a backup into a folder that is not there is refused", async () => {
  const { ledger } = await opened(place.in("ledger.db"));
  expect(await codeOf(ledger.backup(place.in("nowhere/copy.db")))).toBe("ledger_unavailable");
  await ledger.close();
});
