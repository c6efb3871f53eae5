// What an operator may not expect of a policy that is well in itself: raised hard caps, clamped and idle fields.
import { BUDGET_FIELDS, BUILT_IN_HARD_CAPS, BUILT_IN_ROLES, type Budget, type BudgetField } from "./budget.ts";
import { centsFromNano, formatUsd } from "./money.ts";
import { grouped } from "./plain-text.ts";
import type { AgentPolicy, Policy } from "./policy.ts";

/** One sentence a note. The built-in roles' own figures are not noted when the operator lowers the caps below them. */
export function policyNotes(policy: Policy): string[] {
  const roles = [...policy.roles].flatMap(([name, role]) =>
    clampNotes(policy, `role ${name}`, role.budget, BUILT_IN_ROLES[name] ?? {}),
  );
  const agents = [...policy.agents.values()].flatMap((agent) => [
    ...clampNotes(policy, `agent ${agent.id}`, agent.budget, {}),
    ...spawnNotes(policy, agent),
  ]);
  return [...capNotes(policy), ...roles, ...agents];
}

/** One line, however many are raised: that they are is the news. */
function capNotes({ hardCaps }: Policy): string[] {
  const raised = BUDGET_FIELDS.filter((field) => hardCaps[field] > BUILT_IN_HARD_CAPS[field]);
  if (raised.length === 0) return [];
  const changes = raised.map(
    (field) => `${field} from ${amountText(field, BUILT_IN_HARD_CAPS[field])} to ${amountText(field, hardCaps[field])}`,
  );
  const effect = "every session and swarm may now go that far.";
  return [`WARNING: hardCaps raised above the built-in ones: ${changes.join(", ")}; ${effect}`];
}

function clampNotes(policy: Policy, owner: string, budget: Partial<Budget>, builtIn: Partial<Budget>): string[] {
  return BUDGET_FIELDS.flatMap((field) => {
    const value = budget[field];
    const cap = policy.hardCaps[field];
    if (value === undefined || value <= cap || value === builtIn[field]) return [];
    const [asked, effect] = [amountText(field, value), amountText(field, cap)];
    return [`${owner}: budget.${field} ${asked} is above the hard cap; ${effect} is in effect.`];
  });
}

/** Fields fall back one by one, so children given to an agent whose role forbids depth have no effect: say so. */
function spawnNotes(policy: Policy, agent: AgentPolicy): string[] {
  const role = agent.role === null ? undefined : policy.roles.get(agent.role);
  const depth = agent.budget.maxSpawnDepth ?? role?.budget.maxSpawnDepth ?? policy.hardCaps.maxSpawnDepth;
  const children = agent.budget.maxChildAgents ?? 0n;
  if (children === 0n || depth > 0n) return [];
  return [
    `agent ${agent.id}: budget.maxChildAgents ${children} has no effect, since its maxSpawnDepth is 0; set that too.`,
  ];
}

function amountText(field: BudgetField, value: bigint): string {
  return field === "maxCostCents" ? `${centsFromNano(value)} (${formatUsd(value)})` : grouped(value);
}
