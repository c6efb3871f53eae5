// Executions as they are made: a session ends, is counted in its windows, and a late charge moves its score.
import { dayOf } from "../core/balance-key.ts";
import { type Execution, executionWindows, type Outcome, scoreOf } from "../core/execution.ts";
import type { Nano } from "../core/money.ts";
import { type Session, type SessionTotals, toSession } from "./session-row.ts";
import { endWatch } from "./session-watch.ts";
import { type Arguments, all, first, statement, type Work } from "./statement.ts";
import type { ExecutionsByWindowTable, SessionStatus } from "./tables.ts";

/** How and when a session ended; `hour` is the local hour of that. */
export type Ending = {
  readonly status: Exclude<SessionStatus, "open">;
  readonly outcome: Outcome;
  readonly error: string | null;
  readonly atMs: number;
  readonly hour: string;
};

const end = statement(
  (
    db,
    args: {
      id: string;
      status: string;
      outcome: string;
      error: string | null;
      at: bigint;
      hour: string;
      costLimit: bigint;
    },
  ) =>
    db
      .updateTable("sessions")
      .set({
        status: args.status as SessionStatus,
        outcome: args.outcome as Outcome,
        error: args.error,
        ended_at: args.at,
        ended_hour: args.hour,
        cost_limit_nano_usd: args.costLimit,
      })
      .where("id", "=", args.id)
      .where("status", "=", "open")
      .returningAll(),
);

/** Ends an open session, counts the execution and ends its watch; answers whether it was open. */
export function* endOpenSession(session: Session, ending: Ending): Work<"ended" | "was_not_open"> {
  const { status, outcome, error, hour } = ending;
  const costLimit = session.budget.maxCostCents;
  const row = yield* first(end, { id: session.id, status, outcome, error, at: BigInt(ending.atMs), hour, costLimit });
  if (!row) return "was_not_open";
  const ended = toSession(row);
  const execution = executionOf(ended, ended.totals);
  if (execution === null) throw new TypeError("a session that has just ended is no execution");
  yield* addToWindows(ended, hour, {
    executions: 1n,
    successes: outcome === "success" ? 1n : 0n,
    latency_ms: execution.latencyMs,
    score_ppm: scoreOf(execution),
  });
  yield* endWatch(ended.workspaceId, ended.id, ended.role);
  return "ended";
}

/** After charges are booked: on an ended session they change what that had left of its cost limit, hence its score. */
export function* followCharges(session: Session, cost: Nano, totals: SessionTotals): Work<void> {
  const hour = session.execution?.hour ?? null;
  const before = executionOf(session, { ...totals, cost: totals.cost - cost });
  const after = executionOf(session, totals);
  if (hour === null || before === null || after === null) return;
  const score_ppm = scoreOf(after) - scoreOf(before);
  if (score_ppm !== 0n)
    yield* addToWindows(session, hour, { executions: 0n, successes: 0n, latency_ms: 0n, score_ppm });
}

/** Null while the session is open. */
function executionOf({ execution, openedAt, expiresAt, endedAt }: Session, { cost }: SessionTotals): Execution | null {
  if (execution === null || endedAt === null) return null;
  const { outcome, costLimit } = execution;
  const latencyMs = BigInt(Math.max(0, endedAt - openedAt));
  return { outcome, cost, costLimit, latencyMs, timeLimitMs: BigInt(expiresAt - openedAt) };
}

/** What a window sums up. */
export const EXECUTION_SUMS = ["executions", "successes", "latency_ms", "score_ppm"] as const;
export type ExecutionSums = Readonly<Record<(typeof EXECUTION_SUMS)[number], bigint>>;

function* addToWindows({ workspaceId, agentId }: Session, hour: string, sums: ExecutionSums): Work<void> {
  for (const { kind, key } of executionWindows(dayOf(hour)))
    yield* all(executionUpsert, {
      workspace_id: workspaceId,
      window_kind: kind,
      window_key: key,
      agent_id: agentId,
      ...sums,
      // Only an execution makes a row; a score that falls finds its row there.
      new_score_ppm: sums.executions === 0n ? 0n : sums.score_ppm,
    });
}

const executionUpsert = statement((db, args: Arguments) =>
  db
    .insertInto("executions_by_window")
    .values({
      workspace_id: args.workspace_id,
      window_kind: args.window_kind,
      window_key: args.window_key,
      agent_id: args.agent_id,
      executions: args.executions,
      successes: args.successes,
      latency_ms: args.latency_ms,
      score_ppm: args.new_score_ppm,
    } as ExecutionsByWindowTable)
    .onConflict((conflict) =>
      conflict
        .columns(["workspace_id", "window_kind", "window_key", "agent_id"])
        .doUpdateSet((eb) =>
          Object.fromEntries(
            EXECUTION_SUMS.map((sum) => [sum, eb(`executions_by_window.${sum}`, "+", args[sum] as bigint)]),
          ),
        ),
    ),
);
