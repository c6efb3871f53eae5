// What a parent allows its children: their share of its budget, how many there may be, and how deep.
import type { BalanceKey } from "../core/balance-key.ts";
import type { Budget } from "../core/budget.ts";
import { leastRemaining } from "../core/inheritance.ts";
import { type BalanceLookup, type Limit, min, type Raise, remainingBudget } from "../core/limits.ts";
import type { Policy } from "../core/policy.ts";
import type { Refusal } from "../core/verdict.ts";
import type { Session } from "../ledger/session-row.ts";
import { countChildren, countConcurrentChildren } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";

/** A row that all openings under one agent lock, so that its open children are counted one opening at a time. */
export function spawnLock(parent: Session | null): BalanceKey[] {
  return parent ? [{ scope: "agent", scopeId: parent.agentId, window: "total", windowKey: "" }] : [];
}

/** What the parent and all its ancestors have left: the least of each. */
export function inheritedRemaining(
  policy: Policy,
  ancestors: readonly Session[],
  balanceOf: BalanceLookup,
  raises: readonly Raise[],
  now: number,
): Partial<Budget> {
  return leastRemaining(
    ancestors.map((ancestor) => {
      const balance = balanceOf({ scope: "session", scopeId: ancestor.id, window: "session", windowKey: "" });
      return remainingBudget(ancestor, balance, policy.hardCaps, raises, now);
    }),
  );
}

/** A parent that is not open, or whose spawn depth is used up (Open Astra, "Budget inheritance"). */
export function parentRefusals(parent: Session | null, now: number): Refusal[] {
  if (!parent) return [];
  const refusals: Refusal[] = [];
  if (parent.status !== "open" || parent.expiresAt <= now) {
    refusals.push({
      kind: "parent_not_open",
      scope: "ancestor",
      scopeId: parent.agentId,
      text: "The parent session is not open any more. Stop and tell whoever started you.",
    });
  }
  if (parent.budget.maxSpawnDepth <= 0n) {
    refusals.push({
      kind: "spawn_depth",
      scope: "ancestor",
      scopeId: parent.agentId,
      text: `Agent ${parent.agentId} may not spawn sub-agents here: its spawn depth is used up. Do the work in the parent session.`,
    });
  }
  return refusals;
}

/** How many children the parent, its tree and its agent may have (Open Astra: `maxChildAgents`; quotas: concurrent). */
export function* spawnLimits(
  policy: Policy,
  parent: Session | null,
  ancestors: readonly Session[],
  now: number,
): Work<Limit[]> {
  if (!parent) return [];
  const { children, tree } = yield* countChildren(parent);
  const root = ancestors[0] ?? parent;
  const none = { held: 0n, resetsAt: null } as const;
  const limits: Limit[] = [
    {
      ...none,
      scope: "ancestor",
      scopeId: parent.agentId,
      window: "session",
      measure: "child_agents",
      limit: min(parent.budget.maxChildAgents, policy.hardCaps.maxChildAgents),
      spent: children,
    },
    {
      ...none,
      scope: "ancestor",
      scopeId: root.agentId,
      window: "total",
      measure: "child_agents",
      limit: policy.hardCaps.maxChildAgents,
      spent: tree,
    },
  ];
  const quota = policy.agents.get(parent.agentId)?.quotas.concurrentChildren ?? null;
  if (quota !== null) {
    const spent = yield* countConcurrentChildren(policy.workspace.id, parent.agentId, now);
    limits.push({
      ...none,
      scope: "agent",
      scopeId: parent.agentId,
      window: "total",
      measure: "concurrent_children",
      limit: quota,
      spent,
    });
  }
  return limits;
}
