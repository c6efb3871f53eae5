// What a record of an import may say, besides the form of its columns: whatever could not have been booked is refused.
import { METERS } from "../core/metered.ts";
import { NANO_PER_USD } from "../core/money.ts";
import { chargeId } from "../ledger/charges.ts";
import type { ReadRecord } from "./charge-record.ts";
import { checkTree } from "./import-session.ts";
import { MOST_USD } from "./input.ts";
import { invalidInput } from "./operation.ts";
import { instantOut } from "./output.ts";

type Column = keyof ReadRecord;
const COUNTS = [
  "input_tokens",
  "output_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "cache_write_1h_tokens",
  "tool_calls",
] as const satisfies readonly Column[];

/** Clocks differ a little. */
const MOST_AHEAD_MS = 60_000;
const EARLIEST = Date.parse("2000-01-01T00:00:00Z");
const DAY_MS = 86_400_000;
/** Of a hold that was never reported: no report says so much, but the dearest model's estimate may. */
const MOST_ESTIMATED = 1_000_000n * NANO_PER_USD;

/** Throws `invalid_input` at the first column that cannot be. `path` is the record's. */
export function checkRecord(record: ReadRecord, path: string, now: number): void {
  const expect = (holds: boolean, column: Column, expected: string) => {
    if (!holds) throw invalidInput(`${path}.${column}`, `expected ${expected}`);
  };
  const ofSession = chargeId(record.session_id, 0n).slice(0, -1);
  expect(record.charge_id.startsWith(ofSession), "charge_id", `an id of session_id: ${ofSession} and a number`);
  checkTree(record, path);
  checkTimes(record, expect, now);
  checkCounts(record, expect);
  const { source, corrects } = record;
  // A correction has what it corrects, an import that is exported again what it had.
  if (source !== "correction" && source !== "imported") {
    const meter = METERS.find((name) => name === source && name !== "self_reported") ?? null;
    expect(record.metered_by === meter, "metered_by", meter === null ? `nothing for a ${source} charge` : meter);
  }
  if (source === "correction") {
    const isOther = corrects?.startsWith(ofSession) === true && corrects !== record.charge_id;
    expect(isOther, "corrects", "the id of the charge of the same session that is corrected");
    expect(record.error === null, "error", "nothing in a correction");
  } else expect(corrects === null, "corrects", "nothing but in a correction");
  if (source === "reversal") expect(record.hold_id !== null, "hold_id", "the hold whose estimate is taken back");
}

type Expect = (holds: boolean, column: Column, expected: string) => void;

function checkTimes(record: ReadRecord, expect: Expect, now: number): void {
  const latest = now + MOST_AHEAD_MS;
  const isPast = (at: number) => EARLIEST <= at && at <= latest;
  const past = `an instant from 2000 to now (${instantOut(now)})`;
  expect(isPast(record.occurred_at), "occurred_at", past);
  expect(isPast(record.recorded_at), "recorded_at", past);
  expect(record.recorded_at >= record.occurred_at, "recorded_at", "an instant not before occurred_at");
  expect(isPast(record.session_opened_at), "session_opened_at", past);
  expect(record.session_ended_at === null || isPast(record.session_ended_at), "session_ended_at", past);
  const areAncestorsPast = record.ancestors.every(
    ({ opened_at, ended_at }) => isPast(opened_at) && (ended_at === null || isPast(ended_at)),
  );
  expect(areAncestorsPast, "ancestors", past);
  // A charge that settled a hold counts where the hold was made, at any time before; a zone is half a day from UTC.
  const hourAt = Date.parse(`${record.hour}:00:00Z`);
  expect(
    EARLIEST <= hourAt && hourAt <= record.occurred_at + DAY_MS,
    "hour",
    "the local hour of occurred_at, or before",
  );
}

function checkCounts(record: ReadRecord, expect: Expect): void {
  const { source, tools, cost_usd: cost } = record;
  const isReversal = source === "reversal";
  const isCorrection = source === "correction";
  const most = record.cost_source === "estimate" ? MOST_ESTIMATED : BigInt(MOST_USD) * NANO_PER_USD;
  const mostText = `at most ${most / NANO_PER_USD} dollars`;
  for (const column of ["cost_usd", "reported_usd", "priced_usd"] as const) {
    const amount = record[column] ?? 0n;
    expect(-most <= amount && amount <= most, column, mostText);
    const mayBeLess = column === "cost_usd" && (isReversal || isCorrection);
    expect(mayBeLess || amount >= 0n, column, "0 or more dollars");
  }
  for (const column of COUNTS) {
    if (isCorrection) expect(record[column] === 0n, column, "0 in a correction");
    else expect(isReversal || record[column] >= 0n, column, "0 or more");
  }
  const { cache_write_1h_tokens: forAnHour, cache_write_tokens: written } = record;
  expect(0n <= forAnHour && forAnHour <= written, "cache_write_1h_tokens", "at most cache_write_tokens");
  if (isReversal || isCorrection) {
    expect(tools.length === 0, "tools", `an empty list in a ${source}`);
    return;
  }
  expect(new Set(tools.map((line) => line.tool)).size === tools.length, "tools", "each tool once");
  const isPositive = tools.every((line) => line.calls >= 0n && line.cost_usd >= 0n);
  expect(isPositive, "tools", "0 or more calls and dollars");
  const parts = tools.reduce((sum, line) => sum + line.cost_usd, 0n);
  expect(cost >= parts, "cost_usd", "at least what its tools cost");
  const calls = tools.reduce((sum, line) => sum + line.calls, 0n);
  expect(record.tool_calls >= calls, "tool_calls", "at least the calls of its tools");
}
