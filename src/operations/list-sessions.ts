// list_sessions: the newest sessions with their handles, for the operator.
import { z } from "zod";
import { usdFromNano } from "../core/money.ts";
import type { Session } from "../ledger/session-row.ts";
import { listSessions as newest } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { defineOperation } from "./operation.ts";
import { instantOut } from "./output.ts";

export const listSessions = defineOperation({
  name: "list_sessions",
  title: "List sessions",
  description: "The newest sessions of the workspace, with ids, state and own cost.",
  input: z.strictObject({
    open: z.boolean({ error: "expected true or false" }).default(false).describe("Open ones only."),
    limit: z
      .number({ error: "expected a number, 1 to 500" })
      .int({ error: "expected a whole number" })
      .min(1, { error: "expected at least 1" })
      .max(500, { error: "expected at most 500" })
      .default(20),
  }),
  output: z.looseObject({ sessions: z.array(z.looseObject({})) }),
  access: "viewer",
  effect: "read",
  run: (context, _principal, args) =>
    context.ledger.read(function* (): Work<{ sessions: Record<string, unknown>[] }> {
      const sessions = yield* newest(context.policy.workspace.id, args.open ? "open" : "all", args.limit);
      return { sessions: sessions.map((session) => lineOf(session, context.now())) };
    }),
});

function lineOf(session: Session, now: number): Record<string, unknown> {
  const { totals } = session;
  const isExpired = session.status === "open" && session.expiresAt <= now;
  return {
    session_id: session.id,
    parent_session_id: session.parentSessionId,
    agent_id: session.agentId,
    team_id: session.teamId,
    task_id: session.taskId,
    user_id: session.userId,
    model: session.model,
    status: isExpired ? "expired" : session.status,
    error: session.error,
    started_at: instantOut(session.openedAt),
    ended_at: session.endedAt === null ? null : instantOut(session.endedAt),
    duration_ms: (session.endedAt ?? now) - session.openedAt,
    cost_usd: usdFromNano(totals.cost),
    max_cost_usd: usdFromNano(session.budget.maxCostCents),
    tokens: Number(totals.inputTokens + totals.outputTokens + totals.cacheReadTokens + totals.cacheWriteTokens),
    tool_calls: Number(totals.toolCalls),
  };
}
