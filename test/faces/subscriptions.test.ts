// Who subscribed to a live budget hears when its state changes, whichever process caused it, and of nothing else.
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { type World, worldOf } from "../world.ts";
import { legacy, modern, old, oldSse } from "./http-clients.ts";
import { newHttpRoom } from "./http-room.ts";
import { newRoom } from "./room.ts";

const POLICY = {
  workspace: { id: "acme" },
  agents: [
    { id: "ada", budget: { maxCostCents: 100 } },
    { id: "bob", budget: { maxCostCents: 100 } },
  ],
};

const clients = {
  "the 2026 client": modern,
  "the 2025 handshake": legacy,
  "the SDK of 2025": old,
  "the SDK of 2025 over HTTP+SSE": oldSse,
};

/** Longer than a change takes to be heard. */
const quiet = () => wait(700);
const heard = (told: readonly string[], ...uris: string[]) =>
  vi.waitFor(() => expect(told).toEqual(uris), { timeout: 3_000, interval: 10 });

const spend = (world: World, session_id: string, cost_usd: number) => world.report({ session_id, cost_usd });

describe.each(Object.entries(clients))("%s", (_, connectTo) => {
  test("hears of warn, deny, a stop, its end and the session's end, and not of every charge", async () => {
    const room = await newHttpRoom({ world: await worldOf({ policy: POLICY }) });
    const { session_id } = await room.world.open();
    const uri = `budget://sessions/${session_id}`;
    const agent = await connectTo(room.url, "ada");
    expect(await agent.subscribe(uri)).toEqual([uri]);

    for (let i = 0; i < 5; i++) await spend(room.world, session_id, 0.1);
    await quiet();
    expect(agent.told).toEqual([]);
    await spend(room.world, session_id, 0.4);
    await heard(agent.told, uri);
    await spend(room.world, session_id, 0.2);
    await heard(agent.told, uri, uri);
    await room.world.call("stop", { session_id, reason: "Enough." });
    await heard(agent.told, uri, uri, uri);
    await room.world.call("resume", { session_id, reason: "Better now." });
    await heard(agent.told, uri, uri, uri, uri);
    await room.world.end({ session_id });
    await heard(agent.told, uri, uri, uri, uri, uri);
    expect((await agent.read(uri)).verdict).toMatchObject({ binding: { kind: "session_ended" } });

    await agent.unsubscribe();
    await room.world.call("stop", { session_id, reason: "Again." });
    await quiet();
    expect(agent.told).toHaveLength(5);
  });

  test("cannot subscribe to another's session, hears nothing of it, and is answered like of an absent one", async () => {
    const room = await newHttpRoom({ world: await worldOf({ policy: POLICY }) });
    const { session_id } = await room.world.open();
    const uri = `budget://sessions/${session_id}`;
    const [ada, bob] = [await connectTo(room.url, "ada"), await connectTo(room.url, "bob")];
    await ada.subscribe(uri);
    const answers = [];
    for (const foreign of [uri, "budget://sessions/ses_nobody"]) {
      const answer = await bob.subscribe(foreign).catch((error) => [error.code, error.message]);
      answers.push(JSON.stringify(answer).replaceAll(foreign, "URI"));
    }
    expect(answers[0]).toBe(answers[1]);
    await spend(room.world, session_id, 0.9);
    await heard(ada.told, uri);
    await quiet();
    expect(bob.told).toEqual([]);
  });

  test("hears of an edited policy, of the month's costs, and of a limit that the edit changed", async () => {
    const room = await newHttpRoom({ world: await worldOf({ policy: POLICY }) });
    const { session_id } = await room.world.open({ task_id: "t1" });
    const uri = `budget://sessions/${session_id}`;
    const agent = await connectTo(room.url, "ada");
    await agent.subscribe("budget://policy", uri, "budget://costs/month");
    await spend(room.world, session_id, 0.01);
    await vi.waitFor(() => expect(agent.told).toEqual(["budget://costs/month"]), { timeout: 4_000 });
    agent.told.length = 0;
    room.world.setPolicy({ ...POLICY, workspace: { id: "acme", dailyCostLimitUsd: 7 } });
    await vi.waitFor(() => expect([...agent.told].sort()).toEqual(["budget://policy", uri]), { timeout: 4_000 });
  });
});

test("a change that another process made is heard within about half a second", async () => {
  const room = newRoom();
  await room.run(["costs"]);
  const ours = await openSqlite(room.ledger);
  const world = await worldOf({ ledger: ours, start: Date.now() });
  const { session_id } = await world.open();
  const http = await newHttpRoom({ world });
  const uri = `budget://sessions/${session_id}`;
  const agents = [await modern(http.url), await legacy(http.url), await oldSse(http.url)];
  for (const agent of agents) await agent.subscribe(uri);
  const ledger = await openSqlite(room.ledger);
  onTestFinished(() => ledger.close());
  const other = await worldOf({ ledger, start: Date.now() });
  const began = performance.now();
  await other.end({ session_id });
  for (const { told } of agents) await heard(told, uri);
  // Half a second, and what other tests take of the machine.
  expect(performance.now() - began).toBeLessThan(1_000);
});

test("two subscribers of one session hear each change once, and one that leaves takes nothing from the other", async () => {
  const room = await newHttpRoom({ world: await worldOf({ policy: POLICY }) });
  const { session_id } = await room.world.open();
  const uri = `budget://sessions/${session_id}`;
  const agents = [await modern(room.url, "ada"), await modern(room.url, "ada"), await legacy(room.url, "ada")] as const;
  for (const agent of agents) await agent.subscribe(uri);
  await spend(room.world, session_id, 0.9);
  for (const { told } of agents) await heard(told, uri);
  await agents[0].leave();
  await spend(room.world, session_id, 0.2);
  for (const { told } of agents.slice(1)) await heard(told, uri, uri);
  expect(agents[0].told).toEqual([uri]);
});

test("a grant that raises a limit is heard, and so is its end, which nobody commits", async () => {
  const room = await newHttpRoom({ world: await worldOf({ policy: POLICY }) });
  const { session_id } = await room.world.open();
  const uri = `budget://sessions/${session_id}`;
  const agent = await legacy(room.url, "ada");
  await agent.subscribe(uri);
  const expires_at = new Date(room.world.context.now() + 60_000).toISOString();
  const granted = { scope: "session", scope_id: session_id, amount: 0.5, expires_at, reason: "Nearly done." };
  await room.world.call("grant", granted);
  await heard(agent.told, uri);
  room.world.pass(61_000);
  await heard(agent.told, uri, uri);
});

test("a deadline that passes is a change of state, though nobody commits", async () => {
  const room = await newHttpRoom({ world: await worldOf({ policy: POLICY }) });
  const { session_id } = await room.world.open({ budget: { max_duration: 60_000 } });
  const uri = `budget://sessions/${session_id}`;
  const agent = await modern(room.url, "ada");
  await agent.subscribe(uri);
  room.world.pass(61_000);
  await vi.waitFor(() => expect(agent.told).toEqual([uri]), { timeout: 4_000 });
});

test("nobody asks the ledger for changes once nobody is subscribed", async () => {
  const world = await worldOf({ policy: POLICY });
  let asked = 0;
  const counted = {
    ...world,
    context: {
      ...world.context,
      get policy() {
        return world.context.policy;
      },
      ledger: {
        ...world.ledger,
        changes: () => {
          asked++;
          return world.ledger.changes();
        },
      },
    },
  };
  const room = await newHttpRoom({ world: counted });
  const { session_id } = await world.open();
  const uri = `budget://sessions/${session_id}`;
  const agents = [await modern(room.url, "ada"), await legacy(room.url, "ada"), await oldSse(room.url, "ada")];
  await wait(300);
  expect(asked).toBe(0);
  for (const agent of agents) await agent.subscribe(uri);
  await wait(500);
  expect(asked).toBeGreaterThan(1);
  await agents[0]?.leave();
  await agents[1]?.unsubscribe();
  await agents[2]?.leave();
  await wait(300);
  asked = 0;
  await wait(500);
  expect(asked).toBe(0);
});
