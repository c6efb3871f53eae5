// Limits: one enforceable number each, which of them bear on a session, and what stands against them.
import { type Attribution, type BalanceKey, compareKeys, dayOf, keyText, monthOf } from "./balance-key.ts";
import type { Budget, BudgetField } from "./budget.ts";
import type { Nano } from "./money.ts";
import type { Policy } from "./policy.ts";
import { type Balance, EMPTY_BALANCE } from "./usage.ts";
import { type CalendarWindow, type WindowKind, windowAt } from "./window.ts";

export type Measure =
  | "cost_usd"
  | "total_tokens"
  | "prompt_tokens"
  | "completion_tokens"
  | "tool_calls"
  | "duration_ms"
  | "child_agents"
  | "concurrent_children";

/** `ancestor`: a session above this one, named by its agent, because a session id is a handle. */
export type LimitScope = "session" | "ancestor" | "task" | "agent" | "team" | "workspace";

/** A limit with what stands against it. Costs are nano-dollars, durations milliseconds, the rest counts. */
export type Limit = {
  readonly scope: LimitScope;
  readonly scopeId: string;
  readonly window: WindowKind;
  readonly measure: Measure;
  readonly limit: bigint;
  readonly spent: bigint;
  readonly held: bigint;
  /** Epoch ms when the window ends; null = never. */
  readonly resetsAt: number | null;
};

/** What a limit needs to know of a session: its frozen budget and its clock. */
export type LimitedSession = {
  readonly id: string;
  readonly agentId: string;
  readonly budget: Budget;
  readonly openedAt: number;
  readonly expiresAt: number;
};

export type BalanceLookup = (key: BalanceKey) => Balance;

/** A lookup over rows read from the ledger; an absent row is an empty balance. */
export function lookup(rows: readonly (readonly [BalanceKey, Balance])[]): BalanceLookup {
  // Of a dozen rows, looking through them is quicker than making a text of each.
  return (key) => rows.find(([other]) => compareKeys(key, other) === 0)?.[1] ?? EMPTY_BALANCE;
}

/** The same over hundreds of rows. */
export function lookupAmongMany(rows: readonly (readonly [BalanceKey, Balance])[]): BalanceLookup {
  const known = new Map(rows.map(([key, balance]) => [keyText(key), balance]));
  return (key) => known.get(keyText(key)) ?? EMPTY_BALANCE;
}

/** What is used up by spending; these limits can be raised by a grant. */
export const AMOUNT_MEASURES = [
  "cost_usd",
  "total_tokens",
  "prompt_tokens",
  "completion_tokens",
  "tool_calls",
] as const;
export type AmountMeasure = (typeof AMOUNT_MEASURES)[number];

const read: Record<AmountMeasure, (amounts: Balance["spent"]) => bigint> = {
  cost_usd: (a) => a.cost,
  total_tokens: (a) => a.promptTokens + a.completionTokens,
  prompt_tokens: (a) => a.promptTokens,
  completion_tokens: (a) => a.completionTokens,
  tool_calls: (a) => a.toolCalls,
};

/** The budget field behind each measure of a session. */
const FIELD_OF = {
  cost_usd: "maxCostCents",
  total_tokens: "maxTotalTokens",
  prompt_tokens: "maxPromptTokens",
  completion_tokens: "maxCompletionTokens",
  tool_calls: "maxToolCalls",
  duration_ms: "maxDuration",
} as const satisfies Partial<Record<Measure, BudgetField>>;

/** An operator's temporary increase of one limit (a grant in force). */
export type Raise = Omit<BalanceKey, "windowKey"> & {
  readonly measure: AmountMeasure;
  /** In the measure's own unit, above zero. */
  readonly amount: bigint;
};

const raiseOf = (raises: readonly Raise[], key: Omit<Raise, "amount">): bigint =>
  raises.reduce((sum, raise) => (isFor(raise, key) ? sum + raise.amount : sum), 0n);

const isFor = (raise: Raise, key: Omit<Raise, "amount">): boolean =>
  raise.scope === key.scope &&
  raise.scopeId === key.scopeId &&
  raise.window === key.window &&
  raise.measure === key.measure;

/**
 * Limits of one session in a chain. Its budget was frozen when it opened; grants raise it, and hard caps lowered
 * since then bite at once (Open Astra: they "cannot be exceeded by any agent or swarm").
 */
export function sessionLimits(
  session: LimitedSession,
  scope: "session" | "ancestor",
  balance: Balance,
  hardCaps: Budget,
  raises: readonly Raise[],
  nowMs: number,
): Limit[] {
  const scopeId = scope === "session" ? session.id : session.agentId;
  const base = { scope, scopeId, window: "session", resetsAt: null } as const;
  const limits: Limit[] = AMOUNT_MEASURES.map((measure) => ({
    ...base,
    measure,
    limit: min(
      session.budget[FIELD_OF[measure]] +
        raiseOf(raises, { scope: "session", scopeId: session.id, window: "session", measure }),
      hardCaps[FIELD_OF[measure]],
    ),
    spent: read[measure](balance.spent),
    held: read[measure](balance.held),
  }));
  limits.push({
    ...base,
    measure: "duration_ms",
    limit: min(BigInt(Math.max(0, session.expiresAt - session.openedAt)), hardCaps.maxDuration),
    spent: BigInt(Math.max(0, nowMs - session.openedAt)),
    held: 0n,
  });
  return limits;
}

/** What the policy leaves to the ledger: limits that were set or raised at run time. */
export type RunTimeLimits = {
  readonly teamDaily: Nano | null;
  readonly task: Nano | null;
  readonly raises: readonly Raise[];
};

/** Limits over many sessions: task, agent, team and workspace, for a spend at `nowMs`. */
export function sharedLimits(
  spend: Attribution,
  policy: Policy,
  runTime: RunTimeLimits,
  balanceOf: BalanceLookup,
  nowMs: number,
): Limit[] {
  const { timezone, dailyCostLimit, monthlyCostLimit } = policy.workspace;
  const limits: Limit[] = [];
  const add = (key: BalanceKey, measure: keyof typeof read, limit: bigint | null) => {
    if (limit === null) return;
    const balance = balanceOf(key);
    limits.push({
      scope: key.scope,
      scopeId: key.scopeId,
      window: key.window,
      measure,
      limit: limit + raiseOf(runTime.raises, { ...key, measure }),
      spent: read[measure](balance.spent),
      held: read[measure](balance.held),
      resetsAt: key.windowKey === "" ? null : windowAt(key.window as CalendarWindow, nowMs, timezone).end,
    });
  };
  const day = dayOf(spend.hour);
  if (spend.taskId !== null) {
    add({ scope: "task", scopeId: spend.taskId, window: "total", windowKey: "" }, "cost_usd", runTime.task);
  }
  const agent = policy.agents.get(spend.agentId);
  if (agent) {
    const agentDay = { scope: "agent", scopeId: agent.id, window: "day", windowKey: day } as const;
    add(agentDay, "cost_usd", minOrNull(agent.dailyCostLimit, agent.quotas.costPerDay));
    add(agentDay, "total_tokens", agent.quotas.tokensPerDay);
    add({ ...agentDay, window: "hour", windowKey: spend.hour }, "total_tokens", agent.quotas.tokensPerHour);
  }
  if (spend.teamId !== null) {
    const team = { scope: "team", scopeId: spend.teamId, window: "day", windowKey: day } as const;
    add(team, "cost_usd", runTime.teamDaily);
  }
  const workspace = { scope: "workspace", scopeId: spend.workspaceId } as const;
  add({ ...workspace, window: "day", windowKey: day }, "cost_usd", dailyCostLimit);
  add({ ...workspace, window: "month", windowKey: monthOf(spend.hour) }, "cost_usd", monthlyCostLimit);
  return limits;
}

/** What a session has left of each field that is used up: amounts by its limits, time until its deadline. */
export function remainingBudget(
  session: LimitedSession,
  balance: Balance,
  hardCaps: Budget,
  raises: readonly Raise[],
  nowMs: number,
): Partial<Budget> {
  const limits = sessionLimits(session, "session", balance, hardCaps, raises, nowMs);
  return Object.fromEntries(
    limits.map((limit) => [FIELD_OF[limit.measure as keyof typeof FIELD_OF], remainingOf(limit)]),
  );
}

/** Remaining is never shown below zero; overspend is its own number. */
export function remainingOf(limit: Limit): bigint {
  return max(0n, limit.limit - limit.spent - limit.held);
}

export const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
export const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);

function minOrNull(a: bigint | null, b: bigint | null): bigint | null {
  if (a === null) return b;
  return b === null ? a : min(a, b);
}
