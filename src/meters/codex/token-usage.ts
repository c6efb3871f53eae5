// Codex's token counts: a response's own, or the steps of a thread's running total.
import { z } from "zod";
import { count, countOrNone, type JsonObject, MAX_COUNT } from "../json-line.ts";

/** As OpenAI counts: input includes what was cached, output includes what was thought. */
export type Usage = {
  readonly input: number;
  readonly cached: number;
  readonly written: number;
  readonly output: number;
};

/** Far more than a thread can reach. */
const MAX_TOTAL = 1_000_000_000_000;
const total = z.int().min(0).max(MAX_TOTAL);
const totalOrNone = total.nullish().transform((given) => given ?? 0);

const shapeOf = (one: typeof count, oneOrNone: typeof countOrNone) =>
  z
    .object({
      input_tokens: one,
      cached_input_tokens: oneOrNone,
      cache_write_input_tokens: oneOrNone,
      output_tokens: one,
    })
    .transform(
      (given): Usage => ({
        input: given.input_tokens,
        cached: given.cached_input_tokens,
        written: given.cache_write_input_tokens,
        output: given.output_tokens,
      }),
    );
const responseShape = shapeOf(count, countOrNone);
const totalShape = shapeOf(total, totalOrNone);

/** Null if a count is none. */
export function responseUsage(given: unknown): Usage | null {
  return responseShape.safeParse(given).data ?? null;
}

/** The kinds of input apart, as the ledger has them. Should the parts exceed the whole, the parts hold. */
export function exclusive(usage: Usage) {
  return {
    inputTokens: Math.max(0, usage.input - usage.cached - usage.written),
    outputTokens: usage.output,
    cacheReadTokens: usage.cached,
    cacheWriteTokens: usage.written,
  };
}

/** What one event adds; `usage` is null where it only repeats the total before. */
type Step = { readonly total: Usage; readonly usage: Usage | null };

/** A thread's running total, of which each event is a step. */
export class TotalUsage {
  private before: Usage | null = null;

  /**
   * Null if the event is damaged. A file's first event counts as its last response only: the total may go on from
   * another file. So does one below the total before it, which began anew.
   */
  next(info: JsonObject): Step | null {
    const { data: total } = totalShape.safeParse(info.total_token_usage);
    if (!total) return null;
    const { before } = this;
    this.before = total;
    if (before && FIELDS.every((field) => total[field] === before[field])) return { total, usage: null };
    const grown = before !== null && FIELDS.every((field) => total[field] >= before[field]);
    const usage = grown ? difference(total, before) : (responseUsage(info.last_token_usage) ?? total);
    return FIELDS.every((field) => usage[field] <= MAX_COUNT) ? { total, usage } : null;
  }
}

const FIELDS = ["input", "cached", "written", "output"] as const;

function difference(total: Usage, before: Usage): Usage {
  return {
    input: total.input - before.input,
    cached: total.cached - before.cached,
    written: total.written - before.written,
    output: total.output - before.output,
  };
}
