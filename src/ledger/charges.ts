// Charges: the one place where a fact is written, together with everything that is derived from it.
import { sql } from "kysely";
import { balanceKeys } from "../core/balance-key.ts";
import { METERS, type Meter } from "../core/metered.ts";
import type { Nano } from "../core/money.ts";
import { addAmounts, amountsOf, NOTHING, type Usage } from "../core/usage.ts";
import { addToBalances, type BalanceRow } from "./balances.ts";
import { calendarNumber } from "./calendar.ts";
import { type ChargeValues, insertChargeRows } from "./charge-row.ts";
import { followCharges } from "./executions.ts";
import { foldCosts, isFoldDue } from "./fold.ts";
import { ensureNames, numberOf, numbersOf } from "./names.ts";
import { addTotals, type Session, type SessionTotals } from "./session-row.ts";
import { addToSession } from "./sessions.ts";
import { type Arguments, all, family, first, pieces, placed, rowsOf, statement, type Work } from "./statement.ts";
import {
  CHARGE_SOURCES,
  type ChargeSource,
  type ChargeToolRowsTable,
  COST_SOURCES,
  type CostSource,
} from "./tables.ts";

/** The calls of one tool inside a charge and their part of its cost. */
export type ToolLine = { readonly tool: string; readonly calls: bigint; readonly cost: Nano };

/** A repeated report is known by these: 64 bits of the key's hash, and of the key's and the request's (`hash64`). */
export type ChargeKey = { readonly hash: bigint; readonly request: bigint };

export type NewCharge = {
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
  /** Who found out the usage; of a correction, that of what it corrects. */
  readonly meter: Meter;
  readonly late: "late" | "in_time";
  readonly latencyMs: number | null;
  readonly error: string | null;
  readonly holdId: string | null;
  readonly key: ChargeKey | null;
  /** Of a correction: which charge of the session, and where its cost came from until now. */
  readonly corrects: { readonly no: bigint; readonly was: CostSource } | null;
  readonly lines: readonly ToolLine[];
};

export type Recorded = {
  /** Of the last charge. */
  readonly id: string;
  readonly balances: readonly BalanceRow[];
  readonly totals: SessionTotals;
};

/** A charge's id: half of its session's id, which alone opens nothing, and its number in the session. */
export const chargeId = (sessionId: string, no: bigint): string => `chg_${sessionId.slice(4, 20)}-${no}`;

/**
 * Books a charge, whatever the limits say: the row itself, its session's totals, the balances of every scope and
 * in time the costs. Answers the new balances and totals. Every lock the transaction needs must be held before.
 */
export function* recordCharge(charge: NewCharge): Work<Recorded> {
  return yield* recordCharges(charge.session, [charge]);
}

/** The same for one or more charges of one session; what is derived from them is written once. Balances: of the last hour. */
export function* recordCharges(session: Session, charges: readonly NewCharge[]): Work<Recorded> {
  let balances: readonly BalanceRow[] = [];
  for (const [hour, some] of Map.groupBy(charges, (charge) => charge.hour)) {
    const amounts = some.map(({ usage, cost }) => amountsOf(usage, cost)).reduce(addAmounts);
    balances = yield* addToBalances(session.workspaceId, balanceKeys({ ...session, hour }), amounts, NOTHING);
  }
  const totals = yield* addToSession(session.id, charges.map(totalsOf).reduce(addTotals));
  yield* ensureNames(charges.flatMap(namesOf));
  const before = totals.charges - BigInt(charges.length);
  const seqs = yield* insertChargeRows(charges.map((charge, i) => valuesOf(charge, before + BigInt(i) + 1n)));
  const lines = charges.flatMap((charge, i) => charge.lines.map((line) => ({ ...line, seq: seqs[i] ?? 0n })));
  if (lines.length > 0) yield* insertLines(lines);
  yield* followCharges(
    session,
    charges.reduce((sum, { cost }) => sum + cost, 0n),
    totals,
  );
  if (yield* isFoldDue(session.workspaceId, seqs, lines.length)) yield* foldCosts(session.workspaceId);
  return { id: chargeId(session.id, totals.charges), balances, totals };
}

/** What a charge adds to its session. */
const totalsOf = ({ usage, cost, error }: NewCharge): SessionTotals => ({
  ...usage,
  cost,
  charges: 1n,
  errors: error === null ? 0n : 1n,
});

const namesOf = (charge: NewCharge): (string | null)[] => [
  charge.model,
  charge.provider,
  charge.tool,
  charge.priceList,
  ...charge.lines.map(({ tool }) => tool),
];

function* insertLines(lines: readonly (ToolLine & { readonly seq: bigint })[]): Work<void> {
  const numbers = yield* numbersOf(lines.map(({ tool }) => tool));
  const rows = lines.map(({ seq, tool, calls, cost }) => [seq, numbers.get(tool) ?? 0n, calls, cost]);
  for (const some of pieces(rows)) yield* all(insertToolRows(some.length), placed(some));
}

const TOOL_COLUMNS = ["seq", "tool_no", "calls", "cost_nano_usd"] as const;

const insertToolRows = family((count) =>
  statement((db, args: Arguments) =>
    db.insertInto("charge_tool_rows").values(rowsOf<ChargeToolRowsTable>(args, TOOL_COLUMNS, count)),
  ),
);

/** What a repeated report is answered with: the first one's charge. */
export type StoredCharge = {
  readonly id: string;
  readonly cost: Nano;
  readonly costSource: CostSource;
  readonly late: "late" | "in_time";
  /** See `ChargeKey`. */
  readonly request: bigint | null;
};

const byKey = statement((db, args: { sessionId: string; hash: bigint }) =>
  db
    .selectFrom("charge_rows")
    .select(["no", "cost_nano_usd", "cost_source", "late", "request_hash"])
    .where("session_no", "=", numberOf(args.sessionId))
    .where("key_hash", "=", args.hash),
);

export function* findChargeByKey(sessionId: string, hash: bigint): Work<StoredCharge | undefined> {
  const row = yield* first(byKey, { sessionId, hash });
  return (
    row && {
      id: chargeId(sessionId, row.no),
      cost: row.cost_nano_usd,
      costSource: costSourceOf(row.cost_source),
      late: row.late === 1n ? "late" : "in_time",
      request: row.request_hash,
    }
  );
}

export const costSourceOf = (number: bigint): CostSource => COST_SOURCES[Number(number)] as CostSource;

const ofHold = statement((db, args: { sessionId: string; holdId: string }) =>
  db
    .selectFrom("charge_rows")
    .select("source")
    .where("session_no", "=", numberOf(args.sessionId))
    .where("hold_id", "=", args.holdId)
    .where(
      "source",
      "in",
      [UNCONFIRMED, REVERSAL].map((source) => sql<bigint>`${sql.lit(source)}`),
    ),
);

const UNCONFIRMED = CHARGE_SOURCES.indexOf("unconfirmed");
const REVERSAL = CHARGE_SOURCES.indexOf("reversal");

/** Was a forgotten hold booked as a charge that nothing has taken back yet? */
export function* isBookedUnconfirmed(sessionId: string, holdId: string): Work<boolean> {
  const sources = (yield* all(ofHold, { sessionId, holdId })).map((row) => Number(row.source));
  return sources.includes(UNCONFIRMED) && !sources.includes(REVERSAL);
}

function valuesOf(charge: NewCharge, no: bigint): ChargeValues {
  const { session, usage } = charge;
  return {
    workspace: session.workspaceId,
    session: session.id,
    no,
    model: charge.model ?? "",
    provider: charge.provider ?? "",
    tool: charge.tool ?? "",
    occurred_at: BigInt(charge.occurredAt),
    recorded_after: BigInt(charge.recordedAt - charge.occurredAt),
    hour: calendarNumber(charge.hour),
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    cache_read_tokens: usage.cacheReadTokens,
    cache_write_tokens: usage.cacheWriteTokens,
    cache_write_1h_tokens: usage.cacheWrite1hTokens,
    tool_calls: usage.toolCalls,
    cost_nano_usd: charge.cost,
    reported_nano_usd: charge.reported,
    priced_nano_usd: charge.priced,
    cost_source: BigInt(COST_SOURCES.indexOf(charge.costSource)),
    price_list: charge.priceList ?? "",
    source: BigInt(CHARGE_SOURCES.indexOf(charge.source)),
    meter: BigInt(METERS.indexOf(charge.meter)),
    late: charge.late === "late" ? 1n : 0n,
    latency_ms: charge.latencyMs === null ? null : BigInt(charge.latencyMs),
    error: charge.error,
    hold_id: charge.holdId,
    key_hash: charge.key?.hash ?? null,
    request_hash: charge.key?.request ?? null,
    corrects_no: charge.corrects?.no ?? null,
    replaces: charge.corrects === null ? null : BigInt(COST_SOURCES.indexOf(charge.corrects.was)),
  };
}
