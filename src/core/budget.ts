// The budget an agent or role carries: its fields, the system's hard caps and the role defaults of the seed.
import { NANO_PER_CENT } from "./money.ts";

/** The fields of a budget in the order people read them. Names are Open Astra's, in astra.yml's camelCase. */
export const BUDGET_FIELDS = [
  "maxPromptTokens",
  "maxCompletionTokens",
  "maxTotalTokens",
  "maxCostCents",
  "maxToolCalls",
  "maxDuration",
  "maxSpawnDepth",
  "maxChildAgents",
] as const;

export type BudgetField = (typeof BUDGET_FIELDS)[number];

/** Every field set. `maxCostCents` is held in nano-dollars (see `money.ts`), `maxDuration` in milliseconds. */
export type Budget = Readonly<Record<BudgetField, bigint>>;

/** Open Astra, "System hard caps": the ceiling over every budget unless the operator's `hardCaps:` says else. */
export const BUILT_IN_HARD_CAPS: Budget = {
  maxPromptTokens: 500_000n,
  maxCompletionTokens: 100_000n,
  maxTotalTokens: 600_000n,
  maxCostCents: 500n * NANO_PER_CENT,
  maxToolCalls: 100n,
  maxDuration: 300_000n,
  maxSpawnDepth: 5n,
  maxChildAgents: 20n,
};

/** Open Astra, "Role-based defaults"; "no spawn" is no children and no depth. */
export const BUILT_IN_ROLES: Readonly<Record<string, Partial<Budget>>> = {
  researcher: role(50_000n, 50n, 20n, 60_000n),
  analyst: role(80_000n, 100n, 15n, 90_000n),
  writer: role(30_000n, 30n, 5n, 30_000n),
  mediator: role(40_000n, 40n, 5n, 60_000n),
};

function role(tokens: bigint, cents: bigint, toolCalls: bigint, durationMs: bigint): Partial<Budget> {
  return {
    maxTotalTokens: tokens,
    maxCostCents: cents * NANO_PER_CENT,
    maxToolCalls: toolCalls,
    maxDuration: durationMs,
    maxSpawnDepth: 0n,
    maxChildAgents: 0n,
  };
}
