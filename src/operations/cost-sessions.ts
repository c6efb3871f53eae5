// Sessions as answers about costs list them: the newest of a range, and one session's tree.
import { usdFromNano } from "../core/money.ts";
import { sessionsOf } from "../ledger/cost-sessions.ts";
import type { CostFilter } from "../ledger/costs.ts";
import type { Session } from "../ledger/session-row.ts";
import { descendantsOf, findSession } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { findTask } from "../ledger/tasks.ts";
import { instantsOf } from "./cost-filter.ts";
import type { Context, Principal } from "./operation.ts";
import { tokensOf } from "./session-line.ts";
import { byPlace, treeCostsOf } from "./session-tree.ts";

/** The newest sessions, and how many more there are. */
export function* newestSessions(context: Context, principal: Principal, filter: CostFilter, limit: number) {
  const { fromMs, toMs } = instantsOf(filter, context.policy.workspace.timezone);
  const { sessions, count } = yield* sessionsOf(filter, fromMs, toMs, limit);
  const listed = [];
  for (const session of sessions) {
    const line = sessionOut(session, yield* titleOf(context, session.taskId), context.now());
    // To an agent a session id is a handle: whoever knows it can spend on it.
    listed.push(principal.kind !== "agent" ? { session_id: session.id, ...line } : line);
  }
  return { sessions: listed, sessions_left_out: count - sessions.length };
}

function* titleOf(context: Context, taskId: string | null): Work<string | null> {
  if (taskId === null) return null;
  const listed = context.policy.tasks.get(taskId);
  return listed ? listed.title : ((yield* findTask(context.policy.workspace.id, taskId))?.title ?? null);
}

/** A session as the Cost Control guide lists it ("Team cost summary"); tokens are its prompt and completion. */
function sessionOut(session: Session, title: string | null, now: number) {
  const { totals } = session;
  return {
    agent_name: session.agentId,
    task_id: session.taskId,
    task_title: title,
    status: session.status,
    cost_usd: usdFromNano(totals.cost),
    tokens: tokensOf(session),
    duration_minutes: Math.round(((session.endedAt ?? Math.min(now, session.expiresAt)) - session.openedAt) / 60_000),
  };
}

/** A session and all below it, parents before children: what each cost itself, and with its descendants. */
export function* treeOf(context: Context, principal: Principal, sessionId: string) {
  const workspaceId = context.policy.workspace.id;
  const top = yield* findSession(workspaceId, sessionId);
  if (!top) return [];
  const sessions = [top, ...(yield* descendantsOf(top))].sort(byPlace);
  const treeCostOf = yield* treeCostsOf(workspaceId, sessions);
  return sessions.map((session) => ({
    ...(principal.kind === "agent" ? {} : { session_id: session.id }),
    agent_name: session.agentId,
    depth: session.depth - top.depth,
    status: session.status,
    cost_usd: usdFromNano(session.totals.cost),
    tree_cost_usd: usdFromNano(treeCostOf(session)),
  }));
}
