// The limits of get_now: those over many sessions, the fullest first, each with how it stands.
import type { Limit } from "../core/limits.ts";
import type { Policy } from "../core/policy.ts";
import { type Decision, decideLimit, isExhausted, NO_ASK } from "../core/verdict.ts";
import { capReachedAt } from "./cost-forecast.ts";
import { limitOut } from "./output.ts";

/** A page shows no more. */
const MOST_LIMITS = 60;

const STATES = { allow: "ok", warn: "warn", deny: "over" } as const satisfies Record<Decision, string>;

export function limitLines(policy: Policy, limits: readonly Limit[], now: number) {
  // Sorting is stable: of equally full ones the order of the policy stands.
  const fullest = limits.toSorted((a, b) => shareOf(b) - shareOf(a));
  const lines = fullest.slice(0, MOST_LIMITS).map((limit) => ({
    ...limitOut(limit),
    share: shareOf(limit),
    state: STATES[decideLimit(limit, NO_ASK, policy.warnAtPpm)],
    reached_at: capReachedAt(limit, policy.workspace.timezone, now),
  }));
  return { limits: lines, limits_left_out: limits.length - lines.length };
}

/** Spent and held over the limit. A limit of nothing is full. */
function shareOf(limit: Limit): number {
  if (limit.limit === 0n) return isExhausted(limit) ? 1 : 0;
  return Number(limit.spent + limit.held) / Number(limit.limit);
}
