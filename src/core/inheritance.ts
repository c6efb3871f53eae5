// The effective budget and permissions of a session: policy, then what was asked, then the parent; never wider.
import { BUDGET_FIELDS, type Budget, type BudgetField } from "./budget.ts";
import { min } from "./limits.ts";
import { ALL_TOOLS, type MemoryPermissions, type Policy, type RolePolicy, type ToolPermissions } from "./policy.ts";

/** Where a field's value came from. */
export type BudgetSource = "agent" | "role" | "hard_cap" | "request" | "parent";

/** A value that something higher cut down. Amounts in the field's own unit (see `budget.ts`). */
export type Clamp = {
  readonly field: BudgetField;
  readonly asked: bigint;
  readonly to: bigint;
  readonly by: "hard_cap" | "policy" | "parent_budget" | "parent_remaining";
};

export type EffectiveBudget = {
  readonly budget: Budget;
  readonly sources: Readonly<Record<BudgetField, BudgetSource>>;
  readonly clamped: readonly Clamp[];
};

/** A parent as its child sees it: its frozen budget, and what it and all its ancestors have left of each field. */
export type ParentBudget = { readonly budget: Budget; readonly remaining: Partial<Budget> };

/**
 * Field by field: explicit agent budget, else the role's default, else the hard cap; then at most the hard cap,
 * what the opener asked for, and the parent's budget and remaining (Open Astra, "Budget inheritance").
 */
export function effectiveBudget(
  policy: Policy,
  agentId: string,
  roleName: string | null,
  asked: Partial<Budget>,
  parent: ParentBudget | null,
): EffectiveBudget {
  const agent = policy.agents.get(agentId);
  const role = roleOf(policy, roleName);
  const budget: Partial<Record<BudgetField, bigint>> = {};
  const sources: Partial<Record<BudgetField, BudgetSource>> = {};
  const clamped: Clamp[] = [];
  for (const field of BUDGET_FIELDS) {
    const own = agent?.budget[field];
    const fallback = role?.budget[field];
    let source: BudgetSource = own !== undefined ? "agent" : fallback !== undefined ? "role" : "hard_cap";
    let value = own ?? fallback ?? policy.hardCaps[field];
    const lower = (to: bigint, by: Clamp["by"], from: BudgetSource, report: "report" | "silent") => {
      if (value <= to) return;
      if (report === "report") clamped.push({ field, asked: value, to, by });
      value = to;
      source = from;
    };
    lower(policy.hardCaps[field], "hard_cap", "hard_cap", "report");
    const wish = asked[field];
    if (wish !== undefined) {
      if (wish > value) clamped.push({ field, asked: wish, to: value, by: "policy" });
      lower(wish, "policy", "request", "silent");
    }
    if (parent) {
      // A hard cap is nobody's wish: that a child of a small parent gets less than it is not worth reporting.
      const report = source === "hard_cap" && wish === undefined ? "silent" : "report";
      const inherited = field === "maxSpawnDepth" ? parent.budget[field] - 1n : parent.budget[field];
      lower(inherited < 0n ? 0n : inherited, "parent_budget", "parent", report);
      const left = parent.remaining[field];
      if (left !== undefined) lower(left, "parent_remaining", "parent", report);
    }
    budget[field] = value;
    sources[field] = source;
  }
  return { budget: budget as Budget, sources: sources as Record<BudgetField, BudgetSource>, clamped };
}

/** A role by its name in any case. */
function roleOf(policy: Policy, name: string | null): RolePolicy | undefined {
  return name === null ? undefined : policy.roles.get(name.toLowerCase());
}

/** The role of an agent: the policy's for a listed agent; what the opener says counts only for an unlisted one. */
export function roleNameOf(policy: Policy, agentId: string, asked: string | null): string | null {
  const agent = policy.agents.get(agentId);
  return agent ? agent.role : (asked?.toLowerCase() ?? null);
}

/** Intersection of the allow lists, union of the deny lists; no list = all. */
export function narrowTools(a: ToolPermissions, b: ToolPermissions): ToolPermissions {
  const allow =
    a.allow === null ? b.allow : b.allow === null ? a.allow : a.allow.filter((tool) => b.allow?.includes(tool));
  return { allow: allow && [...new Set(allow)].sort(), deny: [...new Set([...a.deny, ...b.deny])].sort() };
}

/** AND: permitted only where both permit; a name that one does not mention is as the other says. */
export function narrowMemory(a: MemoryPermissions, b: MemoryPermissions): MemoryPermissions {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  const permits = (part: MemoryPermissions, name: string) => !Object.hasOwn(part, name) || part[name] === true;
  return Object.fromEntries(names.map((name) => [name, permits(a, name) && permits(b, name)]));
}

/** Tool and memory permissions by the policy alone: the agent's own narrowed by its role's. */
export function policyPermissions(
  policy: Policy,
  agentId: string,
  roleName: string | null,
): { tools: ToolPermissions; memory: MemoryPermissions } {
  const parts = [policy.agents.get(agentId), roleOf(policy, roleName)].filter((part) => part !== undefined);
  return {
    tools: parts.reduce((tools, part) => narrowTools(tools, part.tools), ALL_TOOLS),
    memory: parts.reduce<MemoryPermissions>((memory, part) => narrowMemory(memory, part.memory), {}),
  };
}

/** What is left of each countable field, over a parent and all its ancestors. */
export function leastRemaining(parts: readonly Partial<Budget>[]): Partial<Budget> {
  const least: Partial<Record<BudgetField, bigint>> = {};
  for (const part of parts) {
    for (const field of BUDGET_FIELDS) {
      const value = part[field];
      if (value !== undefined) least[field] = min(least[field] ?? value, value);
    }
  }
  return least;
}
