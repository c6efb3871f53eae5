// Executions: what an ended session counts as, its score, and the fitness of many, in whole millionths.
import { monthOf } from "./balance-key.ts";
import type { Limit } from "./limits.ts";
import type { Nano } from "./money.ts";
import { isExhausted } from "./verdict.ts";
import { weekOf } from "./window.ts";

/**
 * How a session ended: as it was said to, `over_budget` when it was said to be a success with a limit of its own used
 * up, or `expired` when nobody ended it.
 */
export const OUTCOMES = ["success", "error", "cancelled", "over_budget", "expired"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** `ownLimits`: the session's, with what it and everything below it had used at its end. */
export function outcomeOf(status: "success" | "error" | "cancelled", ownLimits: readonly Limit[]): Outcome {
  return status === "success" && ownLimits.some(isExhausted) ? "over_budget" : status;
}

export type Execution = {
  readonly outcome: Outcome;
  readonly cost: Nano;
  /** Null = not known. */
  readonly costLimit: Nano | null;
  readonly latencyMs: bigint;
  readonly timeLimitMs: bigint;
};

/** A score of 1 is a million; what each part of it can come to. */
const WHOLE = 1_000_000n;
const SUCCESS = 600_000n;
const COST = 250_000n;
const TIME = 150_000n;

/**
 * The score of one execution, 0 to a million; the view `execution_log` says the same in SQL. What failed scores nothing
 * however little it used: to give up at once must not pay.
 */
export function scoreOf({ outcome, cost, costLimit, latencyMs, timeLimitMs }: Execution): bigint {
  if (outcome !== "success") return 0n;
  return SUCCESS + (costLimit === null ? COST / 2n : left(COST, cost, costLimit)) + left(TIME, latencyMs, timeLimitMs);
}

/** Of the part that a limit counts for, what was left of the limit. */
function left(part: bigint, used: bigint, limit: bigint): bigint {
  if (used === 0n) return part;
  if (used >= limit) return 0n;
  // SQL has 64 bits for the product: both sides are made smaller alike.
  const scale = limit / 10_000_000_000_000n + 1n;
  return part - (part * (used / scale)) / (limit / scale);
}

/** The fitness of a group: its mean score, as if two more executions had scored one half each. */
export function fitnessOf(executions: bigint, scores: bigint): bigint {
  return (scores + WHOLE) / (executions + 2n);
}

/** The share of a count in another, which must not be zero. */
export function ppmOf(part: bigint, whole: bigint): bigint {
  return (part * WHOLE) / whole;
}

export const EXECUTION_WINDOWS = ["day", "week", "month"] as const;
export type ExecutionWindow = (typeof EXECUTION_WINDOWS)[number];

/** The calendar windows an execution counts in, by the local day of its end. */
export function executionWindows(day: string): readonly { readonly kind: ExecutionWindow; readonly key: string }[] {
  return [
    { kind: "day", key: day },
    { kind: "week", key: weekOf(day) },
    { kind: "month", key: monthOf(day) },
  ];
}
