// A record of an import as the charge that is booked for it, and what corrections and reversals must find before them.
import type { Usage } from "../core/usage.ts";
import { estimatesOfHold } from "../ledger/charge-import.ts";
import type { NewCharge } from "../ledger/charges.ts";
import { inForce } from "../ledger/corrections.ts";
import type { Session } from "../ledger/session-row.ts";
import type { Work } from "../ledger/statement.ts";
import type { ReadRecord } from "./charge-record.ts";
import type { KnownCharges } from "./import-known.ts";
import { invalidInput } from "./operation.ts";

/** `unchecked`: what the record is about is not there. */
export function* bookedAs(
  record: ReadRecord,
  session: Session,
  known: KnownCharges,
  path: string,
): Work<NewCharge | "unchecked"> {
  const charge = plainCharge(record, session, known);
  if (record.source === "correction") return yield* correctionOf(charge, record, known, path);
  if (record.source === "reversal") return yield* reversalOf(charge, record, path);
  return charge;
}

function plainCharge(record: ReadRecord, session: Session, known: KnownCharges): NewCharge {
  return {
    session,
    model: record.model,
    provider: record.provider,
    tool: record.tool,
    occurredAt: record.occurred_at,
    recordedAt: record.recorded_at,
    hour: record.hour,
    usage: usageOf(record),
    cost: record.cost_usd,
    reported: record.reported_usd,
    priced: record.priced_usd,
    costSource: record.cost_source,
    priceList: record.price_list,
    source: "imported",
    meter: record.metered_by ?? "self_reported",
    late: record.late ? "late" : "in_time",
    latencyMs: record.latency_ms,
    error: record.error,
    holdId: record.hold_id,
    key: known.keyOf(record.charge_id),
    corrects: null,
    lines: record.tools.map(({ tool, calls, cost_usd: cost }) => ({ tool, calls, cost })),
  };
}

const usageOf = (record: ReadRecord): Usage => ({
  inputTokens: record.input_tokens,
  outputTokens: record.output_tokens,
  cacheReadTokens: record.cache_read_tokens,
  cacheWriteTokens: record.cache_write_tokens,
  cacheWrite1hTokens: record.cache_write_1h_tokens,
  toolCalls: record.tool_calls,
});

/** It must be of the same kind as what it corrects: no sum may fall below zero. */
function* correctionOf(
  charge: NewCharge,
  record: ReadRecord,
  known: KnownCharges,
  path: string,
): Work<NewCharge | "unchecked"> {
  const target = yield* known.find(record.session_id, record.corrects ?? "");
  if (!target) return "unchecked";
  if (target.source === "correction" || target.source === "reversal")
    throw invalidInput(`${path}.corrects`, `expected a charge; this is a ${target.source}`);
  for (const column of ["hour", "model", "provider", "tool", "metered_by"] as const)
    if (record[column] !== target[column])
      throw invalidInput(`${path}.${column}`, `expected ${target[column] ?? "nothing"}, as of what it corrects`);
  const now = yield* inForce(target);
  if (now.cost + charge.cost < now.toolCost)
    throw invalidInput(`${path}.cost_usd`, "expected to take back no more than the charge still counts for");
  return { ...charge, source: "correction", corrects: { no: target.no, was: now.costSource } };
}

/** It takes back exactly what a forgotten hold was booked as, once. */
function* reversalOf(charge: NewCharge, record: ReadRecord, path: string): Work<NewCharge | "unchecked"> {
  const booked = yield* estimatesOfHold(record.session_id, record.hold_id ?? "");
  const [estimate] = booked;
  if (!estimate) return "unchecked";
  if (booked.some((each) => each.source === "reversal"))
    throw invalidInput(`${path}.hold_id`, "expected a hold whose estimate was not taken back yet");
  if (record.hour !== estimate.hour)
    throw invalidInput(`${path}.hour`, `expected ${estimate.hour}, as of what it takes back`);
  const isExact =
    record.cost_usd === -estimate.cost_nano_usd &&
    record.cost_source === "estimate" &&
    record.model === estimate.model &&
    record.provider === estimate.provider &&
    record.tool === estimate.tool &&
    record.input_tokens === -estimate.input_tokens &&
    record.output_tokens === -estimate.output_tokens &&
    record.cache_read_tokens === -estimate.cache_read_tokens &&
    record.cache_write_tokens === -estimate.cache_write_tokens &&
    record.tool_calls === -estimate.tool_calls;
  if (!isExact) throw invalidInput(`${path}.cost_usd`, "expected to take back exactly what was booked for the hold");
  return { ...charge, source: "reversal" };
}
