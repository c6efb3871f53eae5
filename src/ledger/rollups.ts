// Rollups: costs per day and per month, kept with each charge so that the usual question never reads the charges.
import { dayOf, monthOf } from "../core/balance-key.ts";
import type { NewCharge } from "./charges.ts";
import { type Arguments, all, statement, type Work } from "./statement.ts";
import type { CostsByDayTable, CostsByMonthTable } from "./tables.ts";

/** The sums a rollup keeps, in one order. */
export const SUMS = [
  "charges",
  "unpriced",
  "input_tokens",
  "output_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "tool_calls",
  "cost_nano_usd",
] as const;

export type Sums = Readonly<Record<(typeof SUMS)[number], bigint>>;

const DAY_KEY = [
  "workspace_id",
  "day",
  "agent_id",
  "team_id",
  "task_id",
  "user_id",
  "role",
  "provider",
  "model",
  "tool",
] as const;
const MONTH_KEY = ["workspace_id", "month", "agent_id", "provider", "tool"] as const;

/** A charge split by tool: its own line (tool '' = the model call) and one per listed tool; the lines sum to it. */
function linesOf(charge: NewCharge): (Sums & { readonly tool: string })[] {
  const { usage, lines } = charge;
  const listedCalls = lines.reduce((sum, line) => sum + line.calls, 0n);
  const listedCost = lines.reduce((sum, line) => sum + line.cost, 0n);
  const own = {
    tool: charge.tool ?? "",
    charges: 1n,
    unpriced: charge.costSource === "unpriced" ? 1n : 0n,
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    cache_read_tokens: usage.cacheReadTokens,
    cache_write_tokens: usage.cacheWriteTokens,
    tool_calls: usage.toolCalls - listedCalls,
    cost_nano_usd: charge.cost - listedCost,
  };
  const none = {
    charges: 0n,
    unpriced: 0n,
    input_tokens: 0n,
    output_tokens: 0n,
    cache_read_tokens: 0n,
    cache_write_tokens: 0n,
  };
  return [
    own,
    ...lines.map((line) => ({ ...none, tool: line.tool, tool_calls: line.calls, cost_nano_usd: line.cost })),
  ];
}

export function* addToRollups(charge: NewCharge): Work<void> {
  const { session } = charge;
  for (const line of linesOf(charge)) {
    const shared = {
      ...summands(line),
      tool: line.tool,
      workspace_id: session.workspaceId,
      agent_id: session.agentId,
      provider: charge.provider ?? "",
    };
    yield* all(upsertDay, {
      ...shared,
      day: dayOf(charge.hour),
      team_id: session.teamId ?? "",
      task_id: session.taskId ?? "",
      user_id: session.userId ?? "",
      role: session.role ?? "",
      model: charge.model ?? "",
    });
    yield* all(upsertMonth, { ...shared, month: monthOf(charge.hour) });
  }
}

/** Names of arguments, made once. */
const SUMMANDS = SUMS.map((column) => [column, `add_${column}`, `new_${column}`] as const);

/** What is added, and what a new row begins with: only something that adds can make one (see `addToBalances`). */
function summands(line: Sums): Record<`add_${keyof Sums}` | `new_${keyof Sums}`, bigint> {
  const args: Record<string, bigint> = {};
  for (const [column, add, make] of SUMMANDS) {
    args[add] = line[column];
    args[make] = line[column] > 0n ? line[column] : 0n;
  }
  return args as ReturnType<typeof summands>;
}

const upsertDay = statement((db, args: Arguments) =>
  db
    .insertInto("costs_by_day")
    .values(newRow(DAY_KEY, args) as CostsByDayTable)
    .onConflict((oc) =>
      oc
        .columns([...DAY_KEY])
        .doUpdateSet((eb) =>
          Object.fromEntries(SUMS.map((c) => [c, eb(`costs_by_day.${c}`, "+", args[`add_${c}`] as bigint)])),
        ),
    ),
);

const upsertMonth = statement((db, args: Arguments) =>
  db
    .insertInto("costs_by_month")
    .values(newRow(MONTH_KEY, args) as CostsByMonthTable)
    .onConflict((oc) =>
      oc
        .columns([...MONTH_KEY])
        .doUpdateSet((eb) =>
          Object.fromEntries(SUMS.map((c) => [c, eb(`costs_by_month.${c}`, "+", args[`add_${c}`] as bigint)])),
        ),
    ),
);

function newRow(key: readonly string[], args: Arguments): unknown {
  return Object.fromEntries([...key.map((c) => [c, args[c]]), ...SUMS.map((c) => [c, args[`new_${c}`]])]);
}
