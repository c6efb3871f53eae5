// A session as lists tell it: which, whose, since when, and what it used itself.
import { usdFromNano } from "../core/money.ts";
import type { Session } from "../ledger/session-row.ts";
import { instantOut } from "./output.ts";

export function sessionLine(session: Session) {
  return {
    session_id: session.id,
    parent_session_id: session.parentSessionId,
    agent_id: session.agentId,
    task_id: session.taskId,
    model: session.model,
    started_at: instantOut(session.openedAt),
    cost_usd: usdFromNano(session.totals.cost),
    max_cost_usd: usdFromNano(session.budget.maxCostCents),
  };
}

/** Of every kind, cached ones included. */
export const tokensOf = ({ totals }: Session): number =>
  Number(totals.inputTokens + totals.outputTokens + totals.cacheReadTokens + totals.cacheWriteTokens);
