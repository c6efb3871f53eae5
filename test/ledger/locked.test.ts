// A ledger locked by another process: writers wait, readers do not, and after ten seconds the caller is told.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { stopsInForce } from "../../src/ledger/stops.ts";
import { book, codeOf, faultsOf, folder, keysIn, opened } from "./files.ts";
import { WORKSPACE } from "./fixtures.ts";

let place: ReturnType<typeof folder>;
let holder: ChildProcess | null = null;
beforeEach(() => {
  place = folder();
});
afterEach(() => {
  holder?.kill("SIGKILL");
  holder = null;
  place.remove();
});

const script = fileURLToPath(new URL("holder.ts", import.meta.url));

/** Starts a process that holds the lock. */
async function hold(file: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [script, file], { stdio: ["pipe", "pipe", "inherit"] });
  holder = child;
  if (child.stdout) await once(child.stdout, "data");
  return child;
}

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));
const file = () => place.in("ledger.db");

test("a write waits for another process's transaction and then sees it; reading does not wait", async () => {
  const { ledger, session } = await opened(file());
  const child = await hold(file());
  const from = performance.now();
  const writing = book(ledger, session, "k");
  expect(await ledger.read(() => stopsInForce(WORKSPACE))).toEqual([]);
  expect(performance.now() - from).toBeLessThan(500);
  await sleep(1_000);
  child.stdin?.write("commit\n");
  await writing;
  expect(performance.now() - from).toBeGreaterThan(900);
  expect(await ledger.read(() => stopsInForce(WORKSPACE))).toHaveLength(1);
  expect(await faultsOf(ledger)).toEqual([]);
  await ledger.close();
});

test("a frozen holder's lock ends with its death, and nothing of it is seen", async () => {
  const { ledger, session } = await opened(file());
  const child = await hold(file());
  child.kill("SIGSTOP");
  const writing = Promise.all(["a", "b", "c"].map((key) => book(ledger, session, key)));
  await sleep(700);
  const from = performance.now();
  child.kill("SIGKILL");
  await writing;
  expect(performance.now() - from).toBeLessThan(1_000);
  expect(await ledger.read(() => stopsInForce(WORKSPACE))).toEqual([]);
  expect(await keysIn(ledger)).toHaveLength(3);
  expect(await faultsOf(ledger)).toEqual([]);
  await ledger.close();
});

test("a ledger that is there opens while another process holds its lock", async () => {
  const first = await opened(file());
  await first.ledger.close();
  const child = await hold(file());
  const ledger = await openSqlite(file());
  expect(await keysIn(ledger)).toEqual([]);
  child.stdin?.write("commit\n");
  await book(ledger, first.session, "k");
  await ledger.close();
});

test("after ten seconds of waiting the caller is told ledger_busy; nothing is written, and the same call works later", async () => {
  const { ledger, session } = await opened(file());
  const child = await hold(file());
  child.kill("SIGSTOP");
  const from = performance.now();
  const codes = await Promise.all(["a", "b"].map((key) => codeOf(book(ledger, session, key))));
  const waited = performance.now() - from;
  expect(codes).toEqual(["ledger_busy", "ledger_busy"]);
  expect(waited).toBeGreaterThan(9_900);
  expect(waited).toBeLessThan(12_000);
  expect(await keysIn(ledger)).toEqual([]);
  child.kill("SIGKILL");
  await Promise.all(["a", "b"].map((key) => book(ledger, session, key)));
  expect((await keysIn(ledger)).sort()).toEqual(["a", "b"]);
  expect(await faultsOf(ledger)).toEqual([]);
  await ledger.close();
});
