// Random charges of many attributions, each written down by hand too: what answers about costs must come to.
import fc from "fast-check";
import { windowAt } from "../../src/core/window.ts";
import type { DIMENSIONS } from "../../src/ledger/cost-shape.ts";
import { WIDE, type World } from "../world.ts";

export const charge = fc.record({
  agent: fc.constantFrom("ada", "bob", "kid"),
  task: fc.constantFrom(undefined, "1", "2"),
  user: fc.constantFrom(undefined, "u1", "u2"),
  provider: fc.constantFrom(undefined, "anthropic", "openai"),
  model: fc.constantFrom(undefined, "m1", "m2"),
  tool: fc.constantFrom(undefined, "web"),
  hours: fc.integer({ min: 0, max: 24 * 45 }),
  nano: fc.integer({ min: 0, max: 3_000_000_000 }),
  tokens: fc.nat(5_000),
  lines: fc.array(fc.record({ tool: fc.constantFrom("web", "shell", "llm"), nano: fc.nat(900_000_000) }), {
    maxLength: 2,
  }),
});
export type Charge = typeof charge extends fc.Arbitrary<infer C> ? C : never;
export type Row = Record<(typeof DIMENSIONS)[number], string> & { readonly nano: bigint };
export const filters = fc.record(
  {
    agent_id: fc.constantFrom("ada", "kid"),
    team_id: fc.constant("t"),
    task_id: fc.constantFrom("1", "2"),
    user_id: fc.constantFrom("u1"),
    provider: fc.constantFrom("openai"),
    role: fc.constant("writer"),
    model: fc.constantFrom("m1"),
    tool: fc.constantFrom("web", "shell"),
  },
  { requiredKeys: [] },
);
export const ranges = fc.constantFrom<Record<string, unknown>>(
  {},
  { months: 1 },
  { days: 10 },
  { start_date: "2026-11-05", end_date: "2026-12-06" },
  { start_date: "2026-11-01", end_date: "2026-11-30" },
  { start_date: "2026-12-01" },
  { end_date: "2026-11-30" },
);
export const ZONE = "America/New_York";
export const POLICY = {
  hardCaps: WIDE,
  workspace: { timezone: ZONE },
  teams: [{ id: "t" }],
  agents: [{ id: "ada", team: "t", role: "writer", budget: { maxCostCents: 1_000_000 } }],
};

/** Books the charge, and writes down by hand what it should count as. */
export async function book(world: World, of: Charge): Promise<Row[]> {
  world.at(Date.parse("2026-10-28T05:00:00Z") + of.hours * 3_600_000);
  const { agent, task, user, provider, model, tool, lines } = of;
  const { session_id } = await world.open({ agent_id: agent, task_id: task, user_id: user, provider, model });
  await world.report({
    session_id,
    tool,
    cost_usd: of.nano / 1e9,
    input_tokens: of.tokens,
    tool_calls: lines.map((line) => ({ tool: line.tool, cost_usd: line.nano / 1e9 })),
  });
  const day = windowAt("day", world.context.now(), ZONE).key;
  const shared = {
    day,
    month: day.slice(0, 7),
    agent,
    team: agent === "ada" ? "t" : "(none)",
    role: agent === "ada" ? "writer" : "(none)",
    task: task ?? "(none)",
    user: user ?? "(none)",
    provider: provider ?? "(none)",
    model: model ?? "(none)",
  };
  return [
    { ...shared, tool: tool ?? "llm", nano: BigInt(of.nano) },
    ...lines.map((line) => ({ ...shared, tool: line.tool, nano: BigInt(line.nano) })),
  ];
}

/** The rows that a question about costs is about. */
export const matching = (
  rows: readonly Row[],
  filter: Partial<Record<string, string>>,
  { start_date, end_date }: Record<string, unknown>,
): Row[] =>
  rows.filter(
    (row) =>
      row.day >= String(start_date) &&
      row.day <= String(end_date) &&
      Object.entries(filter).every(([name, id]) => row[name.replace(/_id$/, "") as keyof Row] === id),
  );
