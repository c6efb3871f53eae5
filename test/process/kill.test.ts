// A server is killed in the middle of its work, fifty times: what was acknowledged is there once, and all is in order.
import { expect, test } from "vitest";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { legacy, modern } from "../faces/clients.ts";
import { newRoom, type Room } from "../faces/room.ts";
import { faultsOf, keysIn } from "../ledger/files.ts";
import { ask, expectClean, gone, report, sleep } from "./servers.ts";

const ROUNDS = 25;
/** Killed in each round, each at a moment of its own. */
const AT_ONCE = 2;
const KILLS = ROUNDS * AT_ONCE;
const CALLERS = 8;
const PRICE = 0.001;

/** What was sent under each key: nothing more is known until it is acknowledged. */
type Sent = Map<string, "sent" | "acknowledged">;

/** Starts a server, repeats what it is owed, then reports without end until it is killed at a random moment. */
async function workUntilKilled(
  room: Room,
  name: string,
  sessionId: string,
  sent: Sent,
  owed: readonly string[],
): Promise<number> {
  const server = await (name.endsWith("-0") ? legacy : modern)(room);
  const book = async (key: string) => {
    sent.set(key, sent.get(key) ?? "sent");
    const answer = await report(server, { session_id: sessionId, cost_usd: PRICE, idempotency_key: key, error: key });
    sent.set(key, "acknowledged");
    return answer.duplicate === true;
  };
  const repeats = await Promise.all(owed.map(book));
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    // Ends with the rejection of the call that was under way when the server died.
    for (let i = 0; ; i++) await book(`${name}-${caller}-${i}`);
  });
  const ended = Promise.allSettled(callers);
  await sleep(Math.random() * 60);
  process.kill(server.pid, "SIGKILL");
  await gone(server.pid);
  await ended;
  return repeats.filter(Boolean).length;
}

async function expectKept(room: Room, sent: Sent): Promise<void> {
  const ledger = await openSqlite(room.ledger);
  const keys = (await keysIn(ledger)).filter((key) => !key.startsWith("neighbour"));
  expect(new Set(keys).size).toBe(keys.length);
  const kept = new Set(keys);
  expect([...sent].filter(([key, state]) => state === "acknowledged" && !kept.has(key))).toEqual([]);
  expect(keys.filter((key) => !sent.has(key))).toEqual([]);
  expect(await faultsOf(ledger)).toEqual([]);
  await ledger.close();
}

test(`kill -9 of a writing server, ${KILLS} times: nothing acknowledged is lost, nothing counts twice`, async () => {
  const room = newRoom();
  const neighbour = await legacy(room);
  const { session_id } = await ask(neighbour, "open_session", { agent_id: "ada" });
  let isWorking = true;
  let beside = 0;
  const besideWork = (async () => {
    for (; isWorking; beside++) {
      await report(neighbour, {
        session_id,
        cost_usd: PRICE,
        idempotency_key: `neighbour-${beside}`,
        error: `neighbour-${beside}`,
      });
      await sleep(1);
    }
  })();
  const sent: Sent = new Map();
  let durable = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const owed = [...sent].filter(([, state]) => state === "sent").map(([key]) => key);
    const repeats = Array.from({ length: AT_ONCE }, (_, i) =>
      workUntilKilled(room, `${round}-${i}`, session_id, sent, i === 0 ? owed : []),
    );
    durable += (await Promise.all(repeats)).reduce((sum, count) => sum + count, 0);
    await expectKept(room, sent);
  }
  const server = await legacy(room);
  for (const [key] of sent) await report(server, { session_id, cost_usd: PRICE, idempotency_key: key, error: key });
  isWorking = false;
  await besideWork;
  const costs = await room.json(["costs"]);
  const count = sent.size + beside;
  expect(costs).toMatchObject({ charges: count, total_cost_usd: Math.round(count * PRICE * 1e9) / 1e9 });
  await neighbour.leave();
  await server.leave();
  await expectClean(room);
  // The kills met the server at work: reports were acknowledged, and some were durable though nobody was told.
  const acknowledged = [...sent.values()].filter((state) => state === "acknowledged").length;
  expect(acknowledged).toBeGreaterThan(KILLS * 2);
  console.log(
    `${KILLS} kills, ${sent.size} reports, ${durable} of them durable but not acknowledged, ${beside} beside`,
  );
});
