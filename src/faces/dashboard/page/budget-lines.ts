// A budget in words: each field with its value, where it comes from, and what cut it down.
import { duration, money, number } from "./format.ts";

export type BudgetLine = {
  readonly field: string;
  readonly title: string;
  readonly value: number;
  readonly shown: string;
  readonly exact: string;
  readonly source: string;
  /** What was asked for and who cut it down; null where nobody did. */
  readonly cut: string | null;
};

export type EffectiveBudget = {
  readonly budget: Readonly<Record<string, number>>;
  readonly sources: Readonly<Record<string, string>>;
  readonly clamped: readonly { readonly field: string; readonly asked: number; readonly by: string }[];
};

export const BUDGET_TITLES: Readonly<Record<string, string>> = {
  max_prompt_tokens: "Tokens in",
  max_completion_tokens: "Tokens out",
  max_total_tokens: "Tokens altogether",
  max_cost_cents: "Cost",
  max_tool_calls: "Tool calls",
  max_duration: "Duration",
  max_spawn_depth: "Generations below it",
  max_child_agents: "Children",
};

const SOURCES: Readonly<Record<string, string>> = {
  agent: "the agent's own budget",
  role: "its role's default",
  hard_cap: "the hard cap",
  request: "what was asked for",
  parent: "the parent's budget",
};

const CUTTERS: Readonly<Record<string, string>> = {
  hard_cap: "the hard cap",
  policy: "the policy",
  parent_budget: "the parent's budget",
  parent_remaining: "what the parent has left",
};

/** Only fields that are known by name: an older page says nothing of a newer server's. */
export const budgetLines = ({ budget, sources, clamped }: EffectiveBudget): BudgetLine[] =>
  Object.entries(BUDGET_TITLES).flatMap(([field, title]) => {
    const value = budget[field];
    if (value === undefined) return [];
    const clamp = clamped.find((each) => each.field === field);
    return [
      {
        field,
        title,
        value,
        shown: shownValue(field, value),
        exact: field === "max_duration" ? `${number(value)} ms` : shownValue(field, value),
        source: SOURCES[sources[field] ?? "hard_cap"] ?? "the policy",
        cut: clamp ? `from ${shownValue(field, clamp.asked)} by ${CUTTERS[clamp.by] ?? "the policy"}` : null,
      },
    ];
  });

function shownValue(field: string, value: number): string {
  if (field === "max_cost_cents") return money(value / 100);
  return field === "max_duration" ? duration(value) : number(value);
}
