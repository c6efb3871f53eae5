// The users' role ledger for viewers: every user a line, with noise, charged once a day.
import { expect, test } from "vitest";
import type { Work } from "../../src/ledger/statement.ts";
import { privateUserRoles } from "../../src/operations/private-user-roles.ts";
import type { Numbers } from "../../src/operations/reveal.ts";
import { raw } from "../ledger/engines.ts";
import { WIDE, type World } from "../world.ts";
import { budgetOf, DAY, privateWorld } from "./privacy-world.ts";
import { faultOf } from "./witness.ts";

/** As the ledger of executions would answer it. */
function* sums(users: readonly string[]): Work<Numbers> {
  const rows = yield* raw<{ user_id: string; executions: bigint; successes: bigint; cost_usd: bigint }>(
    `select user_id, count(*) as executions, sum(case when status = 'success' then 1 else 0 end) as successes,
      sum(cost_nano_usd) as cost_usd from sessions group by user_id`,
  );
  return new Map(
    rows.filter((row) => users.includes(row.user_id)).map(({ user_id, ...numbers }) => [user_id, numbers]),
  );
}

type Asked = { role?: string; userId?: string; limit?: number; cursor?: string };

function ask(world: World, { role, userId, limit = 100, cursor }: Asked = {}) {
  const page = { limit, ...(cursor === undefined ? {} : { cursor }) };
  return privateUserRoles(world.context, { role: role ?? null, userId: userId ?? null, page }, sums);
}

test("every user has a line by the page, and only numbers with a bound are in it", async () => {
  const world = await privateWorld();
  const first = await ask(world, { limit: 2 });
  expect(first.user_roles).toEqual([
    { user_id: "alice", role: null, cost_usd: expect.any(Number) },
    { user_id: "bob", role: null, cost_usd: expect.any(Number) },
  ]);
  expect(first).toMatchObject({ next_cursor: "bob", privacy: { withheld: [], end_date: "2026-11-22" } });
  const second = await ask(world, { limit: 2, cursor: "bob" });
  expect(second.user_roles.map(({ user_id }) => user_id)).toEqual(["carol"]);
  expect(second.next_cursor).toBeNull();
  world.setPolicy({ hardCaps: WIDE, privacy: { enabled: true, bounds: { charges: 10 } } });
  const [alice] = (await ask(world, { userId: "alice" })).user_roles;
  expect(Object.keys(alice ?? {}).sort()).toEqual(["cost_usd", "executions", "role", "successes", "user_id"]);
  expect((await faultOf(ask(world, { userId: "mallory" }))).code).toBe("not_found");
});

test("a day's question is charged once, each role's is its own, and what cannot be paid is withheld", async () => {
  const world = await privateWorld({ epsilonTotal: 1.5 });
  const first = await ask(world);
  expect(await ask(world)).toEqual(first);
  expect((await ask(world, { userId: "alice" })).user_roles).toEqual(first.user_roles.slice(0, 1));
  expect(await budgetOf(world, "alice")).toMatchObject({ spent: 0.5 });
  await ask(world, { role: "writer" });
  world.pass(DAY);
  expect((await ask(world)).user_roles).not.toEqual(first.user_roles);
  expect(await budgetOf(world, "alice")).toMatchObject({ spent: 1.5, remaining: 0, releases: 3 });
  const spent = await ask(world, { role: "writer" });
  expect(spent).toMatchObject({ user_roles: [], privacy: { withheld: ["alice", "bob", "carol"] } });
});
