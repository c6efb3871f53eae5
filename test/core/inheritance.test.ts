// Inheritance: field by field from agent, role and hard cap, then only ever narrower.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BUDGET_FIELDS, BUILT_IN_HARD_CAPS, BUILT_IN_ROLES, type Budget } from "../../src/core/budget.ts";
import {
  effectiveBudget,
  leastRemaining,
  narrowMemory,
  narrowTools,
  type ParentBudget,
  policyPermissions,
  roleNameOf,
} from "../../src/core/inheritance.ts";
import { NANO_PER_CENT } from "../../src/core/money.ts";
import type { MemoryPermissions, Policy, ToolPermissions } from "../../src/core/policy.ts";
import { policyOf } from "../world.ts";

const cents = (count: bigint) => count * NANO_PER_CENT;
const effective = (
  policy: Policy,
  role: string | null,
  asked: Partial<Budget> = {},
  parent: ParentBudget | null = null,
) => effectiveBudget(policy, "ada", role, asked, parent);

describe("a budget field by field", () => {
  const policy = policyOf({
    hardCaps: { maxToolCalls: 30 },
    agents: [{ id: "ada", role: "researcher", budget: { maxTotalTokens: 40_000, maxCostCents: 90_000 } }],
  });

  test("is the agent's own, else its role's, else the hard cap, and says which", () => {
    const { budget, sources } = effective(policy, "researcher");
    expect(budget).toEqual({
      maxPromptTokens: 500_000n,
      maxCompletionTokens: 100_000n,
      maxTotalTokens: 40_000n,
      maxCostCents: cents(500n),
      maxToolCalls: 20n,
      maxDuration: 60_000n,
      maxSpawnDepth: 0n,
      maxChildAgents: 0n,
    });
    expect(sources).toEqual({
      maxPromptTokens: "hard_cap",
      maxCompletionTokens: "hard_cap",
      maxTotalTokens: "agent",
      maxCostCents: "hard_cap",
      maxToolCalls: "role",
      maxDuration: "role",
      maxSpawnDepth: "role",
      maxChildAgents: "role",
    });
  });

  test("reports what the hard cap cut, and nothing that nobody asked for", () => {
    expect(effective(policy, "researcher").clamped).toEqual([
      { field: "maxCostCents", asked: cents(90_000n), to: cents(500n), by: "hard_cap" },
    ]);
    expect(effective(policyOf({}), null)).toEqual({
      budget: BUILT_IN_HARD_CAPS,
      sources: Object.fromEntries(BUDGET_FIELDS.map((field) => [field, "hard_cap"])),
      clamped: [],
    });
  });

  test.each(Object.entries(BUILT_IN_ROLES))(
    "without a budget of its own an agent has its role's: %s",
    (role, defaults) => {
      expect(effective(policyOf({}), role).budget).toEqual({ ...BUILT_IN_HARD_CAPS, ...defaults });
      expect(effective(policyOf({}), role.toUpperCase()).budget).toEqual({ ...BUILT_IN_HARD_CAPS, ...defaults });
    },
  );

  test("an unknown role has no defaults: the hard caps hold", () => {
    expect(effective(policyOf({}), "wizard").budget).toEqual(BUILT_IN_HARD_CAPS);
    expect(effective(policyOf({}), "__proto__").budget).toEqual(BUILT_IN_HARD_CAPS);
  });

  test("what the opener asks for can only lower it, and a larger wish is reported", () => {
    const { budget, sources, clamped } = effective(policyOf({}), null, { maxToolCalls: 3n, maxDuration: 600_000n });
    expect([budget.maxToolCalls, sources.maxToolCalls]).toEqual([3n, "request"]);
    expect([budget.maxDuration, sources.maxDuration]).toEqual([300_000n, "hard_cap"]);
    expect(clamped).toEqual([{ field: "maxDuration", asked: 600_000n, to: 300_000n, by: "policy" }]);
  });

  test("the role that an opener names counts only for an agent that the policy does not list", () => {
    expect(roleNameOf(policy, "ada", "mediator")).toBe("researcher");
    expect(roleNameOf(policyOf({ agents: [{ id: "ada" }] }), "ada", "mediator")).toBeNull();
    expect(roleNameOf(policy, "bob", "Mediator")).toBe("mediator");
    expect(roleNameOf(policy, "bob", null)).toBeNull();
  });
});

describe("a child's budget", () => {
  const parent: ParentBudget = {
    budget: { ...BUILT_IN_HARD_CAPS, maxCostCents: cents(100n), maxToolCalls: 10n, maxSpawnDepth: 2n },
    remaining: { maxCostCents: cents(40n), maxTotalTokens: 1_000n },
  };

  test("is at most what the parent has left, and says what was cut", () => {
    const policy = policyOf({ agents: [{ id: "ada", budget: { maxCostCents: 200, maxToolCalls: 50 } }] });
    const { budget, sources, clamped } = effective(policy, null, {}, parent);
    expect([budget.maxCostCents, budget.maxToolCalls, budget.maxTotalTokens]).toEqual([cents(40n), 10n, 1_000n]);
    expect(sources.maxCostCents).toBe("parent");
    expect(clamped).toEqual([
      { field: "maxCostCents", asked: cents(200n), to: cents(100n), by: "parent_budget" },
      { field: "maxCostCents", asked: cents(100n), to: cents(40n), by: "parent_remaining" },
      { field: "maxToolCalls", asked: 50n, to: 10n, by: "parent_budget" },
    ]);
  });

  test("a wish that the parent cuts is reported, even where the policy had cut it before", () => {
    const { budget, clamped } = effective(policyOf({}), null, { maxCostCents: cents(10_000n) }, parent);
    expect(budget.maxCostCents).toBe(cents(40n));
    expect(clamped.at(-1)).toEqual({
      field: "maxCostCents",
      asked: cents(100n),
      to: cents(40n),
      by: "parent_remaining",
    });
  });

  test("spawns one level less deep than its parent, down to none", () => {
    const depths: bigint[] = [];
    let above: ParentBudget | null = null;
    for (let level = 0; level < 7; level++) {
      const { budget }: { budget: Budget } = effective(policyOf({}), null, {}, above);
      depths.push(budget.maxSpawnDepth);
      above = { budget, remaining: {} };
    }
    expect(depths).toEqual([5n, 4n, 3n, 2n, 1n, 0n, 0n]);
  });

  test("never exceeds the hard caps, its parent's budget, what is left there, or the wish, whatever the policy says", () => {
    const value = fc.nat(1_000);
    const anyBudget = fc.record(Object.fromEntries(BUDGET_FIELDS.map((field) => [field, value])), { requiredKeys: [] });
    const anyPolicy = fc
      .record({ hardCaps: anyBudget, role: anyBudget, budget: anyBudget })
      .map(({ hardCaps, role, budget }) => {
        const { maxSpawnDepth: a = 0, ...caps } = hardCaps;
        const { maxSpawnDepth: b = 0, ...ofRole } = role;
        const { maxSpawnDepth: c = 0, ...own } = budget;
        return policyOf({
          hardCaps: { ...caps, maxSpawnDepth: a % 100 },
          roles: [{ id: "r", budget: { ...ofRole, maxSpawnDepth: b % 100 } }],
          agents: [{ id: "ada", role: "r", budget: { ...own, maxSpawnDepth: c % 100 } }],
        });
      });
    const amounts = fc.record(
      Object.fromEntries(BUDGET_FIELDS.map((field) => [field, fc.bigInt({ min: 0n, max: 10n ** 10n })])),
      { requiredKeys: [] },
    ) as fc.Arbitrary<Partial<Budget>>;
    const whole = amounts.map((part): Budget => ({ ...BUILT_IN_HARD_CAPS, ...part }));
    fc.assert(
      fc.property(anyPolicy, amounts, whole, amounts, (policy, asked, parentBudget, remaining) => {
        const child = effective(policy, "r", asked, { budget: parentBudget, remaining }).budget;
        const root = effective(policy, "r", asked, null).budget;
        for (const field of BUDGET_FIELDS) {
          const above = parentBudget[field] - (field === "maxSpawnDepth" ? 1n : 0n);
          expect(child[field] >= 0n, field).toBe(true);
          expect(child[field] <= policy.hardCaps[field], field).toBe(true);
          expect(child[field] <= (above < 0n ? 0n : above), field).toBe(true);
          expect(child[field] <= (remaining[field] ?? child[field]), field).toBe(true);
          expect(child[field] <= (asked[field] ?? child[field]), field).toBe(true);
          expect(child[field] <= root[field], field).toBe(true);
        }
      }),
    );
  });

  test("what is left above is the least over all ancestors, field by field", () => {
    expect(
      leastRemaining([
        { maxCostCents: 5n, maxToolCalls: 9n },
        { maxCostCents: 7n, maxToolCalls: 3n },
        { maxDuration: 1n },
      ]),
    ).toEqual({ maxCostCents: 5n, maxToolCalls: 3n, maxDuration: 1n });
    expect(leastRemaining([])).toEqual({});
  });
});

describe("tool permissions", () => {
  const tools = (allow: string[] | null, deny: string[] = []): ToolPermissions => ({ allow, deny });

  test("are the intersection of the allow lists: the seed's example", () => {
    const parent = tools(["web_search", "file_read", "shell_exec"]);
    const child = tools(["file_read", "file_write", "shell_exec"]);
    expect(narrowTools(child, parent)).toEqual(tools(["file_read", "shell_exec"]));
  });

  test("no list is all, an empty list is none, deny lists add up", () => {
    expect(narrowTools(tools(null), tools(null))).toEqual(tools(null));
    expect(narrowTools(tools(null), tools(["a"]))).toEqual(tools(["a"]));
    expect(narrowTools(tools([]), tools(["a"]))).toEqual(tools([]));
    expect(narrowTools(tools([]), tools(null))).toEqual(tools([]));
    expect(narrowTools(tools(["a"], ["b"]), tools(["a"], ["c", "b"]))).toEqual(tools(["a"], ["b", "c"]));
  });

  test("of an agent and its role both hold", () => {
    const policy = policyOf({
      roles: [{ id: "researcher", tools: { allow: ["web_search", "file_read"], deny: ["shell_exec"] } }],
      agents: [{ id: "ada", role: "researcher", tools: { allow: ["file_read", "file_write"] } }],
    });
    expect(policyPermissions(policy, "ada", "researcher").tools).toEqual(tools(["file_read"], ["shell_exec"]));
  });

  test("narrowing never permits what either side forbids, and its order does not matter", () => {
    const names = fc.constantFrom("a", "b", "c", "d", "__proto__");
    const lists = fc.array(names, { maxLength: 4 });
    const any = fc.record({ allow: fc.option(lists), deny: lists });
    const permits = (t: ToolPermissions, name: string) => (t.allow?.includes(name) ?? true) && !t.deny.includes(name);
    fc.assert(
      fc.property(any, any, names, (a, b, name) => {
        const both = narrowTools(a, b);
        expect(permits(both, name)).toBe(permits(a, name) && permits(b, name));
        expect(narrowTools(b, a)).toEqual(both);
        expect(narrowTools(both, b)).toEqual(both);
      }),
    );
  });
});

describe("memory permissions", () => {
  test("are AND: what either forbids is forbidden, what neither mentions is not mentioned", () => {
    expect(narrowMemory({ a: true, b: true, c: false }, { a: true, b: false, d: true })).toEqual({
      a: true,
      b: false,
      c: false,
      d: true,
    });
    expect(narrowMemory({}, {})).toEqual({});
  });

  test("permit a name only if both sides do, names of Object.prototype included", () => {
    const names = fc.constantFrom("a", "b", "constructor", "__proto__", "toString");
    const any = fc
      .array(fc.tuple(names, fc.boolean()), { maxLength: 4 })
      .map((entries): MemoryPermissions => Object.fromEntries(entries));
    const permits = (part: MemoryPermissions, name: string) => !Object.hasOwn(part, name) || part[name] === true;
    fc.assert(
      fc.property(any, any, names, (a, b, name) => {
        const both = narrowMemory(a, b);
        expect(permits(both, name)).toBe(permits(a, name) && permits(b, name));
        expect(Object.keys(both).length).toBe(new Set([...Object.keys(a), ...Object.keys(b)]).size);
      }),
    );
  });
});
