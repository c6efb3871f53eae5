// Turns a checked astra.yml into the policy the rest of the product sees, with notes on what an operator may not expect.
import { BUDGET_FIELDS, BUILT_IN_HARD_CAPS, BUILT_IN_ROLES, type Budget, type BudgetField } from "./budget.ts";
import { type Nano, nanoFromCents, nanoFromUsd, scaleDecimal } from "./money.ts";
import {
  type AgentPolicy,
  ALL_TOOLS,
  type MemoryPermissions,
  NO_QUOTAS,
  type Policy,
  type RolePolicy,
  type TaskPolicy,
  type ToolPermissions,
} from "./policy.ts";
import { type BudgetFile, type PolicyFile, policyFile } from "./policy-file.ts";
import { policyNotes } from "./policy-notes.ts";
import { privacyOf } from "./policy-privacy.ts";
import type { Rates } from "./price.ts";
import { costLimitOfTags } from "./task-tag.ts";
import { resolveWatch } from "./watch-policy-resolve.ts";

type Entry<List extends "agents" | "roles" | "tasks" | "teams"> = NonNullable<PolicyFile[List]>[number];
type PriceFile = NonNullable<PolicyFile["prices"]>[string];

/** A policy and what its operator should know about it: one sentence a note, for stderr. */
export type ResolvedPolicy = { readonly policy: Policy; readonly notes: readonly string[] };

/** Amounts become bigints in their own unit; an agent keeps its own budget and permissions apart from its role's. */
export function resolvePolicy(file: PolicyFile): ResolvedPolicy {
  const policy: Policy = {
    workspace: {
      id: file.workspace.id,
      timezone: file.workspace.timezone,
      dailyCostLimit: limitOf(file.workspace.dailyCostLimitUsd),
      monthlyCostLimit: limitOf(file.workspace.monthlyCostLimitUsd),
    },
    hardCaps: { ...BUILT_IN_HARD_CAPS, ...budgetOf(file.hardCaps) },
    roles: rolesOf(file.roles ?? []),
    agents: byId((file.agents ?? []).map(agentOf)),
    teams: byId((file.teams ?? []).map(teamOf)),
    tasks: byId((file.tasks ?? []).map(taskOf)),
    tools: new Map(Object.entries(file.tools ?? {}).map(([id, tool]) => [id, nanoFromUsd(tool.estimatedCostUsd)])),
    prices: new Map(Object.entries(file.prices ?? {}).map(([model, price]) => [model, ratesOf(price)])),
    unknownModel: file.unknownModel,
    unknownAgents: file.unknownAgents,
    warnAtPpm: atLeastOne(scaleDecimal(String(file.warnAt), 6)),
    onHoldExpiry: file.onHoldExpiry,
    onMeterFailure: file.onMeterFailure,
    claudeCode: file.meters.claudeCode,
    ...resolveWatch(file),
    privacy: privacyOf(file.privacy),
  };
  return { policy, notes: policyNotes(policy) };
}

/** What holds without a file: the seed's hard caps and roles, no other limit, time in UTC. */
export const BUILT_IN_POLICY: Policy = resolvePolicy(policyFile.parse({})).policy;

function limitOf(usd: number | null | undefined): Nano | null {
  return usd === null || usd === undefined ? null : nanoFromUsd(usd);
}

function countOf(count: number | null | undefined): bigint | null {
  return count === null || count === undefined ? null : BigInt(count);
}

function atLeastOne(value: bigint): bigint {
  return value < 1n ? 1n : value;
}

/** The fields that are set, each in its own unit (see `budget.ts`). */
function budgetOf(file: BudgetFile | undefined): Partial<Budget> {
  const budget: Partial<Record<BudgetField, bigint>> = {};
  for (const field of BUDGET_FIELDS) {
    const value = file?.[field];
    if (value !== undefined) budget[field] = field === "maxCostCents" ? nanoFromCents(value) : BigInt(value);
  }
  return budget;
}

function toolsOf(file: Entry<"agents">["tools"]): ToolPermissions {
  return file ? { allow: file.allow ?? null, deny: file.deny ?? [] } : ALL_TOOLS;
}

/** Without a prototype, so that a memory called "constructor" that nobody listed reads as not listed. */
function memoryOf(file: Entry<"agents">["memory"]): MemoryPermissions {
  return Object.assign(Object.create(null) as Record<string, boolean>, file);
}

/** The built-in roles, overridden field by field by listed ones of the same name, and the operator's own. */
function rolesOf(listed: readonly Entry<"roles">[]): ReadonlyMap<string, RolePolicy> {
  const roles = new Map<string, RolePolicy>(
    Object.entries(BUILT_IN_ROLES).map(([name, budget]) => [name, { budget, tools: ALL_TOOLS, memory: memoryOf({}) }]),
  );
  for (const role of listed) {
    const name = role.id.toLowerCase();
    roles.set(name, {
      budget: { ...roles.get(name)?.budget, ...budgetOf(role.budget) },
      tools: toolsOf(role.tools),
      memory: memoryOf(role.memory),
    });
  }
  return roles;
}

function agentOf(agent: Entry<"agents">): AgentPolicy {
  const quotas = agent.quotas;
  return {
    id: agent.id,
    role: agent.role?.toLowerCase() ?? null,
    team: agent.team ?? null,
    provider: agent.provider ?? null,
    budget: budgetOf(agent.budget),
    tools: toolsOf(agent.tools),
    memory: memoryOf(agent.memory),
    dailyCostLimit: limitOf(agent.dailyCostLimitUsd),
    quotas: quotas
      ? {
          tokensPerHour: countOf(quotas.tokensPerHour),
          tokensPerDay: countOf(quotas.tokensPerDay),
          costPerDay: limitOf(quotas.costPerDayUsd),
          concurrentChildren: countOf(quotas.maxConcurrentChildren),
        }
      : NO_QUOTAS,
  };
}

function teamOf(team: Entry<"teams">) {
  return {
    id: team.id,
    dailyCostLimit: limitOf(team.dailyCostLimitUsd),
    taskCostLimit: limitOf(team.taskCostLimitUsd),
  };
}

function taskOf(task: Entry<"tasks">): TaskPolicy {
  const tags = task.tags ?? [];
  return {
    id: task.id,
    title: task.title ?? task.id,
    team: task.team ?? null,
    priority: task.priority ?? null,
    taskType: task.task_type ?? null,
    tags,
    dependsOn: [...new Set(task.depends_on)],
    costLimit: costLimitOfTags(tags),
  };
}

/**
 * Nano-dollars per million tokens. A price that is not given is never cheaper than a real one: cached input costs as
 * much as fresh, cache writes 1.25 times (5 minutes) and twice (1 hour) the input, the dearest seen (facts/prices.md).
 */
function ratesOf(price: PriceFile): Rates {
  const input = nanoFromUsd(price.inputUsd);
  return {
    base: {
      input,
      output: nanoFromUsd(price.outputUsd),
      cacheRead: limitOf(price.cacheReadUsd) ?? input,
      cacheWrite: limitOf(price.cacheWriteUsd) ?? (input * 5n + 3n) / 4n,
      cacheWrite1h: limitOf(price.cacheWrite1hUsd) ?? input * 2n,
    },
    bands: [],
  };
}

function byId<Item extends { readonly id: string }>(items: readonly Item[]): ReadonlyMap<string, Item> {
  return new Map(items.map((item) => [item.id, item]));
}
