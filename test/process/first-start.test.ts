// Six servers start at once on a ledger that is not there yet: one makes it, all use it.
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { legacy } from "../faces/clients.ts";
import { newRoom } from "../faces/room.ts";
import { ask, expectClean, leaveAll, report, startServers } from "./servers.ts";

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
        return await report(server, { session_id, cost_usd: 0.01 });
      }),
    );
    expect(answers.every((answer) => answer.recorded === true)).toBe(true);
    await leaveAll(servers);
    const costs = await room.json(["costs"]);
    expect(costs).toMatchObject({ charges: 6, total_cost_usd: 0.06 });
    await expectClean(room);
  },
);
