// Swarms as answers show them: what a root and all below it came to, and one line for each session.
import { type Nano, usdFromNano } from "../core/money.ts";
import type { Session } from "../ledger/session-row.ts";
import type { Swarm } from "../ledger/swarms.ts";
import { instantOut, statusOut } from "./output.ts";
import { sessionLine } from "./session-line.ts";

/** `sessions` and `open` count the root too. */
export function swarmOut({ root, below }: Swarm, treeCost: Nano, now: number) {
  return {
    session_id: root.id,
    agent_id: root.agentId,
    task_id: root.taskId,
    status: statusOut(root, now),
    started_at: instantOut(root.openedAt),
    ended_at: root.endedAt === null ? null : instantOut(root.endedAt),
    sessions: 1 + below.sessions,
    open: (statusOut(root, now) === "open" ? 1 : 0) + below.open,
    depth: below.depth,
    cost_usd: usdFromNano(root.totals.cost),
    tree_cost_usd: usdFromNano(treeCost),
    max_cost_usd: usdFromNano(root.budget.maxCostCents),
  };
}

export function memberOut(session: Session, treeCost: Nano, now: number) {
  return {
    ...sessionLine(session),
    depth: session.depth,
    status: statusOut(session, now),
    tree_cost_usd: usdFromNano(treeCost),
  };
}
