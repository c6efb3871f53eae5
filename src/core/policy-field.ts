// The kinds of value astra.yml is made of: amounts with their ceilings, ids and short texts, each saying what it expects.
import { z } from "zod";
import { callerId } from "./id.ts";
import { grouped, isPlainText } from "./plain-text.ts";

/** Ceilings that no sane policy reaches; they catch a slipped unit (1e308, cents for dollars, seconds for days). */
export const MAX_USD = 1_000_000;
const MAX_CENTS = MAX_USD * 100;
const MAX_TOKENS = 1_000_000_000_000;
const MAX_TOOL_CALLS = 1_000_000_000;
const MAX_DURATION_MS = 31 * 86_400_000;
const MAX_SPAWN_DEPTH = 100;
const MAX_CHILDREN = 1_000_000;

/** US dollars, 0 to 1,000,000; decimals past the ninth are rounded half up (see `money.ts`). */
export const usd = amount(MAX_USD, "a number of US dollars");
/** A limit in US dollars; null or absent = no limit, 0 blocks all. */
export const usdLimit = usd.nullable().optional();
export const cents = amount(MAX_CENTS, "a number of cents");
export const tokens = count(MAX_TOKENS, "tokens");
export const toolCalls = count(MAX_TOOL_CALLS, "tool calls");
export const durationMs = count(MAX_DURATION_MS, "milliseconds, 31 days at most");
export const spawnDepth = count(MAX_SPAWN_DEPTH, "levels");
export const children = count(MAX_CHILDREN, "children");

const SHARE_RULE = "expected a number above 0 and at most 1, such as 0.8";
/** A share of a whole, above 0 and at most 1. */
export const share = z.number({ error: SHARE_RULE }).gt(0, { error: SHARE_RULE }).max(1, { error: SHARE_RULE });

/** A name a mapping is keyed by: a tool, a model, a memory. The same rule as every caller's id. */
const idKey = z.string().refine((text) => callerId.safeParse(text).success, {
  error: "expected a name of 1-128 letters, digits or . _ : @ / # + - (NFC)",
});

const LABEL_RULE = "expected a text of 1-64 characters without control characters";
/** A short free text for people: a priority, a kind of task. */
export const label = z
  .string({ error: LABEL_RULE })
  .min(1, { error: LABEL_RULE })
  .max(64, { error: LABEL_RULE })
  .refine(isPlainText, { error: LABEL_RULE });

/** A number from 0 to the ceiling, decimals allowed. */
function amount(ceiling: number, what: string) {
  const error = `expected ${what} from 0 to ${grouped(ceiling)}`;
  return z.number({ error }).min(0, { error }).max(ceiling, { error });
}

/** A whole number from 0 to the ceiling. */
function count(ceiling: number, unit: string) {
  const error = `expected a whole number from 0 to ${grouped(ceiling)} (${unit})`;
  return z.int({ error }).min(0, { error }).max(ceiling, { error });
}

/** A mapping with exactly these keys; an unknown key is a fault. */
export function mapping<Shape extends z.core.$ZodLooseShape>(shape: Shape, what: string) {
  return z.strictObject(shape, { error: `expected ${what}` });
}

/** A mapping whose keys are the operator's own names. */
export function mapFrom<Value extends z.ZodType>(value: Value, what: string) {
  return z.record(idKey, value, { error: `expected ${what}` });
}

/** A list; an entry that is wrong is named by its place in it. */
export function listOf<Item extends z.ZodType>(item: Item, what: string) {
  return z.array(item, { error: `expected a list of ${what}, each on its own line after "- "` });
}

/** One of a few words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: `expected one of ${words.join(", ")}` });
}
