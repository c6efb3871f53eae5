// The rate limiter's file is small, private, replaceable, and never what ends a server.
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { AstraError } from "../../src/core/error.ts";
import { rateLimitsIn } from "../../src/serve/rate-limit.ts";
import { newFolder } from "./server-room.ts";

const MINUTE = Math.floor(Date.now() / 60_000) * 60_000;

function limits(file: string, general = 5, logged: string[] = []) {
  const rates = rateLimitsIn(file, general, (text) => logged.push(text));
  onTestFinished(() => rates.close());
  return rates;
}

test("twenty thousand callers leave a small file, and what is over is forgotten", async () => {
  const file = join(newFolder(), "ledger.db.rate");
  const rates = limits(file);
  for (let i = 0; i < 20_000; i++) await rates.count(`address ${i}`, "general", MINUTE);
  expect(statSync(`${file}-wal`).size).toBeLessThan(8_000_000);
  await rates.count("address 1", "general", Date.now() + 120_000);
  const db = new Database(file, { readonly: true });
  onTestFinished(() => void db.close());
  expect(db.prepare("select count(*) from rate_limits").pluck().get()).toBe(1);
});

test("callers beyond ten thousand in a minute share one limit", async () => {
  const rates = limits(join(newFolder(), "rate"), 3);
  for (let i = 0; i < 10_000; i++) await rates.count(`address ${i}`, "general", MINUTE);
  const late = [];
  for (let i = 0; i < 5; i++) late.push((await rates.count(`late ${i}`, "general", MINUTE)).isOver);
  expect(late).toEqual([false, false, false, true, true]);
  expect(await rates.count("address 1", "general", MINUTE)).toMatchObject({ remaining: 1, isOver: false });
});

test.skipIf(process.platform === "win32")("it and its companions are for their owner alone", async () => {
  const file = join(newFolder(), "rate");
  await limits(file).count("key k", "general", MINUTE);
  for (const name of [file, `${file}-wal`, `${file}-shm`]) expect(statSync(name).mode & 0o777, name).toBe(0o600);
});

test("a damaged file is replaced; a folder in its place is a fault that names it", async () => {
  const folder = newFolder();
  const damaged = join(folder, "damaged");
  writeFileSync(damaged, "no database at all, but long enough to be taken for one".repeat(100));
  expect(await limits(damaged).count("key k", "general", MINUTE)).toMatchObject({ remaining: 4 });
  const taken = join(folder, "taken");
  mkdirSync(taken);
  expect(() => rateLimitsIn(taken, 5, () => {})).toThrow(AstraError);
  expect(() => rateLimitsIn(taken, 5, () => {})).toThrow(taken);
});

test("while another process holds it the server counts alone, says so once, and shares again afterwards", async () => {
  const file = join(newFolder(), "rate");
  const logged: string[] = [];
  const rates = limits(file, 1_000, logged);
  await rates.count("key k", "general", MINUTE);
  const holder = new Database(file);
  onTestFinished(() => void holder.close());
  holder.exec("begin exclusive");
  const from = performance.now();
  // The next minute has to be cleaned up, too.
  for (let i = 0; i < 50; i++) await rates.count("key k", "general", MINUTE + 60_000);
  expect(performance.now() - from).toBeLessThan(1_000);
  expect(logged).toEqual([expect.stringMatching(/^rate limits are counted by this server alone for now: .*locked/)]);
  holder.exec("rollback");
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  await rates.count("key other", "general", MINUTE + 60_000);
  expect(logged[1]).toMatch(/shared with the other servers of this ledger again/);
});
