// Budgets as the policy's page says them.
import { expect, test } from "vitest";
import { BUDGET_FIELDS, budgetText, limitText } from "../../../src/faces/dashboard/page/budget-words.ts";
import { WIRE_FIELDS } from "../../../src/operations/input.ts";

test("every field of a budget has a title", () => {
  expect([...BUDGET_FIELDS].toSorted()).toEqual(Object.values(WIRE_FIELDS).toSorted());
});

test("cents are dollars, milliseconds a duration, and a limit of nothing is no missing limit", () => {
  expect(budgetText("max_cost_cents", 50)).toBe("$0.50");
  expect(budgetText("max_duration", 300_000)).toBe("5 min");
  expect(budgetText("max_child_agents", 0)).toBe("0");
  expect(limitText(0)).toBe("$0.00");
  expect(limitText(null)).toBe("no limit");
});
