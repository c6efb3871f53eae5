// Charges: the one place where a fact is written, together with everything that is derived from it.
import { balanceKeys } from "../core/balance-key.ts";
import type { Nano } from "../core/money.ts";
import { amountsOf, NOTHING, type Usage } from "../core/usage.ts";
import { addToBalances, type BalanceRow } from "./balances.ts";
import { followCharge } from "./executions.ts";
import { addToRollups } from "./rollups.ts";
import type { Session, SessionTotals } from "./session-row.ts";
import { addToSession } from "./sessions.ts";
import { all, first, statement, type Work } from "./statement.ts";
import type { ChargeSource, ChargesTable, ChargeToolsTable, CostSource } from "./tables.ts";

/** The calls of one tool inside a charge and their part of its cost. */
export type ToolLine = { readonly tool: string; readonly calls: bigint; readonly cost: Nano };

export type NewCharge = {
  readonly id: string;
  readonly session: Session;
  readonly model: string | null;
  readonly provider: string | null;
  /** The tool the whole charge is for; null = the model call itself. */
  readonly tool: string | null;
  /** Epoch ms; `hour` is its local hour in the workspace's zone. */
  readonly occurredAt: number;
  readonly recordedAt: number;
  readonly hour: string;
  readonly usage: Usage;
  /** What counts: the lines' costs are part of it. */
  readonly cost: Nano;
  readonly reported: Nano | null;
  readonly priced: Nano | null;
  readonly costSource: CostSource;
  readonly priceList: string | null;
  readonly source: ChargeSource;
  readonly late: "late" | "in_time";
  readonly latencyMs: number | null;
  readonly error: string | null;
  readonly holdId: string | null;
  readonly idempotencyKey: string | null;
  readonly request: string | null;
  readonly lines: readonly ToolLine[];
};

/**
 * Books a charge, whatever the limits say: the row itself, its session's totals, the balances of every scope and
 * the rollups. Answers the new balances and totals. Every lock the transaction needs must be held before.
 */
export function* recordCharge(charge: NewCharge): Work<{ balances: readonly BalanceRow[]; totals: SessionTotals }> {
  const { session, usage, cost } = charge;
  const attribution = { ...session, hour: charge.hour };
  const balances = yield* addToBalances(session.workspaceId, balanceKeys(attribution), amountsOf(usage, cost), NOTHING);
  yield* all(insertCharge, toRow(charge));
  for (const line of charge.lines) {
    yield* all(insertLine, { charge_id: charge.id, tool: line.tool, calls: line.calls, cost_nano_usd: line.cost });
  }
  const totals = yield* addToSession(session.id, { ...usage, cost, errors: charge.error === null ? 0n : 1n });
  yield* addToRollups(charge);
  yield* followCharge(charge, totals);
  return { balances, totals };
}

const insertCharge = statement((db, args: { [Column in keyof ChargesTable]: ChargesTable[Column] }) =>
  db.insertInto("charges").values(Object.fromEntries(COLUMNS.map((c) => [c, args[c]])) as ChargesTable),
);

const insertLine = statement((db, args: ChargeToolsTable) =>
  db
    .insertInto("charge_tools")
    .values({ charge_id: args.charge_id, tool: args.tool, calls: args.calls, cost_nano_usd: args.cost_nano_usd }),
);

/** What a repeated report is answered with: the first one's charge. */
export type StoredCharge = {
  readonly id: string;
  readonly cost: Nano;
  readonly costSource: CostSource;
  readonly late: "late" | "in_time";
  readonly request: string | null;
};

const byKey = statement((db, args: { sessionId: string; key: string }) =>
  db
    .selectFrom("charges")
    .select(["id", "cost_nano_usd", "cost_source", "late", "request"])
    .where("session_id", "=", args.sessionId)
    .where("idempotency_key", "=", args.key),
);

export function* findChargeByKey(sessionId: string, key: string): Work<StoredCharge | undefined> {
  const row = yield* first(byKey, { sessionId, key });
  return (
    row && {
      id: row.id,
      cost: row.cost_nano_usd,
      costSource: row.cost_source,
      late: row.late === 1n ? "late" : "in_time",
      request: row.request,
    }
  );
}

const ofHold = statement((db, args: { sessionId: string; holdId: string }) =>
  db
    .selectFrom("charges")
    .select("source")
    .where("session_id", "=", args.sessionId)
    .where("hold_id", "=", args.holdId)
    .where("source", "in", ["unconfirmed", "reversal"]),
);

/** Was a forgotten hold booked as a charge that nothing has taken back yet? */
export function* isBookedUnconfirmed(sessionId: string, holdId: string): Work<boolean> {
  const sources = (yield* all(ofHold, { sessionId, holdId })).map((row) => row.source);
  return sources.includes("unconfirmed") && !sources.includes("reversal");
}

const COLUMNS = Object.keys({
  id: 0,
  workspace_id: 0,
  session_id: 0,
  agent_id: 0,
  role: 0,
  team_id: 0,
  task_id: 0,
  user_id: 0,
  model: 0,
  provider: 0,
  tool: 0,
  occurred_at: 0,
  recorded_at: 0,
  hour: 0,
  input_tokens: 0,
  output_tokens: 0,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
  cache_write_1h_tokens: 0,
  tool_calls: 0,
  cost_nano_usd: 0,
  reported_nano_usd: 0,
  priced_nano_usd: 0,
  cost_source: 0,
  price_list: 0,
  source: 0,
  late: 0,
  latency_ms: 0,
  error: 0,
  hold_id: 0,
  idempotency_key: 0,
  request: 0,
} satisfies Record<keyof ChargesTable, 0>) as (keyof ChargesTable)[];

function toRow(charge: NewCharge): ChargesTable {
  const { session, usage } = charge;
  return {
    id: charge.id,
    workspace_id: session.workspaceId,
    session_id: session.id,
    agent_id: session.agentId,
    role: session.role,
    team_id: session.teamId,
    task_id: session.taskId,
    user_id: session.userId,
    model: charge.model,
    provider: charge.provider,
    tool: charge.tool,
    occurred_at: BigInt(charge.occurredAt),
    recorded_at: BigInt(charge.recordedAt),
    hour: charge.hour,
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    cache_read_tokens: usage.cacheReadTokens,
    cache_write_tokens: usage.cacheWriteTokens,
    cache_write_1h_tokens: usage.cacheWrite1hTokens,
    tool_calls: usage.toolCalls,
    cost_nano_usd: charge.cost,
    reported_nano_usd: charge.reported,
    priced_nano_usd: charge.priced,
    cost_source: charge.costSource,
    price_list: charge.priceList,
    source: charge.source,
    late: charge.late === "late" ? 1n : 0n,
    latency_ms: charge.latencyMs === null ? null : BigInt(charge.latencyMs),
    error: charge.error,
    hold_id: charge.holdId,
    idempotency_key: charge.idempotencyKey,
    request: charge.request,
  };
}
