// Several real servers on one ledger, the calls a test makes of them, and a look at what became of the ledger.
import { expect } from "vitest";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { type Agent, legacy, modern } from "../faces/clients.ts";
import type { Room } from "../faces/room.ts";
import { faultsOf } from "../ledger/files.ts";
import type { Answer } from "../world.ts";

/** Servers in both protocol eras by turns, started at the same time. */
export function startServers(room: Room, count: number): Promise<Agent[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => (i % 2 === 0 ? legacy : modern)(room)));
}

/** A call that must not fail. */
export async function ask(server: Agent, tool: string, args: Record<string, unknown>): Promise<Answer> {
  const { isError, text, data } = await server.call(tool, args);
  if (isError) throw new Error(`${tool}: ${text}`);
  return data as Answer;
}

export const report = (server: Agent, args: Record<string, unknown>): Promise<Answer> =>
  ask(server, "report_usage", { input_tokens: 0, output_tokens: 0, ...args });

export async function leaveAll(servers: readonly Agent[]): Promise<void> {
  await Promise.all(servers.map((server) => server.leave()));
}

/** Structure and sums of the ledger are right, to us and to `astra-budget ledger verify`. */
export async function expectClean(room: Room): Promise<void> {
  expect(await faultsIn(room)).toEqual([]);
  expect(await room.run(["ledger", "verify"])).toMatchObject({ code: 0 });
}

export async function faultsIn(room: Room): Promise<unknown[]> {
  const ledger = await openSqlite(room.ledger);
  try {
    return await faultsOf(ledger);
  } finally {
    await ledger.close();
  }
}

/** A zone in which it is about noon, so that no test meets midnight. */
export function noonZone(): string {
  const offset = 12 - new Date().getUTCHours();
  // POSIX counts the other way round: Etc/GMT-5 is five hours ahead of UTC.
  return offset === 0 ? "UTC" : `Etc/GMT${offset > 0 ? "-" : "+"}${Math.abs(offset)}`;
}

export const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** Resolves when the process is gone; answers how long that took. */
export async function gone(pid: number): Promise<number> {
  const from = performance.now();
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return performance.now() - from;
    }
    await sleep(2);
  }
}
