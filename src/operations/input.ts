// The pieces that inputs are made of: strict, bounded, and described for a model.
import { z } from "zod";
import { BUDGET_FIELDS, type Budget, type BudgetField } from "../core/budget.ts";
import { nanoFromCents, nanoFromUsd } from "../core/money.ts";
import { isCalendarDate } from "../core/window.ts";

/** The most tokens of one kind in one report; also far below what could overflow a sum. */
const MOST_TOKENS = 1_000_000_000;
/** The most dollars in one report: 900,000 such reports fit a 64-bit sum of nano-dollars. */
export const MOST_USD = 10_000;
export const MOST_NANO = BigInt(MOST_USD) * 1_000_000_000n;

const number = (expected: string) => z.number({ error: `expected ${expected}` });
const text = (expected: string) => z.string({ error: `expected ${expected}` });

export const tokens = number("a whole number of tokens, 0 to 1,000,000,000")
  .int({ error: "expected a whole number of tokens" })
  .min(0, { error: "expected 0 or more tokens" })
  .max(MOST_TOKENS, { error: "expected at most 1,000,000,000 tokens; report in parts" });

export const calls = number("a whole number of calls, 0 to 1,000,000")
  .int({ error: "expected a whole number of calls" })
  .min(0, { error: "expected 0 or more calls" })
  .max(1_000_000, { error: "expected at most 1,000,000 calls" });

/** Dollars in, nano-dollars out; decimals past the ninth are rounded half up, once, here. */
export const usd = number("a number of dollars, 0 to 10,000")
  .min(0, { error: "expected 0 or more dollars" })
  .max(MOST_USD, { error: "expected at most 10,000 dollars; report in parts" })
  .transform(nanoFromUsd);

/** A limit in dollars, up to a billion; nano-dollars out. */
export const usdLimit = number("a number of dollars, 0 or more")
  .min(0, { error: "expected 0 or more dollars" })
  .max(1e9, { error: "expected at most 1,000,000,000 dollars" })
  .transform(nanoFromUsd);

/** An id that we made: shape only; whether it exists is the ledger's to say. */
export const ourId = (kind: "session" | "hold" | "stop" | "grant" | "key" | "incident" | "delivery") =>
  text(`the ${kind}_id that was returned to you`).regex(/^[a-z0-9_]{1,64}$/, {
    error: `expected the ${kind}_id that was returned to you`,
  });

export const idempotencyKey = text("a key of 1-128 printable characters").regex(/^[\x21-\x7e]{1,128}$/, {
  error: "expected 1-128 printable ASCII characters without spaces",
});

/** What a provider calls a response of a model. It is never stored, only its hash. */
export const responseId = text("the id of a response, such as msg_…").regex(/^[\x21-\x7e]{1,200}$/, {
  error: "expected 1-200 printable ASCII characters without spaces",
});

/** Free text that is stored and shown to people only: no control characters, no lone surrogates. */
export const freeText = (most: number) =>
  text(`a text of at most ${most} characters`)
    .max(most, { error: `expected at most ${most} characters` })
    .refine((value) => value.isWellFormed() && !/[^\P{Cc}\n\r\t]|[\u202a-\u202e\u2066-\u2069]/u.test(value), {
      error: "expected text without control characters, direction overrides or broken Unicode",
    });

/** Why an operator does something; for the audit, and for a stop also for the agents. */
export const reason = freeText(300).refine((value) => value.trim() !== "", { error: "expected a reason, in words" });

/** The same where it may be left out. */
export const why = freeText(300).optional().describe("Why, for the audit.");

export const date = text("a date YYYY-MM-DD").refine(isCalendarDate, {
  error: "expected a date of the calendar, YYYY-MM-DD",
});

/** An instant, ISO 8601 with its offset; epoch milliseconds out. */
export const instant = text("an instant such as 2026-11-22T13:00:00Z")
  .pipe(z.iso.datetime({ offset: true, error: "expected an instant such as 2026-11-22T13:00:00Z" }))
  .transform((value) => Date.parse(value));

const budgetNumber = (what: string) =>
  number(what)
    .min(0, { error: `expected ${what}, 0 or more` })
    .max(1e12, { error: `expected ${what}, at most 1e12` });
const budgetCount = (what: string) =>
  budgetNumber(what)
    .int({ error: `expected ${what}` })
    .transform(BigInt);

/** A budget on the wire: astra.yml's fields in snake_case. */
export const budgetInput = z
  .strictObject({
    max_prompt_tokens: budgetCount("a whole number of tokens"),
    max_completion_tokens: budgetCount("a whole number of tokens"),
    max_total_tokens: budgetCount("a whole number of tokens"),
    max_cost_cents: budgetNumber("a number of cents").transform(nanoFromCents),
    max_tool_calls: budgetCount("a whole number of calls"),
    max_duration: budgetCount("a whole number of milliseconds"),
    max_spawn_depth: budgetCount("a whole number of levels"),
    max_child_agents: budgetCount("a whole number of children"),
  } satisfies Record<WireField, unknown>)
  .partial();

/** snake_case of a budget field. */
export type WireField = (typeof WIRE_FIELDS)[BudgetField];

export const WIRE_FIELDS = {
  maxPromptTokens: "max_prompt_tokens",
  maxCompletionTokens: "max_completion_tokens",
  maxTotalTokens: "max_total_tokens",
  maxCostCents: "max_cost_cents",
  maxToolCalls: "max_tool_calls",
  maxDuration: "max_duration",
  maxSpawnDepth: "max_spawn_depth",
  maxChildAgents: "max_child_agents",
} as const satisfies Record<BudgetField, string>;

export function budgetFromWire(wire: z.output<typeof budgetInput> | undefined): Partial<Budget> {
  const entries = BUDGET_FIELDS.map((field) => [field, wire?.[WIRE_FIELDS[field]]] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
