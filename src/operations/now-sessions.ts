// The open sessions of get_now, each with the verdict that stands for it.
import type { BalanceLookup } from "../core/limits.ts";
import { usdFromNano } from "../core/money.ts";
import type { Policy } from "../core/policy.ts";
import { NO_ASK, type Verdict, verdictOf } from "../core/verdict.ts";
import type { Session } from "../ledger/session-row.ts";
import { instantOut, limitOut, verdictOut } from "./output.ts";
import { sessionLine, tokensOf } from "./session-line.ts";
import { limitsOf, noticesOf, type Standing } from "./standing.ts";

export function verdictNow(policy: Policy, standing: Standing, balanceOf: BalanceLookup, now: number): Verdict {
  const limits = limitsOf(policy, standing, balanceOf, now);
  return verdictOf(limits, NO_ASK, policy.warnAtPpm, standing.refusals, noticesOf(policy, standing, balanceOf));
}

export function openLine(session: Session, verdict: Verdict, balanceOf: BalanceLookup) {
  const tree = balanceOf({ scope: "session", scopeId: session.id, window: "session", windowKey: "" });
  return {
    ...sessionLine(session),
    team_id: session.teamId,
    expires_at: instantOut(session.expiresAt),
    tokens: tokensOf(session),
    tool_calls: Number(session.totals.toolCalls),
    tree_cost_usd: usdFromNano(tree.spent.cost),
    decision: verdict.decision,
    message: verdict.message,
    binding: bindingLine(verdict),
  };
}

/** What decided, with its numbers where it is a limit. */
function bindingLine(verdict: Verdict) {
  const { binding } = verdictOut(verdict);
  if (binding === null) return null;
  const { kind, scope, scope_id, window, measure } = binding;
  const limit = verdict.limits.find(
    (each) => each.scope === scope && each.scopeId === scope_id && each.window === window && each.measure === measure,
  );
  const numbers = limit && limitOut(limit);
  return {
    kind,
    scope,
    scope_id,
    window,
    measure,
    limit: numbers?.limit ?? null,
    spent: numbers?.spent ?? null,
    held: numbers?.held ?? null,
    remaining: numbers?.remaining ?? null,
  };
}
