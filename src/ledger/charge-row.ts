// A charge's row: its columns, and how it gets its number and those of its names.
import { nextSeq } from "./books.ts";
import { numberOf } from "./names.ts";
import { statement, type Value } from "./statement.ts";
import type { ChargeRowsTable } from "./tables.ts";

type Plain = Omit<ChargeRowsTable, "seq" | "session_no" | "model_no" | "provider_no" | "tool_no" | "price_list_no">;
export type ChargeValues = Plain & {
  workspace: string;
  session: string;
  model: string;
  provider: string;
  tool: string;
  price_list: string;
};

/** Answers the charge's `seq`. */
export const insertCharge = statement((db, args: { [Name in keyof ChargeValues]: ChargeValues[Name] }) =>
  db
    .insertInto("charge_rows")
    .values({
      ...Object.fromEntries(PLAIN.map((column) => [column, args[column] as Value])),
      seq: nextSeq(args.workspace),
      session_no: numberOf(args.session),
      model_no: numberOf(args.model),
      provider_no: numberOf(args.provider),
      tool_no: numberOf(args.tool),
      price_list_no: numberOf(args.price_list),
    } as unknown as ChargeRowsTable)
    .returning("seq"),
);

const PLAIN = Object.keys({
  no: 0,
  occurred_at: 0,
  recorded_after: 0,
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
  source: 0,
  meter: 0,
  late: 0,
  latency_ms: 0,
  error: 0,
  hold_id: 0,
  key_hash: 0,
  request_hash: 0,
  corrects_no: 0,
  replaces: 0,
} satisfies Record<keyof Plain, 0>) as (keyof Plain)[];
