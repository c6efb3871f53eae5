// What viewers of a private workspace are told of single users: numbers with noise, charged once, and then nothing.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Principal } from "../../src/operations/operation.ts";
import { AGENT, OPERATOR, START, worldOf } from "../world.ts";
import {
  ALICE,
  type BudgetLine,
  budgetOf,
  DAY,
  OWNER,
  policyWith,
  privateWorld,
  spend,
  TOTAL,
  told,
  VIEWER,
  wrongAccounts,
} from "./privacy-world.ts";
import { faultOf, faultText, rowsOf } from "./witness.ts";

describe("by user", () => {
  test("every user has a number with noise, on whole cents, and nobody else's part of the sum is told", async () => {
    const world = await privateWorld();
    const answer = await told(world, { group_by: ["user", "model"] });
    const { by_user, privacy } = answer;
    // Carol spent nothing on a day that is over, and is there like everybody else; "(none)" would tell the others' sum.
    expect(Object.keys(by_user).sort()).toEqual(["alice", "bob", "carol"]);
    for (const cost of Object.values(by_user)) expect(Math.abs(cost * 100 - Math.round(cost * 100))).toBeLessThan(1e-6);
    expect(by_user.alice).not.toBe(ALICE);
    expect(new Set(Object.values(by_user).map((cost) => cost.toFixed(2))).size).toBe(3);
    expect(privacy).toMatchObject({
      mechanism: "laplace",
      epsilon_per_release: 0.5,
      bound_usd: 10,
      standard_deviation_usd: 28.28,
      start_date: "2026-11-16",
      end_date: "2026-11-21",
      withheld: [],
    });
    expect(privacy.message).toContain("2026-11-16 to 2026-11-21");
    for (const uid of ["alice", "bob", "carol"])
      expect(await budgetOf(world, uid)).toMatchObject({ total: 10, spent: 0.5, remaining: 9.5, releases: 1 });
  });

  test("the rest of the answer is about all users together and stays exact", async () => {
    const world = await privateWorld();
    const answer = await told(world, { group_by: ["user", "day"] });
    const exact = await world.costs({ days: 7, group_by: ["day"] }, OPERATOR);
    const { by_user: _, privacy: __, ...rest } = answer;
    expect(rest).toEqual(exact);
    expect(rest.total_cost_usd).toBe(TOTAL + 1);
  });

  test("within an agent it is a question of its own", async () => {
    const world = await privateWorld();
    await told(world, { group_by: ["user"] });
    await told(world, { group_by: ["user"], agent_id: "ada" });
    await told(world, { group_by: ["user"], agent_id: "nobody" });
    expect(await budgetOf(world, "alice")).toMatchObject({ spent: 1.5, releases: 3 });
  });

  test("of more users than fit into one answer is refused before anybody is charged", async () => {
    const world = await privateWorld();
    for (let i = 0; i < 498; i++) await world.open({ user_id: `user-${i}` });
    const before = await rowsOf(world.ledger);
    expect(await faultText(told(world, { group_by: ["user"] }))).toContain("group_by expected no user");
    expect(await rowsOf(world.ledger)).toEqual(before);
  });
});

describe("of one user", () => {
  test("the cost is told with noise, and nothing else of the answer is", async () => {
    const world = await privateWorld();
    const answer = await told(world, { user_id: "alice", group_by: ["model", "user"] });
    expect(answer.total_cost_usd).not.toBe(ALICE);
    expect(answer).toMatchObject({
      by_user: { alice: answer.total_cost_usd },
      metered_cost_usd: null,
      self_reported_cost_usd: null,
      total_input_tokens: null,
      total_output_tokens: null,
      total_tool_calls: null,
      charges: null,
      sessions_left_out: null,
    });
    for (const part of ["by_agent", "by_provider", "by_tool"]) expect(answer[part]).toEqual({});
    for (const part of ["by_month", "sessions"]) expect(answer[part]).toEqual([]);
    expect(answer).not.toHaveProperty("by_model");
  });

  test("what has a bound is told too, each number for its price", async () => {
    const world = await privateWorld({ bounds: { tokens: 10_000, charges: 5 } });
    const answer = await told(world, { user_id: "alice" });
    for (const name of ["total_input_tokens", "total_output_tokens", "charges"])
      expect(Number.isInteger(answer[name]), name).toBe(true);
    expect(answer.total_tool_calls).toBeNull();
    expect(await budgetOf(world, "alice")).toMatchObject({ spent: 2, releases: 4 });
    expect(await budgetOf(world, "bob")).toMatchObject({ spent: 0, releases: 0 });
  });

  test("a user who is not there is not found and gets no account", async () => {
    const world = await privateWorld();
    const before = await rowsOf(world.ledger);
    expect((await faultOf(told(world, { user_id: "mallory" }))).code).toBe("not_found");
    expect(await rowsOf(world.ledger)).toEqual(before);
  });

  test("together with a session is refused: a session may be one user's alone", async () => {
    const world = await privateWorld();
    const { session_id } = await world.open({ user_id: "alice" });
    for (const args of [{ user_id: "alice" }, { group_by: ["user"] }])
      expect(await faultText(told(world, { session_id, ...args }))).toContain("session_id expected without a user");
    expect((await told(world, { session_id })).total_cost_usd).toBe(0);
  });
});

describe("the same question", () => {
  test("has the same answer and is charged once, however it is put and whoever asks", async () => {
    const world = await privateWorld();
    const first = await told(world, { group_by: ["user"] });
    const rows = await rowsOf(world.ledger);
    const again = [
      await told(world, { group_by: ["user"] }),
      await told(world, { group_by: ["user", "model"] }),
      await told(world, { start_date: "2026-11-16", group_by: ["user"] }),
      await told(world, { start_date: "2026-11-16", end_date: "2026-11-21", group_by: ["user"] }),
      await told(world, { group_by: ["user"] }, { kind: "viewer", actor: "token eve" }),
    ];
    for (const each of again) expect(each.by_user).toEqual(first.by_user);
    const alone = await told(world, { user_id: "alice" });
    expect(alone.total_cost_usd).toBe(first.by_user.alice);
    expect(await rowsOf(world.ledger)).toEqual(rows);
  });

  test("asked many times at once is charged once", async () => {
    const world = await privateWorld();
    const answers = await Promise.all(Array.from({ length: 20 }, () => told(world, { group_by: ["user"] })));
    expect(new Set(answers.map(({ by_user }) => JSON.stringify(by_user))).size).toBe(1);
    expect(await budgetOf(world, "alice")).toMatchObject({ spent: 0.5, releases: 1 });
  });

  test("has its first answer also after a late charge for its days", async () => {
    const world = await privateWorld();
    const { by_user } = await told(world, { group_by: ["user"] });
    world.at(START - DAY);
    await spend(world, 3, { user_id: "alice" });
    world.at(START);
    expect((await told(world, { group_by: ["user"] })).by_user).toEqual(by_user);
  });

  test("is another one on the next day, if its days moved; of days that are named it stays the same", async () => {
    const world = await privateWorld();
    const named = { start_date: "2026-11-01", end_date: "2026-11-20", user_id: "alice" };
    await told(world, named);
    await told(world, { user_id: "alice" });
    world.pass(DAY);
    await told(world, named);
    await told(world, { user_id: "alice" });
    expect(await budgetOf(world, "alice")).toMatchObject({ spent: 1.5, releases: 3 });
  });

  test("with other noise is another number: the operator changed the policy", async () => {
    const world = await privateWorld();
    const first = await told(world, { user_id: "alice" });
    world.setPolicy(policyWith({ bounds: { costUsd: 100 } }));
    const wider = await told(world, { user_id: "alice" });
    expect(wider.total_cost_usd).not.toBe(first.total_cost_usd);
    world.setPolicy(policyWith());
    expect((await told(world, { user_id: "alice" })).total_cost_usd).toBe(first.total_cost_usd);
    expect(await budgetOf(world, "alice")).toMatchObject({ spent: 1, releases: 2 });
  });
});

describe("days that are not over", () => {
  test("are left out: today's number would have to be told again and again", async () => {
    const world = await privateWorld({ epsilonPerRelease: 10 });
    const answer = await told(world, { user_id: "carol", days: 1 });
    expect(answer).toMatchObject({ total_cost_usd: null, privacy: { start_date: null, end_date: null, withheld: [] } });
    expect(answer.privacy.message).toContain("None of these days is over");
    expect((await told(world, { group_by: ["user"], days: 1 })).by_user).toEqual({});
    expect(await budgetOf(world, "carol")).toMatchObject({ spent: 0, releases: 0 });
  });

  test("end at midnight of the workspace's zone", async () => {
    const world = await privateWorld();
    world.setPolicy({ ...policyWith(), workspace: { timezone: "Pacific/Kiritimati" } });
    // Noon in UTC is the next day there.
    expect((await told(world, { user_id: "alice", days: 2 })).privacy).toMatchObject({ end_date: "2026-11-22" });
  });
});

describe("when a user's budget is spent", () => {
  test("the answer is refused for that user, and what was told before is still told", async () => {
    const world = await privateWorld({ epsilonTotal: 1 });
    const first = await told(world, { user_id: "alice" });
    await told(world, { user_id: "alice", agent_id: "ada" });
    const before = await rowsOf(world.ledger);
    const refused = await told(world, { user_id: "alice", days: 8 });
    expect(refused).toMatchObject({ total_cost_usd: null, by_user: {}, privacy: { withheld: ["alice"] } });
    expect(refused.privacy.message).toContain("their privacy budget is spent");
    expect(await rowsOf(world.ledger)).toEqual(before);
    const others = await told(world, { group_by: ["user"], days: 8 });
    expect(Object.keys(others.by_user).sort()).toEqual(["bob", "carol"]);
    expect(others.privacy.withheld).toEqual(["alice"]);
    expect((await told(world, { user_id: "alice" })).total_cost_usd).toBe(first.total_cost_usd);
    expect(await budgetOf(world, "alice")).toMatchObject({ spent: 1, remaining: 0, releases: 2 });
  });

  test("nothing is told of a question that could be paid in part only", async () => {
    const world = await privateWorld({ epsilonTotal: 1, bounds: { tokens: 1_000 } });
    expect(await told(world, { user_id: "alice" })).toMatchObject({
      total_cost_usd: null,
      total_input_tokens: null,
      privacy: { withheld: ["alice"] },
    });
    expect(await budgetOf(world, "alice")).toMatchObject({ spent: 0, releases: 0 });
  });

  test("a total that is lowered afterwards leaves nothing, and not less", async () => {
    const world = await privateWorld();
    await told(world, { user_id: "alice" });
    await told(world, { user_id: "alice", days: 8 });
    world.setPolicy(policyWith({ epsilonTotal: 0.6 }));
    expect(await budgetOf(world, "alice")).toMatchObject({ total: 0.6, spent: 1, remaining: 0 });
    expect((await told(world, { user_id: "alice", days: 9 })).privacy.withheld).toEqual(["alice"]);
  });
});

describe("with the Gaussian", () => {
  test("rho adds up and is converted; what Laplace told before still counts", async () => {
    const world = await privateWorld({ mechanism: "gaussian" });
    const answer = await told(world, { user_id: "alice" });
    expect(answer.privacy).toMatchObject({
      mechanism: "gaussian",
      rho_per_release: 0.05,
      standard_deviation_usd: 31.62,
    });
    await told(world, { user_id: "alice", days: 8 });
    const two = 0.1 + 2 * Math.sqrt(0.1 * Math.log(1e6));
    expect((await budgetOf(world, "alice")).spent).toBeCloseTo(two, 8);
    world.setPolicy(policyWith());
    await told(world, { user_id: "alice" });
    expect((await budgetOf(world, "alice")).spent).toBeCloseTo(two + 0.5, 8);
  });

  test("exactly as many releases fit as the conversion admits", async () => {
    const world = await privateWorld({ mechanism: "gaussian", epsilonTotal: 2, rhoPerRelease: 0.01 });
    const most = Math.floor((Math.sqrt(Math.log(1e6) + 2) - Math.sqrt(Math.log(1e6))) ** 2 / 0.01);
    const answers = [];
    for (let days = 2; days < 12; days++) answers.push((await told(world, { user_id: "alice", days })).total_cost_usd);
    expect(answers.filter((cost) => cost !== null)).toHaveLength(most);
    expect(await budgetOf(world, "alice")).toMatchObject({ releases: most });
  });
});

describe("who sees users as they are", () => {
  const EXACT: readonly (readonly [string, Principal])[] = [
    ["an operator", OPERATOR],
    ["an owner", OWNER],
    ["an agent, its own", { kind: "agent", agentId: "ada" }],
    ["a local agent", AGENT],
    ["the user, by the subject of their token", { kind: "viewer", actor: "token alice" }],
  ];

  test.each(EXACT)("%s", async (_, principal) => {
    const world = await privateWorld();
    const before = await rowsOf(world.ledger);
    expect(await told(world, { user_id: "alice" }, principal)).toMatchObject({ total_cost_usd: ALICE, charges: 2 });
    expect(await rowsOf(world.ledger)).toEqual(before);
  });

  test("a user sees their own line exactly among the others' noise, and is not charged for it", async () => {
    const world = await privateWorld();
    const { by_user } = await told(world, { group_by: ["user"] }, { kind: "viewer", actor: "token alice" });
    expect(by_user.alice).toBe(ALICE);
    expect(Object.keys(by_user).sort()).toEqual(["alice", "bob", "carol"]);
    expect(await budgetOf(world, "alice")).toMatchObject({ spent: 0 });
    expect(await budgetOf(world, "bob")).toMatchObject({ spent: 0.5 });
  });

  test("a key that is called like a user, or another's token, is nobody's", async () => {
    const world = await privateWorld();
    for (const actor of ["alice", "token bob", "token alice2"])
      expect((await told(world, { user_id: "alice" }, { kind: "viewer", actor })).total_cost_usd).not.toBe(ALICE);
  });

  test("every viewer, where the workspace is not private", async () => {
    const world = await privateWorld();
    world.setPolicy(policyWith({ enabled: false }));
    const answer = await told(world, { user_id: "alice", group_by: ["user"] });
    expect(answer).toMatchObject({ total_cost_usd: ALICE, by_user: { alice: ALICE } });
    expect(answer).not.toHaveProperty("privacy");
  });
});

test("a viewer's list of sessions does not say whose they are; an operator's and an agent's does", async () => {
  const world = await privateWorld();
  const linesFor = async (principal: Principal) => {
    const { sessions } = await world.call("list_sessions", {}, principal);
    return sessions as Record<string, unknown>[];
  };
  for (const line of await linesFor(VIEWER)) expect(Object.keys(line)).not.toContain("user_id");
  for (const principal of [OPERATOR, OWNER, { kind: "agent", agentId: "ada" } as const])
    expect((await linesFor(principal)).map((line) => line.user_id)).toContain("alice");
});

test("no answer that a viewer gets without asking about a user has a user's exact sum or whose a session is", async () => {
  const world = await privateWorld();
  await told(world, { group_by: ["user"] });
  const [session] = (await world.call("list_sessions", {}, VIEWER)).sessions as Record<string, unknown>[];
  const { agentOperations, operatorOperations } = await import("../../src/operations/index.ts");
  const asked: string[] = [];
  for (const { name, access, effect } of [...agentOperations, ...operatorOperations]) {
    const isOpen = (access === "viewer" || access === "anyone") && (effect === "read" || name === "check_budget");
    // No incident was raised here, the budget is about users by name, and single charges are not for viewers (below).
    if (!isOpen || ["get_privacy_budget", "get_incident", "list_charges"].includes(name)) continue;
    const [agent, team, swarm] = [{ agent_id: "ada" }, { team_id: "eng" }, { session_id: session?.session_id }];
    const args = { check_budget: agent, get_team: team, get_agent_hours: agent, get_swarm: swarm }[name] ?? {};
    const text = JSON.stringify(await world.call(name, args, VIEWER));
    expect(text, name).not.toContain(String(ALICE));
    if (name !== "get_user_role_ledger") expect(text, name).not.toContain("alice");
    asked.push(name);
  }
  expect(asked).toEqual(
    expect.arrayContaining([
      "get_costs",
      "get_cost_series",
      "list_sessions",
      "list_swarms",
      "get_swarm",
      "list_executions",
      "get_user_role_ledger",
      "list_audit",
      "list_limits",
    ]),
  );
});

test("the log of executions and the ledger of users tell viewers no more of a user than costs do", async () => {
  const world = await privateWorld();
  await expect(world.call("list_executions", { user_id: "alice" }, VIEWER)).rejects.toMatchObject({
    code: "invalid_input",
  });
  expect((await world.call("list_executions", {}, OWNER)).executions).toContainEqual(
    expect.objectContaining({ user_id: "alice" }),
  );
  await expect(world.call("list_charges", {}, VIEWER)).rejects.toMatchObject({ code: "forbidden" });
  const ledger = () => world.call("get_user_role_ledger", {}, VIEWER);
  const first = (await ledger()).user_roles as Record<string, unknown>[];
  expect(first.map(({ user_id }) => user_id)).toEqual(["alice", "bob", "carol"]);
  expect(first[0]).not.toHaveProperty("fitness");
  expect(await ledger()).toMatchObject({ user_roles: first });
  const exact = (await world.call("get_user_role_ledger", { user_id: "alice" }, OWNER)).user_roles;
  expect(exact).toMatchObject([{ user_id: "alice", executions: 2, cost_usd: ALICE, success_rate: 1 }]);
});

describe("the budget", () => {
  test("lists every user by the page, with what is spent, remaining, and told over all time", async () => {
    const world = await privateWorld();
    await told(world, { user_id: "bob" });
    const first = await world.call("get_privacy_budget", { limit: 2 }, VIEWER);
    expect(first).toMatchObject({
      workspace_id: "default",
      enabled: true,
      mechanism: "laplace",
      epsilon_total: 10,
      epsilon_per_release: 0.5,
      bounds: { cost_usd: 10, tokens: null, tool_calls: null, charges: null },
      next_cursor: "bob",
    });
    const line = { total: 10, resets: 0, reset_at: null };
    expect(first.users).toEqual([
      { uid: "alice", ...line, spent: 0, remaining: 10, releases: 0, lifetime_spent: 0 },
      { uid: "bob", ...line, spent: 0.5, remaining: 9.5, releases: 1, lifetime_spent: 0.5 },
    ]);
    const second = await world.call("get_privacy_budget", { limit: 2, cursor: "bob" }, VIEWER);
    expect((second.users as BudgetLine[]).map(({ uid }) => uid)).toEqual(["carol"]);
    expect(second.next_cursor).toBeNull();
    expect(await faultText(world.call("get_privacy_budget", { cursor: "a b" }, VIEWER))).toContain("cursor expected");
    expect((await faultOf(world.call("get_privacy_budget", { uid: "mallory" }, VIEWER))).code).toBe("not_found");
    expect((await faultOf(world.call("get_privacy_budget", {}, { kind: "agent", agentId: "ada" }))).code).toBe(
      "forbidden",
    );
  });

  test("is reset by an owner only, on record, and what was told stays told", async () => {
    const world = await privateWorld({ epsilonTotal: 0.5 });
    const first = await told(world, { user_id: "alice" });
    for (const principal of [VIEWER, OPERATOR, AGENT]) {
      const before = await rowsOf(world.ledger);
      const { code } = await faultOf(world.call("reset_privacy_budget", { uid: "alice" }, principal));
      expect([code, await rowsOf(world.ledger)]).toEqual(["forbidden", before]);
    }
    const answer = await world.call("reset_privacy_budget", { uid: "alice", reason: "asked her" }, OWNER);
    const after = { uid: "alice", spent: 0, remaining: 0.5, releases: 1, resets: 1, lifetime_spent: 0.5 };
    expect(answer).toMatchObject({ ...after, reset_at: "2026-11-22T12:00:00.000Z" });
    const { entries } = await world.call("list_audit", { limit: 1 });
    expect((entries as unknown[])[0]).toMatchObject({
      actor: "key_owner",
      role: "owner",
      action: "reset_privacy_budget",
      target: "user alice",
      before: { spent: 0.5, resets: 0 },
      after,
      why: "asked her",
    });
    // Told before: again, and for nothing. New: told, and charged; over all time it is more than the total.
    expect((await told(world, { user_id: "alice" })).total_cost_usd).toBe(first.total_cost_usd);
    expect(await budgetOf(world, "alice")).toMatchObject({ spent: 0 });
    expect((await told(world, { user_id: "alice", days: 8 })).total_cost_usd).not.toBeNull();
    expect(await budgetOf(world, "alice")).toMatchObject({ spent: 0.5, remaining: 0, lifetime_spent: 1, releases: 2 });
    expect(await wrongAccounts(world.ledger)).toEqual([]);
  });

  test("a reset is made once for its key, and of a user of whom nothing was told changes nothing", async () => {
    const world = await privateWorld();
    await told(world, { user_id: "alice" });
    const once = { uid: "alice", idempotency_key: "k" };
    const first = await world.call("reset_privacy_budget", once, OWNER);
    await told(world, { user_id: "alice", days: 8 });
    expect(await world.call("reset_privacy_budget", once, OWNER)).toEqual(first);
    expect(await budgetOf(world, "alice")).toMatchObject({ spent: 0.5, resets: 1 });
    const before = await rowsOf(world.ledger);
    expect(await world.call("reset_privacy_budget", { uid: "carol" }, OWNER)).toMatchObject({ resets: 0 });
    const { privacy_accounts: _, ...rest } = await rowsOf(world.ledger);
    expect(before).toMatchObject(rest);
    expect((await faultOf(world.call("reset_privacy_budget", { uid: "mallory" }, OWNER))).code).toBe("not_found");
  });
});

test("whatever is asked, no account ever spends more than its total, and each is the sum of its releases", async () => {
  const users = ["alice", "bob", "carol"];
  const question = fc.record({
    days: fc.integer({ min: 1, max: 4 }),
    user: fc.constantFrom(...users, null),
    agent: fc.constantFrom("ada", null),
    mechanism: fc.constantFrom("laplace", "gaussian"),
    pass: fc.constantFrom(0, DAY),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(question, { maxLength: 12 }), async (questions) => {
      const world = await privateWorld({ epsilonTotal: 3 });
      const seen = new Map<string, unknown>();
      for (const { days, user, agent, mechanism, pass } of questions) {
        world.setPolicy(policyWith({ epsilonTotal: 3, mechanism, epsilonPerRelease: 0.7, rhoPerRelease: 0.02 }));
        world.pass(pass);
        const args = {
          days,
          ...(user ? { user_id: user } : { group_by: ["user"] }),
          ...(agent ? { agent_id: agent } : {}),
        };
        const { by_user, privacy } = await told(world, args);
        for (const [each, cost] of Object.entries(by_user)) {
          const name = JSON.stringify([each, privacy.start_date, privacy.end_date, agent, mechanism]);
          expect(seen.get(name) ?? cost).toBe(cost);
          seen.set(name, cost);
        }
        for (const uid of users) {
          const { spent, remaining, total } = await budgetOf(world, uid);
          expect(spent).toBeLessThanOrEqual(total);
          expect(remaining).toBeGreaterThanOrEqual(0);
          expect(spent + remaining).toBeCloseTo(total, 8);
        }
      }
      expect(await wrongAccounts(world.ledger)).toEqual([]);
      await world.ledger.close();
    }),
    { numRuns: 25 },
  );
});

test("a workspace of no users tells of none", async () => {
  const world = await worldOf({ policy: policyWith() });
  expect((await told(world, { group_by: ["user"] })).by_user).toEqual({});
  expect((await world.call("get_privacy_budget", {}, VIEWER)).users).toEqual([]);
});
