// The parts that all session files have in common: an object on a line, token counts, times, tool calls.
import { z } from "zod";

/** More than any response can have; a larger count is a damaged file. */
export const MAX_COUNT = 1_000_000_000;

/** A count of one response. */
export const count = z.int().min(0).max(MAX_COUNT);

/** A count that older versions or other providers leave out or leave empty: 0. */
export const countOrNone = count.nullish().transform((given) => given ?? 0);

/** Epoch ms of an ISO time; no coding agent wrote anything before 1970. */
export const instant = z.iso
  .datetime({ offset: true })
  .transform((text) => Date.parse(text))
  .pipe(z.number().min(0));

/** What is wrong with a line that should tell of spending: its format changed, or the file is damaged. */
export type LineFault = "not_json" | "no_usage" | "bad_usage" | "bad_id" | "bad_model" | "bad_time";

export type FaultyLine<What = LineFault> = { readonly kind: "fault"; readonly what: What };

/** What only Anthropic's responses tell, as all others have it. */
export const PLAIN = {
  provider: null,
  cacheWriteTokens: 0,
  cacheWrite1hTokens: 0,
  webSearches: 0,
  speed: "standard",
  region: null,
  toolCalls: [],
} as const;

export type JsonObject = Readonly<Record<string, unknown>>;

/** The object on the line; null if the line is anything else. */
export function objectOn(line: Buffer): JsonObject | null {
  try {
    return asObject(JSON.parse(line.toString("utf8")));
  } catch {
    return null;
  }
}

export function asObject(value: unknown): JsonObject | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}
