// A budget's and a policy's fields as people read them; pure.
import { duration, money, number } from "./format.ts";

export type BudgetOut = Readonly<Record<string, number>>;

export const BUDGET_TITLES = {
  max_cost_cents: "Cost of a session",
  max_total_tokens: "Tokens",
  max_prompt_tokens: "Input tokens",
  max_completion_tokens: "Output tokens",
  max_tool_calls: "Tool calls",
  max_duration: "Time",
  max_spawn_depth: "Levels below",
  max_child_agents: "Children",
} as const;
export type BudgetField = keyof typeof BUDGET_TITLES;
export const BUDGET_FIELDS = Object.keys(BUDGET_TITLES) as BudgetField[];

export function budgetText(field: BudgetField, value: number | undefined): string {
  if (value === undefined) return "–";
  if (field === "max_cost_cents") return money(value / 100);
  return field === "max_duration" ? duration(value) : number(value);
}

export const limitText = (usd: number | null): string => (usd === null ? "no limit" : money(usd));
