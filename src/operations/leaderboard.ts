// leaderboard: the agents of a calendar day, week or month, ranked by what they used or by how well they did.
import { z } from "zod";
import { EXECUTION_WINDOWS, fitnessOf, ppmOf } from "../core/execution.ts";
import { usdFromNano } from "../core/money.ts";
import { windowAt } from "../core/window.ts";
import { type CostGroup, costsBy, everything } from "../ledger/costs.ts";
import { executionsIn } from "../ledger/execution-lists.ts";
import type { ExecutionSums } from "../ledger/executions.ts";
import type { Work } from "../ledger/statement.ts";
import { type Context, defineOperation } from "./operation.ts";
import { fractionOut } from "./output.ts";

const SORTS = ["cost", "tokens", "executions", "success", "fitness"] as const;
type Sort = (typeof SORTS)[number];

export const period = z.enum(EXECUTION_WINDOWS, { error: `expected one of ${EXECUTION_WINDOWS.join(", ")}` });

const input = z.strictObject({
  period: period.default("month").describe("The calendar window around now, in the workspace's time zone."),
  sort: z
    .enum(SORTS, { error: `expected one of ${SORTS.join(", ")}` })
    .default("cost")
    .describe("The largest first; success is the success rate. Ties are in the order of the agents' ids."),
  limit: z
    .number({ error: "expected a number, 1 to 100" })
    .int({ error: "expected a whole number" })
    .min(1, { error: "expected at least 1" })
    .max(100, { error: "expected at most 100" })
    .default(20)
    .describe("How many agents at most."),
});

const output = z.looseObject({
  period: z.string(),
  sort: z.string(),
  start_date: z.string(),
  end_date: z.string(),
  agents: z.array(z.looseObject({})),
  agents_left_out: z.number(),
});

export const leaderboard = defineOperation({
  name: "leaderboard",
  title: "Leaderboard",
  description:
    "Agents ranked by cost, tokens, executions, success rate or fitness in this calendar day, week or month. An agent without an ended session has no success rate and no fitness, and comes last there.",
  input,
  output,
  access: "viewer",
  effect: "read",
  run: (context, _principal, args) => context.ledger.read(() => rank(context, args)),
});

type Agent = { readonly id: string; readonly costs: CostGroup | undefined; readonly sums: ExecutionSums | undefined };

function* rank(context: Context, args: z.output<typeof input>): Work<z.input<typeof output>> {
  const { id: workspaceId, timezone } = context.policy.workspace;
  const window = windowAt(args.period, context.now(), timezone);
  const fromDay = windowAt("day", window.start, timezone).key;
  const toDay = windowAt("day", window.end - 1, timezone).key;
  const costs = yield* costsBy("agent", everything(workspaceId, fromDay, toDay));
  const costsOf = new Map(costs.map((each) => [each.key, each]));
  const sumsOf = new Map((yield* executionsIn(workspaceId, args.period, window.key)).map((row) => [row.agent_id, row]));
  const ids = [...new Set([...costsOf.keys(), ...sumsOf.keys()])];
  const agents = ids.map((id) => ({ id, costs: costsOf.get(id), sums: sumsOf.get(id) }));
  const ranked = agents.map((each) => ({ ...each, by: BY[args.sort](each) })).sort(byFallingThenId);
  return {
    workspace_id: workspaceId,
    period: args.period,
    sort: args.sort,
    start_date: fromDay,
    end_date: toDay,
    agents: ranked.slice(0, args.limit).map((each, i) => ({ rank: i + 1, ...agentOut(each) })),
    agents_left_out: Math.max(0, ranked.length - args.limit),
  };
}

type Ranked = { readonly id: string; readonly by: bigint };

function byFallingThenId(a: Ranked, b: Ranked): number {
  if (a.by !== b.by) return a.by > b.by ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

/** What is compared is what is shown, so that agents which look alike are in the order of their ids. */
const BY: Readonly<Record<Sort, (agent: Agent) => bigint>> = {
  cost: ({ costs }) => costs?.cost_nano_usd ?? 0n,
  tokens: ({ costs }) => tokensOf(costs),
  executions: ({ sums }) => sums?.executions ?? 0n,
  success: ({ sums }) => successOf(sums) ?? -1n,
  fitness: ({ sums }) => fitness(sums) ?? -1n,
};

const tokensOf = (costs: CostGroup | undefined): bigint =>
  costs ? costs.input_tokens + costs.output_tokens + costs.cache_read_tokens + costs.cache_write_tokens : 0n;

const successOf = (sums: ExecutionSums | undefined): bigint | null =>
  sums ? ppmOf(sums.successes, sums.executions) : null;

/** An agent that nothing is known of has none, rather than the one half that the formula begins with. */
const fitness = (sums: ExecutionSums | undefined): bigint | null =>
  sums ? fitnessOf(sums.executions, sums.score_ppm) : null;

function agentOut(agent: Agent) {
  const { costs, sums } = agent;
  return {
    agent_id: agent.id,
    cost_usd: usdFromNano(costs?.cost_nano_usd ?? 0n),
    charges: Number(costs?.charges ?? 0n),
    tokens: Number(tokensOf(costs)),
    input_tokens: Number(costs?.input_tokens ?? 0n),
    output_tokens: Number(costs?.output_tokens ?? 0n),
    cache_read_tokens: Number(costs?.cache_read_tokens ?? 0n),
    cache_write_tokens: Number(costs?.cache_write_tokens ?? 0n),
    tool_calls: Number(costs?.tool_calls ?? 0n),
    executions: Number(sums?.executions ?? 0n),
    successes: Number(sums?.successes ?? 0n),
    success_rate: fractionOut(successOf(sums)),
    latency_mean_ms: sums ? Number(sums.latency_ms / sums.executions) : null,
    fitness: fractionOut(fitness(sums)),
  };
}
