// list_swarms and get_swarm: which sessions are swarms, what they came to, and how little of a huge one is told.
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { usdFromNano } from "../../src/core/money.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { insertSession } from "../../src/ledger/sessions.ts";
import { engines } from "../ledger/engines.ts";
import { aSession } from "../ledger/fixtures.ts";
import { type Answer, OPERATOR, WIDE, type World, worldOf } from "../world.ts";
import { faultText } from "./witness.ts";

type Line = Record<string, unknown> & { readonly session_id: string; readonly parent_session_id: string | null };
const swarmsOf = (answer: Answer) => answer.swarms as readonly Line[];
const treeOf = (answer: Answer) => answer.tree as readonly Line[];

/** Opens a session and books a cost to it. */
async function work(world: World, cost_usd: number, parent?: string, more: Record<string, unknown> = {}) {
  const { session_id } = await world.open({ ...more, ...(parent ? { parent_session_id: parent } : {}) });
  await world.report({ session_id, cost_usd });
  return session_id;
}

describe.each(engines())("$name", (engine) => {
  let ledger: Ledger;
  beforeAll(async () => (await engine.make()).close());
  beforeEach(async () => {
    ledger = await engine.make();
  });
  afterEach(() => ledger.close());
  afterAll(() => engine.clear());

  test("sessions that opened others are listed, the newest first, with what all below them came to", async () => {
    const world = await worldOf({ ledger });
    const lead = await work(world, 1, undefined, {
      agent_id: "lead",
      task_id: "594",
      budget: { max_cost_cents: 5000 },
    });
    const kid = await work(world, 2, lead, { agent_id: "kid" });
    await work(world, 4, kid, { agent_id: "grandkid" });
    const gone = await work(world, 8, lead, { agent_id: "kid" });
    await world.end({ session_id: gone });
    await work(world, 100);
    world.pass(1000);
    const later = await work(world, 16);
    await work(world, 32, later);
    expect(await world.call("list_swarms")).toMatchObject({
      swarms: [
        { session_id: later, sessions: 2, open: 2, depth: 1, cost_usd: 16, tree_cost_usd: 48 },
        {
          session_id: lead,
          agent_id: "lead",
          task_id: "594",
          status: "open",
          started_at: "2026-11-22T12:00:00.000Z",
          ended_at: null,
          sessions: 4,
          open: 3,
          depth: 2,
          cost_usd: 1,
          tree_cost_usd: 15,
          max_cost_usd: 50,
        },
      ],
      next_cursor: null,
    });
  });

  test("a swarm is told from any of its sessions, parents before children", async () => {
    const world = await worldOf({ ledger });
    const lead = await work(world, 1, undefined, { agent_id: "lead" });
    const kid = await work(world, 2, lead, { agent_id: "kid", model: "known-1" });
    const other = await work(world, 4, lead);
    const grandkid = await work(world, 8, kid);
    const answer = await world.call("get_swarm", { session_id: grandkid });
    expect(answer).toMatchObject({ session_id: lead, sessions: 4, open: 4, depth: 2, tree_cost_usd: 15, left_out: 0 });
    expect(treeOf(answer).map(({ session_id }) => session_id)).toEqual([lead, kid, grandkid, other]);
    expect(treeOf(answer)[1]).toEqual({
      session_id: kid,
      parent_session_id: lead,
      agent_id: "kid",
      depth: 1,
      status: "open",
      task_id: null,
      model: "known-1",
      started_at: "2026-11-22T12:00:00.000Z",
      cost_usd: 2,
      tree_cost_usd: 10,
      max_cost_usd: expect.any(Number),
    });
    expect(await world.call("get_swarm", { session_id: lead })).toEqual(answer);
  });

  test("pages hold every swarm once, and no session alone", async () => {
    const world = await worldOf({ ledger });
    const roots: string[] = [];
    for (let i = 0; i < 7; i++) {
      const root = await work(world, 1);
      await work(world, 1);
      await work(world, 1, root);
      roots.unshift(root);
    }
    const told: string[] = [];
    let cursor: unknown = null;
    do {
      const answer = await world.call("list_swarms", { limit: 3, ...(cursor === null ? {} : { cursor }) });
      told.push(...swarmsOf(answer).map(({ session_id }) => session_id));
      cursor = answer.next_cursor;
    } while (cursor !== null);
    expect(told).toEqual(roots);
  });

  // To fill Postgres in WebAssembly takes a millisecond a session.
  const size = engine.name.startsWith("Postgres") ? 2_000 : 10_000;

  test(`of a swarm of ${size} sessions 500 are told, and how many are left out`, async () => {
    const world = await worldOf({ ledger });
    const root = aSession({ workspaceId: "default" });
    await ledger.write(function* () {
      yield* insertSession(root);
      let parent = root;
      for (let i = 1; i < size; i++) {
        const session = aSession({ workspaceId: "default", parent });
        yield* insertSession(session);
        if (i % 100 === 0) parent = parent.depth < 5 ? session : root;
      }
    });
    const answer = await world.call("get_swarm", { session_id: root.id });
    expect(answer).toMatchObject({ session_id: root.id, sessions: size, depth: 6, left_out: size - 500 });
    const seen = new Set<string | null>([null]);
    for (const { session_id, parent_session_id } of treeOf(answer)) {
      expect(seen).toContain(parent_session_id);
      seen.add(session_id);
    }
    expect(seen.size).toBe(501);
    expect(swarmsOf(await world.call("list_swarms"))).toMatchObject([{ session_id: root.id, sessions: size }]);
  }, 60_000);
});

test("what a random swarm and each of its sessions came to is the sum of what is below", async () => {
  const parents = fc.array(fc.record({ parent: fc.nat({ max: 30 }), nano: fc.nat(3_000_000_000) }), {
    minLength: 1,
    maxLength: 14,
  });
  await fc.assert(
    fc.asyncProperty(parents, async (steps) => {
      const world = await worldOf();
      const made = [{ id: await work(world, 1), parent: null as string | null, nano: 1_000_000_000n }];
      for (const { parent, nano } of steps) {
        const above = made[parent % made.length]?.id ?? "";
        made.push({ id: await work(world, nano / 1e9, above), parent: above, nano: BigInt(nano) });
      }
      const below = (id: string): bigint =>
        made.filter(({ parent }) => parent === id).reduce((all, kid) => all + kid.nano + below(kid.id), 0n);
      const tree = treeOf(await world.call("get_swarm", { session_id: made[0]?.id }));
      expect(tree).toHaveLength(made.length);
      for (const { id, parent, nano } of made)
        expect(tree.find((line) => line.session_id === id)).toMatchObject({
          parent_session_id: parent,
          cost_usd: usdFromNano(nano),
          tree_cost_usd: usdFromNano(nano + below(id)),
        });
      await world.ledger.close();
    }),
    { numRuns: 30 },
  );
});

test("what is past its deadline is expired, and no longer open, root and children alike", async () => {
  const world = await worldOf({ policy: { hardCaps: { ...WIDE, maxDuration: 60_000 } } });
  const root = await work(world, 1);
  await work(world, 1, root);
  world.pass(60_000);
  expect(swarmsOf(await world.call("list_swarms"))).toMatchObject([{ status: "expired", sessions: 2, open: 0 }]);
  const { tree } = await world.call("get_swarm", { session_id: root });
  expect(tree).toMatchObject([{ status: "expired" }, { status: "expired" }]);
});

test("a session that opened none is a swarm of one, in no list", async () => {
  const world = await worldOf();
  const alone = await work(world, 1);
  expect(swarmsOf(await world.call("list_swarms"))).toEqual([]);
  const answer = await world.call("get_swarm", { session_id: alone });
  expect(answer).toMatchObject({ session_id: alone, sessions: 1, open: 1, depth: 0, tree_cost_usd: 1, left_out: 0 });
  expect(treeOf(answer)).toHaveLength(1);
});

test("another workspace's swarms and unknown sessions are not there", async () => {
  const world = await worldOf();
  const root = await work(world, 1);
  await work(world, 1, root);
  const away = await worldOf({ ledger: world.ledger, policy: { workspace: { id: "away" }, hardCaps: WIDE } });
  expect(swarmsOf(await away.call("list_swarms"))).toEqual([]);
  expect(await faultText(away.call("get_swarm", { session_id: root }))).toBe("session_not_found:");
  expect(await faultText(world.call("get_swarm", { session_id: "ses_none" }))).toBe("session_not_found:");
  expect(await faultText(world.call("list_swarms", { cursor: "1.x" }))).toBe(
    "invalid_input: cursor expected next_cursor of the page before",
  );
});

test("neither names a user", async () => {
  const world = await worldOf();
  const root = await work(world, 1, undefined, { user_id: "uid_alice" });
  await work(world, 1, root);
  for (const answer of [
    await world.call("list_swarms", {}, OPERATOR),
    await world.call("get_swarm", { session_id: root }, OPERATOR),
  ])
    expect(JSON.stringify(answer)).not.toContain("uid_alice");
});
