// The operator's policy as the rest of the product sees it: checked, resolved, every amount in its own unit.
import type { Budget } from "./budget.ts";
import type { Nano } from "./money.ts";
import type { Rates } from "./price.ts";
import type { PrivacyPolicy } from "./privacy.ts";
import type { WatchPolicy } from "./watch-policy.ts";

/** Which tools may be used. `allow: null` = all; an empty list = none; deny beats allow. */
export type ToolPermissions = { readonly allow: readonly string[] | null; readonly deny: readonly string[] };

/** Named memory permissions; a child has one only if every ancestor has it. A name not listed is permitted. */
export type MemoryPermissions = Readonly<Record<string, boolean>>;

/** Limits over an agent's sessions together, in calendar windows of the workspace's zone; null = none. */
export type Quotas = {
  readonly tokensPerHour: bigint | null;
  readonly tokensPerDay: bigint | null;
  readonly costPerDay: Nano | null;
  readonly concurrentChildren: bigint | null;
};

export type RolePolicy = {
  readonly budget: Partial<Budget>;
  readonly tools: ToolPermissions;
  readonly memory: MemoryPermissions;
};

export type AgentPolicy = RolePolicy & {
  readonly id: string;
  /** Lower case, as role names compare; null = none. */
  readonly role: string | null;
  readonly team: string | null;
  readonly provider: string | null;
  readonly dailyCostLimit: Nano | null;
  readonly quotas: Quotas;
};

export type TeamPolicy = {
  readonly id: string;
  readonly dailyCostLimit: Nano | null;
  readonly taskCostLimit: Nano | null;
};

export type TaskPolicy = {
  readonly id: string;
  readonly title: string;
  readonly team: string | null;
  readonly priority: string | null;
  readonly taskType: string | null;
  readonly tags: readonly string[];
  readonly dependsOn: readonly string[];
  /** The smallest `budget:N` tag (Cost Control, "Per-task limits"), in nano-dollars; null = no such tag. */
  readonly costLimit: Nano | null;
};

export type Policy = WatchPolicy & {
  readonly workspace: {
    readonly id: string;
    readonly timezone: string;
    readonly dailyCostLimit: Nano | null;
    readonly monthlyCostLimit: Nano | null;
  };
  readonly hardCaps: Budget;
  /** By lower-case name; the four of the seed are always there. */
  readonly roles: ReadonlyMap<string, RolePolicy>;
  readonly agents: ReadonlyMap<string, AgentPolicy>;
  readonly teams: ReadonlyMap<string, TeamPolicy>;
  readonly tasks: ReadonlyMap<string, TaskPolicy>;
  /** Static cost of one call of a tool, in nano-dollars. */
  readonly tools: ReadonlyMap<string, Nano>;
  /** The operator's own prices by model id; they win over every list. */
  readonly prices: ReadonlyMap<string, Rates>;
  readonly unknownModel: "worst_known" | "deny" | "unpriced";
  readonly unknownAgents: "allow" | "deny";
  /** Share of a limit from which verdicts warn, in millionths (800,000 = 0.8). */
  readonly warnAtPpm: bigint;
  readonly onHoldExpiry: "release" | "charge";
  /** Whether an agent whose usage cannot be metered may go on. */
  readonly onMeterFailure: "deny" | "allow";
  /** `required`: an agent inside Claude Code may use the budget only while the hooks are there that meter it. */
  readonly claudeCode: "optional" | "required";
  readonly privacy: PrivacyPolicy;
};

export const ALL_TOOLS: ToolPermissions = { allow: null, deny: [] };
export const NO_QUOTAS: Quotas = {
  tokensPerHour: null,
  tokensPerDay: null,
  costPerDay: null,
  concurrentChildren: null,
};
