// Which balances one spend counts in: every scope and window that a limit may look at, always all of them.
import type { WindowKind } from "./window.ts";

export type BalanceScope = "agent" | "session" | "task" | "team" | "workspace";

/** One row of the balances: `windowKey` is the local calendar's name of the window, "" where there is none. */
export type BalanceKey = {
  readonly scope: BalanceScope;
  readonly scopeId: string;
  readonly window: WindowKind;
  readonly windowKey: string;
};

/** Who and when a spend belongs to. `chain`: session ids from the root to the session itself. */
export type Attribution = {
  readonly workspaceId: string;
  readonly chain: readonly string[];
  readonly agentId: string;
  readonly teamId: string | null;
  readonly taskId: string | null;
  /** Local hour of the spend ("2026-11-22T13"); its day and month are its prefixes. */
  readonly hour: string;
};

export const dayOf = (hour: string): string => hour.slice(0, 10);
export const monthOf = (hour: string): string => hour.slice(0, 7);

/**
 * The balances a spend counts in, sorted, so that every transaction locks them in one order. They do not depend
 * on the policy: a limit that is added later finds its balance already there.
 */
export function balanceKeys(spend: Attribution): BalanceKey[] {
  const { workspaceId, chain, agentId, teamId, taskId, hour } = spend;
  const day = dayOf(hour);
  // In order already, but for the chain: then sorting only looks.
  const keys: BalanceKey[] = [
    { scope: "agent", scopeId: agentId, window: "day", windowKey: day },
    { scope: "agent", scopeId: agentId, window: "hour", windowKey: hour },
  ];
  for (const id of chain) keys.push({ scope: "session", scopeId: id, window: "session", windowKey: "" });
  if (taskId !== null) keys.push({ scope: "task", scopeId: taskId, window: "total", windowKey: "" });
  if (teamId !== null) keys.push({ scope: "team", scopeId: teamId, window: "day", windowKey: day });
  keys.push(
    { scope: "workspace", scopeId: workspaceId, window: "day", windowKey: day },
    { scope: "workspace", scopeId: workspaceId, window: "month", windowKey: monthOf(hour) },
  );
  return sortKeys(keys);
}

/** One text for one key. */
export function keyText(key: BalanceKey): string {
  return `${key.scope} ${key.scopeId} ${key.window} ${key.windowKey}`;
}

/** In the order in which every transaction locks them, and without repeats. */
export function sortKeys(keys: readonly BalanceKey[]): BalanceKey[] {
  const sorted = [...keys].sort(compareKeys);
  return sorted.filter((key, i) => i === 0 || compareKeys(sorted[i - 1] as BalanceKey, key) !== 0);
}

/** Negative, zero (the same key) or positive; column by column, as no text of both need be made for it. */
export function compareKeys(a: BalanceKey, b: BalanceKey): number {
  return (
    compare(a.scope, b.scope) ||
    compare(a.scopeId, b.scopeId) ||
    compare(a.window, b.window) ||
    compare(a.windowKey, b.windowKey)
  );
}

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);
