// A charge as a record: all that another ledger needs to book it as it was. What exports write and imports read.
import { z } from "zod";
import { callerId } from "../core/id.ts";
import { METERS } from "../core/metered.ts";
import { EXACT_USD, nanoFromText, usdText } from "../core/money.ts";
import { isCalendarDate } from "../core/window.ts";
import type { ListedCharge } from "../ledger/charge-list.ts";
import { chargeId } from "../ledger/charges.ts";
import type { Session } from "../ledger/session-row.ts";
import { COST_SOURCES, SHOWN_SOURCES } from "../ledger/tables.ts";
import { freeText, instant } from "./input.ts";
import { instantOut } from "./output.ts";

const text = (expected: string, pattern: RegExp) =>
  z.string({ error: `expected ${expected}` }).regex(pattern, { error: `expected ${expected}` });

const sessionId = text("the id of a session, e.g. ses_01…", /^[a-z0-9_]{1,64}$/);
const chargeIdText = text("the id of a charge, e.g. chg_01…-1", /^chg_[a-z0-9_]{1,16}-[1-9]\d{0,11}$/);

/** Exact, as text: no program on the way can round it. */
const usd = text("an exact number of dollars such as 0.075", EXACT_USD).transform(nanoFromText);

/** Below 0 only where a reversal takes something back. */
const count = (what: string, most: number) =>
  z
    .int({ error: `expected a whole number of ${what}` })
    .min(-most, { error: `expected at least -${most}` })
    .max(most, { error: `expected at most ${most}` })
    .transform(BigInt);
const tokens = count("tokens", 1_000_000_000);
const calls = count("calls", 1_000_000_000);

const hour = text("a local hour such as 2026-11-22T13", /^\d{4}-\d\d-\d\dT([01]\d|2[0-3])$/).refine(
  (value) => isCalendarDate(value.slice(0, 10)),
  { error: "expected an hour of a day of the calendar" },
);

const flag = z.boolean({ error: "expected true or false" });
const oneOf = <const T extends readonly string[]>(values: T) =>
  z.enum(values, { error: `expected one of ${values.join(", ")}` });
const status = oneOf(["open", "success", "error", "cancelled"]);

const toolLine = z.strictObject({ tool: callerId, calls, cost_usd: usd });

const ancestor = z.strictObject({
  session_id: sessionId,
  agent_id: callerId,
  role: callerId.nullable(),
  team_id: callerId.nullable(),
  task_id: callerId.nullable(),
  user_id: callerId.nullable(),
  status,
  opened_at: instant,
  ended_at: instant.nullable(),
});

/** Every column is there; null where it says nothing. */
export const chargeRecord = z.strictObject({
  charge_id: chargeIdText,
  session_id: sessionId,
  parent_session_id: sessionId.nullable(),
  root_session_id: sessionId,
  agent_id: callerId,
  role: callerId.nullable(),
  team_id: callerId.nullable(),
  task_id: callerId.nullable(),
  user_id: callerId.nullable(),
  session_status: status,
  session_opened_at: instant,
  session_ended_at: instant.nullable(),
  /** The sessions above, the root first. */
  ancestors: z.array(ancestor).max(100),
  model: callerId.nullable(),
  provider: callerId.nullable(),
  tool: callerId.nullable(),
  tools: z.array(toolLine).max(200),
  occurred_at: instant,
  recorded_at: instant,
  hour,
  input_tokens: tokens,
  output_tokens: tokens,
  cache_read_tokens: tokens,
  cache_write_tokens: tokens,
  cache_write_1h_tokens: tokens,
  tool_calls: calls,
  cost_usd: usd,
  reported_usd: usd.nullable(),
  priced_usd: usd.nullable(),
  cost_source: oneOf(COST_SOURCES),
  price_list: freeText(200).nullable(),
  source: oneOf(SHOWN_SOURCES),
  /** Files of before there were meters have no such column. */
  metered_by: oneOf(METERS).exclude(["self_reported"]).nullable().default(null),
  late: flag,
  latency_ms: z
    .int({ error: "expected whole milliseconds" })
    .min(0, { error: "expected 0 or more ms" })
    .max(86_400_000, { error: "expected at most a day" })
    .nullable(),
  error: freeText(500).nullable(),
  hold_id: text("the id of a hold, e.g. hld_01…", /^[a-z0-9_]{1,64}$/).nullable(),
  corrects: chargeIdText.nullable(),
});

/** As it is written: money and instants as texts, counts as numbers. */
export type ChargeRecord = Required<z.input<typeof chargeRecord>>;
/** As it is read. */
export type ReadRecord = z.output<typeof chargeRecord>;

/** The columns in their order, and what a cell of text holds. */
type Kind = "text" | "number" | "money" | "flag" | "json";
export const CHARGE_COLUMNS = Object.entries({
  charge_id: "text",
  session_id: "text",
  parent_session_id: "text",
  root_session_id: "text",
  agent_id: "text",
  role: "text",
  team_id: "text",
  task_id: "text",
  user_id: "text",
  session_status: "text",
  session_opened_at: "text",
  session_ended_at: "text",
  ancestors: "json",
  model: "text",
  provider: "text",
  tool: "text",
  tools: "json",
  occurred_at: "text",
  recorded_at: "text",
  hour: "text",
  input_tokens: "number",
  output_tokens: "number",
  cache_read_tokens: "number",
  cache_write_tokens: "number",
  cache_write_1h_tokens: "number",
  tool_calls: "number",
  cost_usd: "money",
  reported_usd: "money",
  priced_usd: "money",
  cost_source: "text",
  price_list: "text",
  source: "text",
  metered_by: "text",
  late: "flag",
  latency_ms: "number",
  error: "text",
  hold_id: "text",
  corrects: "text",
} satisfies Record<keyof ChargeRecord, Kind>) as (readonly [keyof ChargeRecord, Kind])[];

const usdOrNull = (nano: bigint | null): string | null => (nano === null ? null : usdText(nano));
const instantOrNull = (ms: bigint | null): string | null => (ms === null ? null : instantOut(Number(ms)));

export function recordOf(charge: ListedCharge, ancestors: readonly Session[]): ChargeRecord {
  const { session_id } = charge;
  return {
    charge_id: charge.id,
    session_id,
    parent_session_id: charge.parent_session_id,
    root_session_id: charge.path.split("/")[0] ?? session_id,
    agent_id: charge.agent_id,
    role: charge.role,
    team_id: charge.team_id,
    task_id: charge.task_id,
    user_id: charge.user_id,
    session_status: charge.session_status,
    session_opened_at: instantOut(Number(charge.opened_at)),
    session_ended_at: instantOrNull(charge.ended_at),
    ancestors: ancestors.map(ancestorOut),
    model: charge.model,
    provider: charge.provider,
    tool: charge.tool,
    tools: charge.lines.map(({ tool, calls, cost }) => ({ tool, calls: Number(calls), cost_usd: usdText(cost) })),
    occurred_at: instantOut(Number(charge.occurred_at)),
    recorded_at: instantOut(Number(charge.recorded_at)),
    hour: charge.hour,
    input_tokens: Number(charge.input_tokens),
    output_tokens: Number(charge.output_tokens),
    cache_read_tokens: Number(charge.cache_read_tokens),
    cache_write_tokens: Number(charge.cache_write_tokens),
    cache_write_1h_tokens: Number(charge.cache_write_1h_tokens),
    tool_calls: Number(charge.tool_calls),
    cost_usd: usdText(charge.cost_nano_usd),
    reported_usd: usdOrNull(charge.reported_nano_usd),
    priced_usd: usdOrNull(charge.priced_nano_usd),
    cost_source: charge.cost_source,
    price_list: charge.price_list,
    source: charge.source,
    metered_by: charge.metered_by,
    late: charge.late === 1n,
    latency_ms: charge.latency_ms === null ? null : Number(charge.latency_ms),
    error: charge.error,
    hold_id: charge.hold_id,
    corrects: charge.corrects_no === null ? null : chargeId(session_id, charge.corrects_no),
  };
}

const ancestorOut = (session: Session): ChargeRecord["ancestors"][number] => ({
  session_id: session.id,
  agent_id: session.agentId,
  role: session.role,
  team_id: session.teamId,
  task_id: session.taskId,
  user_id: session.userId,
  status: session.status,
  opened_at: instantOut(session.openedAt),
  ended_at: session.endedAt === null ? null : instantOut(session.endedAt),
});
