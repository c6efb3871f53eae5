// Swarms: children only ever narrow what their parents have, and all of them together stay within it.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Answer, WIDE, type World, worldOf } from "../world.ts";
import { faultText, isClean, limitOf, rowsOf } from "./witness.ts";

const spawn = (world: World, parent: { session_id: string }, more: Record<string, unknown> = {}): Promise<Answer> =>
  world.open({ agent_id: "kid", parent_session_id: parent.session_id, ...more });

describe("a child", () => {
  test("inherits task, user and team that it does not name, one level less of depth, and the parent's deadline", async () => {
    const policy = { teams: [{ id: "t" }], agents: [{ id: "ada", team: "t", budget: { maxDuration: 120_000 } }] };
    const world = await worldOf({ policy });
    const parent = await world.open({ task_id: 594, user_id: "uid_alice", budget: { max_spawn_depth: 3 } });
    world.pass(50_000);
    const child = await spawn(world, parent);
    expect(child).toMatchObject({
      agent_id: "kid",
      team_id: "t",
      task_id: "594",
      parent_session_id: parent.session_id,
      depth: 1,
      budget: { max_spawn_depth: 2, max_duration: 70_000 },
      expires_at: parent.expires_at,
    });
    expect(await spawn(world, child)).toMatchObject({
      depth: 2,
      budget: { max_spawn_depth: 1 },
      expires_at: parent.expires_at,
    });
    expect((await rowsOf(world.ledger)).sessions?.map((row) => (row as { user_id: string }).user_id)).toEqual(
      Array(3).fill("uid_alice"),
    );
  });

  test("has at most what its parent has left, holds taken off, and less than what a grandparent has left", async () => {
    const world = await worldOf({ policy: { hardCaps: { ...WIDE, maxCostCents: 100 } } });
    const root = await world.open();
    await world.report({ session_id: root.session_id, cost_usd: 0.2, input_tokens: 400_000, tool_calls: 7 });
    await world.check({ session_id: root.session_id, estimate: { cost_usd: 0.3 }, hold: true });
    const child = await spawn(world, root, { budget: { max_cost_cents: 80 } });
    expect(child.budget).toMatchObject({ max_cost_cents: 50, max_total_tokens: 600_000, max_tool_calls: 999_993 });
    expect(child.clamped).toEqual([{ field: "max_cost_cents", asked: 80, to: 50, by: "parent_remaining" }]);
    const grandchild = await spawn(world, child, { budget: { max_cost_cents: 40 } });
    await world.report({ session_id: root.session_id, cost_usd: 0.15 });
    const last = await spawn(world, grandchild);
    expect(last.budget).toMatchObject({ max_cost_cents: 35 });
  });

  test("has its parent's tools and memory and fewer, through every level", async () => {
    const policy = {
      agents: [
        { id: "ada", tools: { allow: ["a", "b", "c"], deny: ["x"] }, memory: { team: true, secrets: false } },
        { id: "kid", tools: { allow: ["b", "c", "d"], deny: ["c"] }, memory: { team: true, secrets: true } },
      ],
    };
    const world = await worldOf({ policy });
    const child = await spawn(world, await world.open());
    expect(child).toMatchObject({
      tools: { allow: ["b", "c"], deny: ["c", "x"] },
      memory: { team: true, secrets: false },
    });
    const grandchild = await spawn(world, child, { agent_id: "stranger" });
    expect(grandchild).toMatchObject({ tools: { allow: ["b", "c"], deny: ["c", "x"] }, memory: { secrets: false } });
    expect(await spawn(world, child, { tools: { allow: [] } })).toMatchObject({ tools: { allow: [] } });
  });

  test("is told of limits above it by agent, never by the session ids that would open them", async () => {
    const world = await worldOf({ policy: { hardCaps: { ...WIDE, maxCostCents: 100 } } });
    const root = await world.open();
    const middle = await spawn(world, root, { agent_id: "middle" });
    const child = await spawn(world, middle);
    const { session_id } = child;
    const answers = [
      child.verdict,
      await world.report({ session_id, cost_usd: 2 }),
      await world.check({ session_id, estimate: { cost_usd: 1 } }),
      (await spawn(world, { session_id })).verdict,
      await world.end({ session_id }),
    ];
    for (const answer of answers) {
      expect(JSON.stringify(answer)).not.toContain(root.session_id);
      expect(JSON.stringify(answer)).not.toContain(middle.session_id);
    }
    const above = child.verdict.limits.filter((limit) => limit.scope === "ancestor" && limit.measure === "cost_usd");
    expect(above.map((limit) => limit.scope_id)).toEqual(["ada", "middle"]);
  });
});

describe("siblings", () => {
  test("together cannot exceed their parent, although each of them alone would fit", async () => {
    const world = await worldOf({ policy: { hardCaps: { ...WIDE, maxCostCents: 100 } } });
    const parent = await world.open();
    const [one, other] = [await spawn(world, parent), await spawn(world, parent)];
    await world.report({ session_id: one.session_id, cost_usd: 0.6 });
    const denied = await world.check({ session_id: other.session_id, estimate: { cost_usd: 0.5 } });
    expect(denied.verdict).toMatchObject({ decision: "deny", binding: { scope: "ancestor", scope_id: "ada" } });
    const answer = await world.report({ session_id: other.session_id, cost_usd: 0.4 });
    expect(answer).toMatchObject({ over_budget: true, session: { cost_usd: 0.4 } });
    expect((await world.check({ session_id: one.session_id })).verdict.decision).toBe("deny");
    expect(await spawn(world, parent)).toMatchObject({ session_id: null, verdict: { decision: "deny" } });
    expect(limitOf(await world.check({ session_id: parent.session_id }), "session cost_usd")).toMatchObject({
      spent: 1,
    });
    expect((await world.end({ session_id: parent.session_id })).totals).toMatchObject({
      cost_usd: 0,
      tree_cost_usd: 1,
    });
  });

  test("who hold at the same moment share exactly what the parent has", async () => {
    const world = await worldOf({ policy: { hardCaps: { ...WIDE, maxCostCents: 100 } } });
    const parent = await world.open();
    const children = await Promise.all(
      Array.from({ length: 12 }, (_, i) => spawn(world, parent, { agent_id: `kid-${i}` })),
    );
    const holds = await Promise.all(
      children.flatMap(({ session_id }) =>
        Array.from({ length: 2 }, () => world.check({ session_id, estimate: { cost_usd: 0.15 }, hold: true })),
      ),
    );
    expect(holds.filter(({ hold_id }) => hold_id !== null)).toHaveLength(6);
  });
});

describe("spawning", () => {
  test("goes five levels deep by the seed's cap, and the sixth is told to do the work itself", async () => {
    const world = await worldOf({ policy: {} });
    let above = await world.open();
    for (let level = 1; level <= 5; level++) {
      above = await spawn(world, above);
      expect(above.depth).toBe(level);
    }
    const refused = await spawn(world, above);
    expect(refused).toMatchObject({ session_id: null, verdict: { binding: { kind: "spawn_depth", scope_id: "kid" } } });
    expect(refused.verdict.message).toBe(
      "Agent kid may not spawn sub-agents here: its spawn depth is used up. Do the work in the parent session.",
    );
  });

  test("is refused to the seed's roles, which have neither children nor depth", async () => {
    const world = await worldOf({ policy: {} });
    for (const role of ["researcher", "analyst", "writer", "mediator"]) {
      expect((await spawn(world, await world.open({ role }))).status).toBe("refused");
    }
  });

  test("counts children over a parent's life: those that have ended too", async () => {
    const world = await worldOf({ policy: { agents: [{ id: "ada", budget: { maxChildAgents: 2 } }] } });
    const parent = await world.open();
    await world.end({ session_id: (await spawn(world, parent)).session_id });
    await spawn(world, parent);
    const refused = await spawn(world, parent);
    expect(refused.verdict).toMatchObject({
      decision: "deny",
      binding: { scope: "ancestor", measure: "child_agents" },
    });
    expect(refused.verdict.message).toContain("Over budget: 2 of 2 child agents used (ancestor ada).");
    expect((await spawn(world, await world.open())).status).toBe("open");
  });

  test("stops at twenty in a whole tree, wherever in it the next one would be", async () => {
    const world = await worldOf({ policy: {} });
    const root = await world.open();
    const inner = [await spawn(world, root), await spawn(world, root), await spawn(world, root)];
    for (let i = 0; i < 17; i++) expect((await spawn(world, inner[i % 3] as Answer)).status).toBe("open");
    for (const parent of [root, ...inner]) {
      const refused = await spawn(world, parent);
      expect(refused.verdict).toMatchObject({
        decision: "deny",
        binding: { measure: "child_agents", scope_id: "ada" },
      });
    }
    expect((await spawn(world, await world.open())).status).toBe("open");
  });

  test("by thirty at once where five may be admits five", async () => {
    const world = await worldOf({ policy: { hardCaps: { ...WIDE, maxChildAgents: 5 } } });
    const parent = await world.open();
    const answers = await Promise.all(Array.from({ length: 30 }, () => spawn(world, parent)));
    expect(answers.filter(({ session_id }) => session_id !== null)).toHaveLength(5);
  });

  test("needs a parent that is there, open and not out of time", async () => {
    const world = await worldOf({ policy: {} });
    expect(await faultText(spawn(world, { session_id: "session_999999" }))).toBe("session_not_found:");
    const ended = await world.open();
    await world.end({ session_id: ended.session_id });
    const late = await world.open({ budget: { max_duration: 1_000 } });
    world.pass(1_000);
    for (const parent of [ended, late]) {
      expect((await spawn(world, parent)).verdict).toMatchObject({
        decision: "deny",
        message: "The parent session is not open any more. Stop and tell whoever started you.",
        binding: { kind: "parent_not_open" },
      });
    }
  });

  test("never gives any child more than any session above it had left, whatever the tree and the spend", async () => {
    const step = fc.record({
      at: fc.nat(8),
      do: fc.constantFrom("spawn", "spend", "spawn", "hold"),
      cents: fc.integer({ min: 0, max: 40 }),
      tokens: fc.nat(300),
    });
    const policy = {
      hardCaps: { ...WIDE, maxCostCents: 200, maxTotalTokens: 2_000, maxSpawnDepth: 4 },
      agents: [{ id: "kid", budget: { maxCostCents: 120 } }],
    };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 18 }), async (steps) => {
        const world = await worldOf({ policy });
        const parents = new Map<string, string | null>();
        const root = await world.open();
        parents.set(root.session_id, null);
        for (const each of steps) {
          const session_id = [...parents.keys()][each.at % parents.size] as string;
          if (each.do === "spend") {
            await world.report({ session_id, cost_usd: each.cents / 100, input_tokens: each.tokens });
          } else if (each.do === "hold") {
            await world.check({ session_id, hold: true, estimate: { cost_usd: each.cents / 100 } });
          } else {
            const left = { cost: Number.POSITIVE_INFINITY, tokens: Number.POSITIVE_INFINITY };
            for (let id: string | null = session_id; id !== null; id = parents.get(id) ?? null) {
              const above = await world.check({ session_id: id });
              left.cost = Math.min(left.cost, Number(limitOf(above, "session cost_usd").remaining));
              left.tokens = Math.min(left.tokens, Number(limitOf(above, "session total_tokens").remaining));
            }
            const child = await world.open({ agent_id: "kid", parent_session_id: session_id });
            if (child.session_id === null) continue;
            parents.set(child.session_id, session_id);
            const budget = child.budget as Record<string, number>;
            expect(budget.max_cost_cents).toBe(Math.min(120, Math.round(left.cost * 1e9) / 1e7));
            expect(budget.max_total_tokens).toBe(Math.min(2_000, left.tokens));
          }
        }
        expect(await isClean(world)).toBe(true);
        await world.ledger.close();
      }),
      { numRuns: 40 },
    );
  });
});

describe("ending a parent", () => {
  test("ends all that is open below it and nothing beside or above it", async () => {
    const world = await worldOf({ policy: { hardCaps: WIDE } });
    const root = await world.open();
    const middle = await spawn(world, root);
    const beside = await spawn(world, root);
    const done = await spawn(world, middle);
    const deep = await spawn(world, await spawn(world, middle));
    await world.end({ session_id: done.session_id, status: "error", error: "broke" });
    world.pass(1_000);
    const answer = await world.end({ session_id: middle.session_id });
    expect(answer).toMatchObject({ status: "success", ended_children: 2, already_ended: false });
    const states = (await rowsOf(world.ledger)).sessions as { id: string; status: string; ended_at: bigint | null }[];
    expect(Object.fromEntries(states.map(({ id, status }) => [id, status]))).toEqual({
      [root.session_id]: "open",
      [middle.session_id]: "success",
      [beside.session_id]: "open",
      [done.session_id]: "error",
      ses_000005: "cancelled",
      [deep.session_id]: "cancelled",
    });
    expect(await world.report({ session_id: deep.session_id, cost_usd: 1 })).toMatchObject({
      late: true,
      verdict: { decision: "deny" },
    });
    expect(await world.end({ session_id: deep.session_id })).toMatchObject({
      already_ended: true,
      status: "cancelled",
    });
    expect((await world.check({ session_id: beside.session_id })).verdict.decision).toBe("allow");
    expect(await world.end({ session_id: root.session_id })).toMatchObject({
      ended_children: 1,
      totals: { tree_cost_usd: 1 },
    });
  });
});
