// Is the policy made for Claude Code, or would caps that nobody chose stop its sessions at once?
import { BUILT_IN_HARD_CAPS, type BudgetField } from "../../core/budget.ts";
import { effectiveBudget, roleNameOf } from "../../core/inheritance.ts";
import { formatUsd } from "../../core/money.ts";
import { grouped } from "../../core/plain-text.ts";
import type { Policy } from "../../core/policy.ts";
import { type Check, fault, ok } from "./check.ts";

/** Whose budget the sessions of Claude Code are held to. */
const AGENT = "claude-code";
/** What an interactive session uses up first. */
const LASTING = ["maxDuration", "maxTotalTokens", "maxPromptTokens", "maxCompletionTokens", "maxToolCalls"] as const;

const NAME = "policy";
const INIT = "Run `astra-budget init --for claude-code`, or raise hardCaps in the policy as that does.";

export function checkLimits(policy: Policy, file: string | null): Check[] {
  if (file === null) {
    const text = "there is none, so the built-in caps stop a session after 5 minutes or $5";
    return [fault(NAME, text, `${INIT} Then \`astra-budget install claude-code\` in the same folder.`)];
  }
  const { budget } = effectiveBudget(policy, AGENT, roleNameOf(policy, AGENT, null), {}, null);
  const short = LASTING.filter((field) => budget[field] <= BUILT_IN_HARD_CAPS[field]);
  if (short.length > 0) {
    const caps = short.map((field) => `${field} ${amount(field, budget[field])}`).join(", ");
    return [fault(NAME, `${file}: ${AGENT} is held to ${caps}, too little for interactive work`, INIT)];
  }
  const lasts = amount("maxDuration", budget.maxDuration);
  return [ok(NAME, `${file}: ${formatUsd(budget.maxCostCents)} and ${lasts} a session of ${AGENT}`)];
}

function amount(field: BudgetField, value: bigint): string {
  if (field !== "maxDuration") return grouped(value);
  const minutes = Number(value) / 60_000;
  return minutes >= 120 ? `${Math.round(minutes / 60)} hours` : `${Math.round(minutes)} minutes`;
}
