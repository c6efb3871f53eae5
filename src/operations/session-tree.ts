// What sessions and all below them cost, and the order in which a tree is told.
import { lookup } from "../core/limits.ts";
import type { Nano } from "../core/money.ts";
import { readBalances } from "../ledger/balances.ts";
import type { Session } from "../ledger/session-row.ts";
import type { Work } from "../ledger/statement.ts";

/** What each of these sessions came to with its descendants. */
export function* treeCostsOf(workspaceId: string, sessions: readonly Session[]): Work<(session: Session) => Nano> {
  const keyOf = ({ id }: Session) => ({ scope: "session", scopeId: id, window: "session", windowKey: "" }) as const;
  const keys = sessions.map(keyOf).sort((a, b) => (a.scopeId < b.scopeId ? -1 : 1));
  const balanceOf = lookup(yield* readBalances(workspaceId, keys));
  return (session) => balanceOf(keyOf(session)).spent.cost;
}

/** Parents before children, each followed by all below it. */
export const byPlace = (a: Session, b: Session): number => (a.chain.join("/") < b.chain.join("/") ? -1 : 1);
