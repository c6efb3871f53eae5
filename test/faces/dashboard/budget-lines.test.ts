// An agent's budget in words: every field of the server's, where it comes from, and what cut it down.
import { expect, test } from "vitest";
import { BUDGET_FIELDS } from "../../../src/core/budget.ts";
import { budgetLines, type EffectiveBudget } from "../../../src/faces/dashboard/page/budget-lines.ts";
import { money, number } from "../../../src/faces/dashboard/page/format.ts";
import { effectiveOut } from "../../../src/operations/get-policy.ts";
import { policyOf } from "../../world.ts";

const policy = policyOf({
  agents: [{ id: "ada", role: "researcher", budget: { maxCostCents: 2000, maxDuration: 90_000 } }],
});
const lines = budgetLines(effectiveOut(policy, "ada", "researcher") as unknown as EffectiveBudget);
const told = (field: string) => {
  const { shown, source, cut } = lines.find((line) => line.field === field) ?? {};
  return [shown, source, cut];
};

test("every field there is has its line", () => {
  expect(lines).toHaveLength(BUDGET_FIELDS.length);
});

test("a field tells its value with its unit, and whether it is the agent's, its role's or the hard cap", () => {
  expect(told("max_duration")).toEqual(["1 min 30 s", "the agent's own budget", null]);
  expect(told("max_tool_calls")).toEqual(["20", "its role's default", null]);
  expect(told("max_prompt_tokens")).toEqual([number(500_000), "the hard cap", null]);
});

test("what was cut down tells from what and by whom", () => {
  expect(told("max_cost_cents")).toEqual([money(5), "the hard cap", `from ${money(20)} by the hard cap`]);
});

test("a field of a newer server is passed over", () => {
  expect(budgetLines({ budget: { max_wishes: 3 }, sources: {}, clamped: [] })).toEqual([]);
});
