// Any input to any operation, by any caller: an answer of the promised shape or a fault of ours, and a clean ledger.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { z } from "zod";
import { AstraError } from "../../src/core/error.ts";
import type { Policy } from "../../src/core/policy.ts";
import { agentOperations, operatorOperations } from "../../src/operations/index.ts";
import { invoke, type Operation, type Principal } from "../../src/operations/operation.ts";
import { AGENT, OPERATOR, type World, worldOf } from "../world.ts";
import { isClean, rowsOf } from "./witness.ts";

/** ASTRA_PROPERTY_TIMES=100 makes a night of it. */
const TIMES = Number(process.env.ASTRA_PROPERTY_TIMES ?? 1);

const OPERATIONS = new Map([...agentOperations, ...operatorOperations].map((each) => [each.name, each]));
const CALLERS = {
  agent: AGENT,
  operator: OPERATOR,
  owner: { kind: "owner", actor: "key_owner" },
  viewer: { kind: "viewer", actor: "key_viewer" },
  ada: { kind: "agent", agentId: "ada" },
  bob: { kind: "agent", agentId: "bob" },
} as const satisfies Record<string, Principal>;

/** Whose calls may be answered at all. */
const ANSWERED: Readonly<Record<string, readonly string[]>> = {
  anyone: ["agent", "viewer", "operator", "owner"],
  agent: ["agent", "operator", "owner"],
  viewer: ["viewer", "operator", "owner"],
  operator: ["operator", "owner"],
  owner: ["owner"],
};

const POLICY = {
  workspace: { timezone: "Europe/Berlin", dailyCostLimitUsd: 40, monthlyCostLimitUsd: 90 },
  teams: [{ id: "t", dailyCostLimitUsd: 10, taskCostLimitUsd: 5 }],
  agents: [
    { id: "ada", team: "t", dailyCostLimitUsd: 8, quotas: { tokensPerHour: 50_000, maxConcurrentChildren: 2 } },
    { id: "bob", role: "writer", tools: { allow: ["web"] } },
  ],
  tasks: [
    { id: "594", title: "Fix", tags: ["budget:2"] },
    { id: "595", depends_on: ["594"] },
  ],
  tools: { web: { estimatedCostUsd: 0.01 } },
  onHoldExpiry: "charge",
};

/** Stands for what an earlier call returned: the n-th session or hold. */
class Earlier {
  readonly kind: "session" | "hold";
  readonly nth: number;
  constructor(kind: "session" | "hold", nth: number) {
    this.kind = kind;
    this.nth = nth;
  }
}

const hostile = fc.constantFrom<unknown>(
  -1,
  -0,
  1.5,
  1e-10,
  1e9,
  1e308,
  2 ** 53,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  "5",
  "",
  "x".repeat(129),
  "a\0b",
  "a\uD800",
  "a\u202Eb",
  "e\u0301",
  "'; drop table charges; --",
  "<script>alert(1)</script>",
  "__proto__",
  "constructor",
  "2026-02-30",
  null,
  true,
  [],
  {},
  JSON.parse('{"__proto__": {"max_cost_cents": 1e9}}'),
  JSON.parse('[{"tool": "__proto__", "count": 1e9}]'),
);
const earlier = fc
  .tuple(fc.constantFrom<"session" | "hold">("session", "session", "hold"), fc.nat(9))
  .map(([kind, nth]) => new Earlier(kind, nth));
const anyValue = fc.oneof(
  { weight: 3, arbitrary: hostile },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  { weight: 1, arbitrary: fc.anything({ maxDepth: 1 }) },
  { weight: 1, arbitrary: earlier },
);

const id = fc.constantFrom<unknown>("ada", "bob", "eve", 594, "595", "t", "web", "known-1", "__proto__");
const count = fc.constantFrom<unknown>(0, 1, 7, 5_000, 1_000_000, 1_000_000_000);
const money = fc.constantFrom<unknown>(0, 0.1 + 0.2, 1e-9, 0.5, 4.999999999, 9_999);
const toolCalls = fc.array(fc.record({ tool: id, count, cost_usd: money }, { requiredKeys: ["tool"] }), {
  maxLength: 3,
});

/** What an argument of that name may well be. */
function fitting(name: string): fc.Arbitrary<unknown> {
  if (name === "session_id" || name === "parent_session_id") return fc.nat(9).map((nth) => new Earlier("session", nth));
  if (name === "hold_id") return fc.nat(9).map((nth) => new Earlier("hold", nth));
  if (name === "tool_calls") return fc.oneof(count, toolCalls);
  if (name.endsWith("_id") || ["model", "provider", "role", "tool", "priority", "task_type"].includes(name)) return id;
  if (name.endsWith("_tokens")) return count;
  if (name === "cost_usd") return money;
  if (name === "estimate")
    return fc.record({ input_tokens: count, cost_usd: money, tool_calls: count }, { requiredKeys: [] });
  if (name === "budget") return fc.record({ max_cost_cents: money, max_tool_calls: count }, { requiredKeys: [] });
  if (name === "tools") return fc.record({ allow: fc.array(id), deny: fc.array(id) }, { requiredKeys: [] });
  if (name === "hold" || name === "all" || name === "open") return fc.constant(true);
  if (name === "idempotency_key") return fc.constantFrom("k1", "k2");
  if (name === "start_date" || name === "end_date") return fc.constantFrom("0001-01-01", "2026-11-22", "9999-12-31");
  if (name === "occurred_at") return fc.constantFrom("2026-11-22T12:00:30Z", "2026-11-22T11:59:30+00:00");
  if (name === "group_by") return fc.constant(["agent", "tool", "day", "model"]);
  if (name === "status") return fc.constantFrom("success", "error", "cancelled", "done", "open");
  if (name === "period") return fc.constantFrom("day", "week", "month");
  if (name === "sort") return fc.constantFrom("cost", "tokens", "executions", "success", "fitness");
  if (name === "outcome") return fc.constantFrom("success", "over_budget", "expired");
  if (name === "tags") return fc.constantFrom<unknown>(["budget:1"], ["bug", "budget:0"]);
  if (name === "depends_on") return fc.array(id, { maxLength: 2 });
  if (["error", "reason", "title"].includes(name)) return fc.constantFrom("What happened", "Why");
  return fc.integer({ min: 1, max: 400 });
}

type Call = {
  readonly operation: string;
  readonly caller: keyof typeof CALLERS;
  readonly args: unknown;
  readonly wait: number;
};

/** Mostly what fits, some of it hostile, some of it missing or misspelt, sometimes something else altogether. */
function argsFor(operation: Operation): fc.Arbitrary<unknown> {
  const names = Object.keys((operation.input as z.ZodObject).shape);
  const missing = operation.input.safeParse({}).error?.issues.map((issue) => issue.path[0]) ?? [];
  const needed = names.filter(
    (name) =>
      missing.includes(name) ||
      (name === "agent_id" && (operation.access === "agent" || operation.access === "anyone")),
  );
  const value = (name: string) =>
    fc.oneof({ weight: 12, arbitrary: fitting(name) }, { weight: 1, arbitrary: anyValue });
  const all = fc.record(Object.fromEntries(names.map((name) => [name, value(name)])));
  const some = (of: readonly string[], most: number) =>
    fc
      .tuple(fc.subarray([...of], { maxLength: Math.min(most, of.length) }), all)
      .map(([chosen, args]) => Object.fromEntries([...needed, ...chosen].map((name) => [name, args[name]])));
  const misspelt = fc.tuple(all, fc.string(), anyValue).map(([args, name, other]) => ({ ...args, [name]: other }));
  return fc.oneof(
    { weight: 8, arbitrary: some(names, 4) },
    { weight: 3, arbitrary: some(names, names.length) },
    misspelt,
    anyValue,
  );
}

const ARGS = new Map([...OPERATIONS].map(([name, operation]) => [name, argsFor(operation)]));
const namesOf = (operations: readonly Operation[]) => operations.map(({ name }) => name);

const usualCaller = (access: Operation["access"] | undefined): keyof typeof CALLERS =>
  access === "agent" || access === "anyone" ? "agent" : access === "owner" ? "owner" : "operator";

const anyCall: fc.Arbitrary<Call> = fc
  .oneof(
    { weight: 4, arbitrary: fc.constantFrom(...namesOf(agentOperations)) },
    { weight: 1, arbitrary: fc.constantFrom(...namesOf(operatorOperations).filter((name) => name !== "stop")) },
    { weight: 1, arbitrary: fc.constantFrom(...OPERATIONS.keys()) },
  )
  .chain((operation) =>
    fc.record({
      operation: fc.constant(operation),
      caller: fc.oneof(
        { weight: 6, arbitrary: fc.constant(usualCaller(OPERATIONS.get(operation)?.access)) },
        { weight: 1, arbitrary: fc.constantFrom<keyof typeof CALLERS>("agent", "operator", "viewer", "ada", "bob") },
      ),
      args: ARGS.get(operation) as fc.Arbitrary<unknown>,
      wait: fc.constantFrom(0, 0, 10, 5_000, 400_000),
    }),
  );

function resolved(value: unknown, ids: Record<"session" | "hold", string[]>): unknown {
  if (value instanceof Earlier) return ids[value.kind][value.nth % Math.max(1, ids[value.kind].length)] ?? "ses_none";
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([name, each]) => [name, resolved(each, ids)]);
  return Object.fromEntries(entries);
}

/** Maps and bigints included. */
const textOf = (policy: Policy): string =>
  JSON.stringify(policy, (_, value) =>
    value instanceof Map ? [...value] : typeof value === "bigint" ? `${value}n` : value,
  );

/** Makes the call: "answer" or "fault", either as it must be. */
async function made(world: World, call: Call, ids: Record<"session" | "hold", string[]>): Promise<"answer" | "fault"> {
  const operation = OPERATIONS.get(call.operation) as Operation;
  try {
    const answer = await invoke(operation, world.context, CALLERS[call.caller], resolved(call.args, ids));
    const wire = JSON.parse(JSON.stringify(answer));
    expect(operation.output.safeParse(wire).error?.issues ?? []).toEqual([]);
    expect(leavesOf(answer).filter((leaf) => typeof leaf === "number" && !(leaf >= 0 && leaf < 1e16))).toEqual([]);
    if (wire.status === "open" && wire.session_id) ids.session.push(wire.session_id);
    if (wire.hold_id) ids.hold.push(wire.hold_id);
    expect(ANSWERED[operation.access]).toContain(CALLERS[call.caller].kind);
    return "answer";
  } catch (error) {
    if (!(error instanceof AstraError)) throw error;
    expect(error.code).toMatch(
      /^(invalid_input|(session|hold|task|team)_not_found|not_found|id_reused|forbidden|conflict)$/,
    );
    for (const { message } of error.faults)
      expect(message).toMatch(/^(expected |unknown argument |this comes to|and \d+ more)/);
    expect([error.message, error.hint].join(" ")).toMatch(/^[^\p{Cc}\p{Cf}\p{Cs}]+$/u);
    return "fault";
  }
}

function leavesOf(value: unknown): unknown[] {
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(leavesOf) : [value];
}

test("any input is answered in shape or refused in our words, writes all or nothing, and widens no limit", async () => {
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(fc.array(anyCall, { minLength: 30, maxLength: 60 }), async (calls) => {
      const world = await worldOf({ policy: POLICY });
      const policy = textOf(world.context.policy);
      const ids: Record<"session" | "hold", string[]> = { session: [], hold: [] };
      for (const agent_id of ["ada", "bob"]) ids.session.push((await world.open({ agent_id })).session_id);
      for (const call of calls) {
        world.pass(call.wait);
        const outcome = `${call.operation} ${await made(world, call, ids)}`;
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      }
      expect(textOf(world.context.policy)).toBe(policy);
      expect(await isClean(world)).toBe(true);
      for (const row of (await rowsOf(world.ledger)).sessions as { budget: string }[]) {
        const budget = JSON.parse(row.budget) as Record<string, string>;
        for (const [field, cap] of Object.entries(world.context.policy.hardCaps)) {
          expect(BigInt(budget[field] ?? -1) <= cap && BigInt(budget[field] ?? -1) >= 0n, field).toBe(true);
        }
      }
      await world.ledger.close();
    }),
    { numRuns: 80 * TIMES },
  );
  // A fuzz that is always refused, or never, would test nothing.
  for (const { name } of agentOperations) {
    expect(seen.get(`${name} fault`) ?? 0, `${name} was never refused`).toBeGreaterThan(0);
    expect(seen.get(`${name} answer`) ?? 0, `${name} was never answered`).toBeGreaterThan(0);
  }
});

test("a fault writes nothing: the ledger after it is row by row the one before", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyCall, { minLength: 10, maxLength: 20 }), async (calls) => {
      const world = await worldOf({ policy: POLICY });
      const ids = { session: [(await world.open()).session_id], hold: [] as string[] };
      for (const call of calls) {
        const before = await rowsOf(world.ledger);
        const outcome = await made(world, call, ids);
        if (outcome === "fault") expect(await rowsOf(world.ledger)).toEqual(before);
      }
      await world.ledger.close();
    }),
    { numRuns: 40 * TIMES },
  );
});
