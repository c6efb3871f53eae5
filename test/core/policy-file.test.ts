// The policy: the seeds' figures, the shape of astra.yml, its cross references and how it becomes a Policy.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BUDGET_FIELDS } from "../../src/core/budget.ts";
import { NANO_PER_CENT, NANO_PER_USD } from "../../src/core/money.ts";
import { checkPolicy, pathText } from "../../src/core/policy-check.ts";
import { BUILT_IN_POLICY, resolvePolicy } from "../../src/core/policy-resolve.ts";

function resolve(raw: unknown) {
  const { file, faults } = checkPolicy(raw);
  expect(faults).toEqual([]);
  if (!file) throw new Error("no file although no fault");
  return resolvePolicy(file);
}

function faultsOf(raw: unknown): string[] {
  const { file, faults } = checkPolicy(raw);
  expect(file).toBeNull();
  return faults.map(({ path, message }) => `${pathText(path)}: ${message}`);
}

describe("what holds without a file", () => {
  test("the hard caps are the seed's figures", () => {
    expect(BUILT_IN_POLICY.hardCaps).toEqual({
      maxPromptTokens: 500_000n,
      maxCompletionTokens: 100_000n,
      maxTotalTokens: 600_000n,
      maxCostCents: 5n * NANO_PER_USD,
      maxToolCalls: 100n,
      maxDuration: 300_000n,
      maxSpawnDepth: 5n,
      maxChildAgents: 20n,
    });
  });

  test.each([
    ["researcher", 50_000n, 50n, 20n, 60_000n],
    ["analyst", 80_000n, 100n, 15n, 90_000n],
    ["writer", 30_000n, 30n, 5n, 30_000n],
    ["mediator", 40_000n, 40n, 5n, 60_000n],
  ])("the role %s has the seed's defaults and may not spawn", (name, tokens, cents, toolCalls, duration) => {
    expect(BUILT_IN_POLICY.roles.get(name)).toEqual({
      budget: {
        maxTotalTokens: tokens,
        maxCostCents: cents * NANO_PER_CENT,
        maxToolCalls: toolCalls,
        maxDuration: duration,
        maxSpawnDepth: 0n,
        maxChildAgents: 0n,
      },
      tools: { allow: null, deny: [] },
      memory: {},
    });
  });

  test("nothing else is limited and the clock is UTC", () => {
    const { roles, hardCaps, guidelines, incidents, ...rest } = BUILT_IN_POLICY;
    expect([...roles.keys()]).toEqual(["researcher", "analyst", "writer", "mediator"]);
    expect(Object.values(incidents).filter((rule) => rule.stop)).toEqual([]);
    expect(rest).toEqual({
      workspace: { id: "default", timezone: "UTC", dailyCostLimit: null, monthlyCostLimit: null },
      agents: new Map(),
      teams: new Map(),
      tasks: new Map(),
      tools: new Map(),
      prices: new Map(),
      unknownModel: "worst_known",
      unknownAgents: "allow",
      warnAtPpm: 800_000n,
      onHoldExpiry: "release",
      onMeterFailure: "deny",
      claudeCode: "optional",
      hours: null,
      webhooks: new Map(),
      privacy: {
        enabled: false,
        mechanism: "laplace",
        epsilonTotal: 10_000_000_000n,
        epsilonPerRelease: 500_000_000n,
        rhoPerRelease: 50_000_000n,
        deltaAtto: 1_000_000_000_000n,
        bounds: { cost: 10n * NANO_PER_USD, tokens: null, toolCalls: null, charges: null },
      },
    });
  });
});

describe("what a file turns into", () => {
  test("the seed's research-agent block keeps its five figures", () => {
    const budget = { maxTotalTokens: 50000, maxCostCents: 50, maxToolCalls: 20, maxDuration: 60000, maxChildAgents: 0 };
    const { policy, notes } = resolve({ agents: [{ id: "research-agent", budget }] });
    expect(policy.agents.get("research-agent")?.budget).toEqual({
      maxTotalTokens: 50_000n,
      maxCostCents: 500_000_000n,
      maxToolCalls: 20n,
      maxDuration: 60_000n,
      maxChildAgents: 0n,
    });
    expect(notes).toEqual([]);
  });

  test("the seed's team cap of $10 a day and task tag of $0.50 are exact", () => {
    const { policy } = resolve({
      teams: [{ id: 7, dailyCostLimitUsd: 10.0, taskCostLimitUsd: null }],
      tasks: [{ id: 594, title: "Fix typo in README", priority: "low", task_type: "bugfix", tags: ["budget:0.50"] }],
    });
    expect(policy.teams.get("7")).toEqual({ id: "7", dailyCostLimit: 10n * NANO_PER_USD, taskCostLimit: null });
    expect(policy.tasks.get("594")).toEqual({
      id: "594",
      title: "Fix typo in README",
      team: null,
      priority: "low",
      taskType: "bugfix",
      tags: ["budget:0.50"],
      dependsOn: [],
      costLimit: 500_000_000n,
    });
  });

  test("a listed role overrides a built-in one field by field, in any case", () => {
    const { policy } = resolve({
      roles: [{ id: "Writer", budget: { maxToolCalls: 9 } }],
      agents: [{ id: "a", role: "WRITER" }],
    });
    expect(policy.roles.get("writer")?.budget).toEqual({
      ...BUILT_IN_POLICY.roles.get("writer")?.budget,
      maxToolCalls: 9n,
    });
    expect(policy.roles.size).toBe(4);
    expect(policy.agents.get("a")?.role).toBe("writer");
  });

  test("quotas, tools, memory and daily limits of an agent arrive in their own units", () => {
    const { policy } = resolve({
      agents: [
        {
          id: "a",
          provider: "anthropic",
          tools: { allow: [], deny: ["shell_exec"] },
          memory: { long_term: false, constructor: true },
          dailyCostLimitUsd: 0,
          quotas: { tokensPerHour: 200000, tokensPerDay: 1000000, costPerDayUsd: 10.0, maxConcurrentChildren: 5 },
        },
        { id: "b", tools: { deny: ["x"] } },
      ],
    });
    const agent = policy.agents.get("a");
    expect(agent?.tools).toEqual({ allow: [], deny: ["shell_exec"] });
    expect({ ...agent?.memory }).toEqual({ long_term: false, constructor: true });
    expect(agent?.dailyCostLimit).toBe(0n);
    expect(agent?.quotas).toEqual({
      tokensPerHour: 200_000n,
      tokensPerDay: 1_000_000n,
      costPerDay: 10n * NANO_PER_USD,
      concurrentChildren: 5n,
    });
    expect(policy.agents.get("b")?.tools).toEqual({ allow: null, deny: ["x"] });
    expect(policy.agents.get("b")?.memory.constructor).toBeUndefined();
  });

  test("a price without cache figures is never cheaper than the input", () => {
    const { policy } = resolve({
      prices: {
        "m/1": { inputUsd: 3, outputUsd: 15 },
        m2: { inputUsd: 1, outputUsd: 2, cacheReadUsd: 0.1, cacheWriteUsd: 1.1, cacheWrite1hUsd: 1.2 },
      },
    });
    const dollars = (value: number) => BigInt(value * 1000) * (NANO_PER_USD / 1000n);
    expect(policy.prices.get("m/1")).toEqual({
      base: {
        input: dollars(3),
        output: dollars(15),
        cacheRead: dollars(3),
        cacheWrite: dollars(3.75),
        cacheWrite1h: dollars(6),
      },
      bands: [],
    });
    expect(policy.prices.get("m2")?.base).toEqual({
      input: dollars(1),
      output: dollars(2),
      cacheRead: dollars(0.1),
      cacheWrite: dollars(1.1),
      cacheWrite1h: dollars(1.2),
    });
  });

  test("a tool's estimated cost and the switches are taken over", () => {
    const { policy } = resolve({
      workspace: { id: "ws_abc123", timezone: "Europe/Berlin", dailyCostLimitUsd: 0.1, monthlyCostLimitUsd: 42.17 },
      tools: { generate_image: { estimatedCostUsd: 0.04 } },
      unknownModel: "deny",
      unknownAgents: "deny",
      warnAt: 0.999999,
      onHoldExpiry: "charge",
    });
    expect(policy.tools.get("generate_image")).toBe(40_000_000n);
    expect(policy.workspace).toEqual({
      id: "ws_abc123",
      timezone: "Europe/Berlin",
      dailyCostLimit: 100_000_000n,
      monthlyCostLimit: 42_170_000_000n,
    });
    expect(policy).toMatchObject({
      unknownModel: "deny",
      unknownAgents: "deny",
      warnAtPpm: 999_999n,
      onHoldExpiry: "charge",
    });
  });

  test("any budget within the ceilings loads with exactly its figures", () => {
    const figures = fc.record(Object.fromEntries(BUDGET_FIELDS.map((field) => [field, fc.nat(100)])), {
      requiredKeys: [],
    });
    fc.assert(
      fc.property(figures, (budget) => {
        const loaded = resolve({ agents: [{ id: "a", budget }] }).policy.agents.get("a")?.budget ?? {};
        for (const field of BUDGET_FIELDS) {
          const [given, unit] = [budget[field], field === "maxCostCents" ? NANO_PER_CENT : 1n];
          expect(loaded[field]).toBe(given === undefined ? undefined : BigInt(given) * unit);
        }
      }),
    );
  });
});

describe("what the operator is told", () => {
  test("raised hard caps warn in one line, a lowered one does not", () => {
    const { policy, notes } = resolve({ hardCaps: { maxCostCents: 2000, maxDuration: 3600000, maxToolCalls: 10 } });
    expect(policy.hardCaps).toMatchObject({ maxCostCents: 20n * NANO_PER_USD, maxToolCalls: 10n, maxChildAgents: 20n });
    expect(notes).toEqual([
      "WARNING: hardCaps raised above the built-in ones: maxCostCents from 500 ($5.00) to 2000 ($20.00), maxDuration from 300,000 to 3,600,000; every session and swarm may now go that far.",
    ]);
  });

  test("budgets above the hard caps are noted with what is in effect", () => {
    const { notes } = resolve({
      roles: [{ id: "Big", budget: { maxTotalTokens: 700000 } }],
      agents: [{ id: "a", budget: { maxCostCents: 500.5, maxToolCalls: 100 } }],
    });
    expect(notes).toEqual([
      "role big: budget.maxTotalTokens 700,000 is above the hard cap; 600,000 is in effect.",
      "agent a: budget.maxCostCents 500.5 ($5.005) is above the hard cap; 500 ($5.00) is in effect.",
    ]);
  });

  test("children given to an agent whose role forbids depth are noted as idle", () => {
    const { notes } = resolve({ agents: [{ id: "a", role: "writer", budget: { maxChildAgents: 3 } }] });
    expect(notes).toEqual([
      "agent a: budget.maxChildAgents 3 has no effect, since its maxSpawnDepth is 0; set that too.",
    ]);
  });
});

describe("faults of references", () => {
  test("an id given twice in one list is refused, a number and its digits being the same", () => {
    expect(
      faultsOf({
        agents: [{ id: 7 }, { id: "7" }],
        roles: [{ id: "X" }, { id: "x" }],
        tasks: [{ id: "t" }, { id: "t" }],
        teams: [{ id: "t" }, { id: "t" }],
      }),
    ).toEqual([
      'roles[1].id: "x" is already the id of roles[0], expected each id once',
      'agents[1].id: "7" is already the id of agents[0], expected each id once',
      'teams[1].id: "t" is already the id of teams[0], expected each id once',
      'tasks[1].id: "t" is already the id of tasks[0], expected each id once',
    ]);
  });

  test("a cycle of tasks is named once, however it is entered", () => {
    const tasks = [
      { id: "start", depends_on: ["a"] },
      { id: "a", depends_on: ["b"] },
      { id: "b", depends_on: ["c"] },
      { id: "c", depends_on: ["a"] },
    ];
    expect(faultsOf({ tasks })).toEqual([
      "tasks[3].depends_on[0]: the tasks wait for each other: a -> b -> c -> a, expected no cycle",
    ]);
    expect(faultsOf({ tasks: [{ id: "self", depends_on: ["self"] }] })).toEqual([
      "tasks[0].depends_on[0]: the tasks wait for each other: self -> self, expected no cycle",
    ]);
  });

  test("a diamond of tasks and a chain of 20,000 are no cycles", () => {
    resolve({
      tasks: [
        { id: "d", depends_on: ["b", "c"] },
        { id: "b", depends_on: ["a"] },
        { id: "c", depends_on: ["a", "a"] },
        { id: "a" },
      ],
    });
    const chain = Array.from({ length: 20_000 }, (_, index) => ({
      id: index,
      depends_on: index === 19_999 ? [] : [index + 1],
    }));
    resolve({ tasks: chain });
  });

  test("tasks are acyclic exactly when they can be done one after another", () => {
    const graph = fc.array(fc.uniqueArray(fc.nat(7), { maxLength: 3 }), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(graph, (edges) => {
        const done = new Set<number>();
        for (let round = 0; round < 8; round++) {
          for (const [id, needs] of edges.entries()) if (needs.every((need) => done.has(need))) done.add(id);
        }
        const tasks = edges.map((depends_on, id) => ({ id, depends_on }));
        expect(checkPolicy({ tasks }).faults.length === 0).toBe(done.size === 8);
      }),
    );
  });

  test("unknown roles, teams and tasks say what is known and what was probably meant", () => {
    expect(
      faultsOf({
        teams: [{ id: "research" }],
        roles: [{ id: "reviewer" }],
        agents: [{ id: "a", role: "resercher", team: "reserch" }],
        tasks: [{ id: "fix-typo", team: "nobody", depends_on: ["fix-tipo"] }],
      }),
    ).toEqual([
      'agents[0].role: found "resercher", expected a role (built in or listed under roles): researcher, analyst, writer, mediator, reviewer; did you mean researcher?',
      'agents[0].team: found "reserch", expected a team listed under teams: research; did you mean research?',
      'tasks[0].team: found "nobody", expected a team listed under teams: research',
      'tasks[0].depends_on[0]: found "fix-tipo", expected a task listed under tasks: fix-typo; did you mean fix-typo?',
    ]);
  });
});

describe("faults of single values", () => {
  const count = "expected a whole number from 0 to";
  test.each([
    [
      "a negative count",
      { hardCaps: { maxToolCalls: -1 } },
      `hardCaps.maxToolCalls: found -1, ${count} 1,000,000,000 (tool calls)`,
    ],
    [
      "a fraction of a token",
      { hardCaps: { maxTotalTokens: 0.5 } },
      `hardCaps.maxTotalTokens: found 0.5, ${count} 1,000,000,000,000 (tokens)`,
    ],
    [
      "NaN",
      { hardCaps: { maxDuration: Number.NaN } },
      `hardCaps.maxDuration: found NaN, ${count} 2,678,400,000 (milliseconds, 31 days at most)`,
    ],
    [
      "Infinity",
      { hardCaps: { maxSpawnDepth: Infinity } },
      `hardCaps.maxSpawnDepth: found Infinity, ${count} 100 (levels)`,
    ],
    [
      "1e308 cents",
      { hardCaps: { maxCostCents: 1e308 } },
      "hardCaps.maxCostCents: found 1e+308, expected a number of cents from 0 to 100,000,000",
    ],
    [
      "2^53 children",
      { hardCaps: { maxChildAgents: 2 ** 53 } },
      `hardCaps.maxChildAgents: found 9007199254740992, ${count} 1,000,000 (children)`,
    ],
    [
      "a number as text",
      { hardCaps: { maxPromptTokens: "500,000" } },
      `hardCaps.maxPromptTokens: found "500,000", ${count} 1,000,000,000,000 (tokens)`,
    ],
    [
      "a boolean amount",
      { workspace: { dailyCostLimitUsd: true } },
      "workspace.dailyCostLimitUsd: found true, expected a number of US dollars from 0 to 1,000,000",
    ],
    [
      "a million dollars and a cent",
      { workspace: { monthlyCostLimitUsd: 1_000_000.01 } },
      "workspace.monthlyCostLimitUsd: found 1000000.01, expected a number of US dollars from 0 to 1,000,000",
    ],
    [
      "no limit as a budget field",
      { hardCaps: { maxToolCalls: null } },
      `hardCaps.maxToolCalls: found nothing, ${count} 1,000,000,000 (tool calls)`,
    ],
    [
      "a list for a mapping",
      { workspace: [] },
      "workspace: found a list, expected a mapping with id, timezone, dailyCostLimitUsd, monthlyCostLimitUsd or hours",
    ],
    [
      "a mapping for a list",
      { agents: { a: {} } },
      'agents: found a mapping, expected a list of agents, each on its own line after "- "',
    ],
    ["text for an agent", { agents: ["a"] }, 'agents[0]: found "a", expected an agent, such as - id: research-agent'],
    [
      "an empty section",
      { agents: null },
      'agents: found nothing, expected a list of agents, each on its own line after "- "',
    ],
    [
      "a tool's missing cost",
      { tools: { x: {} } },
      "tools.x.estimatedCostUsd: missing, expected a number of US dollars from 0 to 1,000,000",
    ],
    ["a word not in the list", { onHoldExpiry: "keep" }, 'onHoldExpiry: found "keep", expected one of release, charge'],
    ["a warning share of 0", { warnAt: 0 }, "warnAt: found 0, expected a number above 0 and at most 1, such as 0.8"],
    [
      "a warning share above 1",
      { warnAt: 1.01 },
      "warnAt: found 1.01, expected a number above 0 and at most 1, such as 0.8",
    ],
    [
      "a bad time zone",
      { workspace: { timezone: "Mars/Olympus" } },
      'workspace.timezone: found "Mars/Olympus", expected an IANA time zone, such as UTC or Europe/Berlin',
    ],
    [
      "a misspelt key",
      { agents: [{ id: "a", budget: { maxtoolcals: 1 } }] },
      "agents[0].budget.maxtoolcals: unknown key, expected one of maxPromptTokens, maxCompletionTokens, maxTotalTokens, maxCostCents, maxToolCalls, maxDuration, maxSpawnDepth, maxChildAgents; did you mean maxToolCalls?",
    ],
    [
      "a key in snake case",
      { workspace: { daily_cost_limit_usd: 1 } },
      "workspace.daily_cost_limit_usd: unknown key, expected one of id, timezone, dailyCostLimitUsd, monthlyCostLimitUsd, hours; did you mean dailyCostLimitUsd?",
    ],
    [
      "a key of Object.prototype",
      { toString: 1 },
      "toString: unknown key, expected one of workspace, hardCaps, roles, agents, teams, tasks, tools, prices, unknownModel, unknownAgents, warnAt, onHoldExpiry, onMeterFailure, meters, guidelines, incidents, webhooks, privacy",
    ],
    [
      "a tool name with a space",
      { tools: { "a b": { estimatedCostUsd: 1 } } },
      'tools["a b"]: found "a b", expected a name of 1-128 letters, digits or . _ : @ / # + - (NFC)',
    ],
  ])("%s is refused with what was found and what is expected", (_, raw, line) => {
    expect(faultsOf(raw)).toEqual([line]);
  });

  test.each([
    "",
    "x".repeat(129),
    "a b",
    "a\0b",
    "a\u001b[31m",
    "a\u202eb",
    "a\ud800",
    "<script>",
    "'; drop table charge; --",
    "e\u0301",
    1.5,
    -1,
    true,
    null,
    [],
    {},
  ])("the id %j is refused", (id) => {
    expect(checkPolicy({ agents: [{ id }] }).faults.map(({ path }) => pathText(path))).toEqual(["agents[0].id"]);
  });

  test.each(["a", "x".repeat(128), "agent-7._:@/#+", "研究員", "é", 594])("the id %j is taken", (id) => {
    expect([...resolve({ agents: [{ id }] }).policy.agents.keys()]).toEqual([String(id)]);
  });

  test.each(["", "x".repeat(201), "a\nb", "a\u0007", "a\u0085", "a\u2028b", "a\u202eb", "a\u2066b", "a\ud800", 7])(
    "the title %j is refused",
    (title) => {
      expect(checkPolicy({ tasks: [{ id: "t", title }] }).faults.map(({ path }) => pathText(path))).toEqual([
        "tasks[0].title",
      ]);
    },
  );

  test("a title of 200 characters of any script is taken and no title is the id", () => {
    const { policy } = resolve({ tasks: [{ id: "t", title: "界".repeat(200) }, { id: "u" }] });
    expect(policy.tasks.get("t")?.title).toHaveLength(200);
    expect(policy.tasks.get("u")?.title).toBe("u");
  });

  test("a hostile value cannot forge a line of the report", () => {
    const [line] = faultsOf({ unknownModel: `deny\nastra.yml:1:1 \u001b[2J\u202e\u009b${"x".repeat(500)}` });
    expect(line).toMatch(
      /^unknownModel: found "deny\\nastra\.yml:1:1 \\u001b\[2J\\u202e\\u009bx+…", expected one of [a-z_, ]+$/,
    );
  });
});
