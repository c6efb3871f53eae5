// The pieces that answers are made of, and the verdict as it goes over the wire.
import { z } from "zod";
import { BUDGET_FIELDS, type Budget } from "../core/budget.ts";
import type { Clamp } from "../core/inheritance.ts";
import { type Limit, type Measure, max, remainingOf } from "../core/limits.ts";
import { centsFromNano, type Nano, usdFromNano } from "../core/money.ts";
import type { Verdict } from "../core/verdict.ts";
import type { Session } from "../ledger/session-row.ts";
import { WIRE_FIELDS } from "./input.ts";

/** Only what callers rely on is named; more may come beside it. */
export const verdictOutput = z.looseObject({
  decision: z.enum(["allow", "warn", "deny"]),
  message: z.string(),
  binding: z.looseObject({}).nullable(),
  limits: z.array(z.looseObject({})),
});

export const usdOutput = z.number();
export const usdOrNull = z.number().nullable();

export const usdOf = (nano: Nano | null | undefined): number | null =>
  nano === null || nano === undefined ? null : usdFromNano(nano);

/** A limit's numbers: dollars, tokens, calls, or milliseconds, by its measure. */
export function limitOut(limit: Limit) {
  const used = limit.spent + limit.held;
  return {
    scope: limit.scope,
    scope_id: limit.scopeId,
    window: limit.window,
    measure: limit.measure,
    limit: amountOut(limit.measure, limit.limit),
    spent: amountOut(limit.measure, limit.spent),
    held: amountOut(limit.measure, limit.held),
    remaining: amountOut(limit.measure, remainingOf(limit)),
    overspend: amountOut(limit.measure, max(0n, used - limit.limit)),
    resets_at: limit.resetsAt === null ? null : instantOut(limit.resetsAt),
  };
}

export function verdictOut(verdict: Verdict) {
  const { binding } = verdict;
  return {
    decision: verdict.decision,
    message: verdict.message,
    binding: binding && {
      kind: binding.kind,
      scope: binding.scope,
      scope_id: binding.scopeId,
      window: binding.window,
      measure: binding.measure,
    },
    limits: verdict.limits.map(limitOut),
  };
}

/** A share or score in millionths as a number from 0 to 1. */
export const fractionOut = (ppm: bigint | null): number | null => (ppm === null ? null : Number(ppm) / 1e6);

/** Dollars, or a count, by the measure. */
export const amountOut = (measure: Measure, value: bigint): number =>
  measure === "cost_usd" ? usdFromNano(value) : Number(value);

/** ISO 8601 in UTC, to the millisecond. Remembered: verdicts name the same few instants again and again. */
export function instantOut(ms: number): string {
  const known = instants.get(ms);
  if (known !== undefined) return known;
  if (instants.size >= 100) instants.clear();
  const text = new Date(ms).toISOString();
  instants.set(ms, text);
  return text;
}

const instants = new Map<number, string>();

export function budgetOut(budget: Budget): Record<string, number> {
  return Object.fromEntries(BUDGET_FIELDS.map((field) => [WIRE_FIELDS[field], budgetValueOut(field, budget[field])]));
}

/** `max_cost_cents` in cents, the rest as counts and milliseconds. */
export function budgetValueOut(field: keyof Budget, value: bigint): number {
  return field === "maxCostCents" ? centsFromNano(value) : Number(value);
}

export function clampOut(clamp: Clamp): Record<string, unknown> {
  return {
    field: WIRE_FIELDS[clamp.field],
    asked: budgetValueOut(clamp.field, clamp.asked),
    to: budgetValueOut(clamp.field, clamp.to),
    by: clamp.by,
  };
}

/** Past its deadline a session is expired, whether or not it has been ended yet. */
export function statusOut({ status, expiresAt, execution }: Session, now: number): Session["status"] | "expired" {
  const isOverdue = status === "open" && expiresAt <= now;
  return isOverdue || execution?.outcome === "expired" ? "expired" : status;
}

/** A session's own totals, and what it and all its descendants came to. */
export function totalsOut(session: Session, treeCost: bigint) {
  const { totals } = session;
  return {
    input_tokens: Number(totals.inputTokens),
    output_tokens: Number(totals.outputTokens),
    cache_read_tokens: Number(totals.cacheReadTokens),
    cache_write_tokens: Number(totals.cacheWriteTokens),
    tool_calls: Number(totals.toolCalls),
    charges: Number(totals.charges),
    cost_usd: usdFromNano(totals.cost),
    tree_cost_usd: usdFromNano(treeCost),
  };
}

export const totalsOutput = z.looseObject({ cost_usd: usdOutput, tree_cost_usd: usdOutput });
