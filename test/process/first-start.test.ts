// Six servers start at once on a ledger that is not there yet: one makes it, all use it.
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { legacy } from "../faces/clients.ts";
import { newRoom } from "../faces/room.ts";
import { faultsOf, keysIn } from "../ledger/files.ts";
import { ask, leaveAll, report, startServers } from "./servers.ts";

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  "six servers start at once on a new ledger without an error (%i of 8)",
  async (round) => {
    const room = newRoom();
    // By turns each calls as soon as it is up, or all wait for each other and call at the same moment.
    const servers =
      round % 2 === 0
        ? await startServers(room, 6)
        : await Promise.all(
            Array.from({ length: 6 }, async (_, i) => {
              const server = await legacy(room);
              await ask(server, "open_session", { agent_id: `early-${i}` });
              return server;
            }),
          );
    if (round % 2 === 0) expect(existsSync(room.ledger)).toBe(false);
    const answers = await Promise.all(
      servers.map(async (server, i) => {
        const { session_id } = await ask(server, "open_session", { agent_id: `agent-${i}` });
        return await report(server, { session_id, cost_usd: 0.01, idempotency_key: `k${i}`, error: `k${i}` });
      }),
    );
    expect(answers.every((answer) => answer.recorded === true)).toBe(true);
    await leaveAll(servers);
    const ledger = await openSqlite(room.ledger);
    expect((await keysIn(ledger)).sort()).toEqual(["k0", "k1", "k2", "k3", "k4", "k5"]);
    expect(await faultsOf(ledger)).toEqual([]);
    await ledger.close();
  },
);
