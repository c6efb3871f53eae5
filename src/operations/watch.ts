// Watching: what a report or an opening shows that an operator should know, found in its own transaction.
import { dayOf } from "../core/balance-key.ts";
import { capSoon, capToWatch, marksAt } from "../core/cap-pace.ts";
import { type GuidedCost, redFlags } from "../core/guidelines.ts";
import type { Finding } from "../core/incident.ts";
import type { Limit } from "../core/limits.ts";
import { mayBeSpike, outputHeavy, tokenSpike } from "../core/session-pace.ts";
import { windowAt } from "../core/window.ts";
import { type LocalTime, outsideHours } from "../core/working-hours.ts";
import { findMarks, putMarks } from "../ledger/cap-pace.ts";
import type { NewCharge } from "../ledger/charges.ts";
import { openSessionsOnTask } from "../ledger/session-lists.ts";
import type { Session } from "../ledger/session-row.ts";
import { addToWatch, findRolePace } from "../ledger/session-watch.ts";
import type { Work } from "../ledger/statement.ts";
import type { Context } from "./operation.ts";
import { NOTHING_RAISED, type Raised, raise } from "./raise.ts";
import type { Standing } from "./standing.ts";

export type BookedReport = {
  readonly standing: Standing;
  /** With its totals as they are after the charge. */
  readonly session: Session;
  readonly charge: NewCharge;
  readonly limits: readonly Limit[];
  /** Beside what they usually are. */
  readonly costs: readonly GuidedCost[];
};

/** Call it after the charge was booked: its balances are locked. An ordinary report costs one statement. */
export function* watchReport(context: Context, report: BookedReport, now: number): Work<Raised> {
  const { policy } = context;
  const { standing, session, charge } = report;
  const { spend } = standing;
  const found = [
    ...redFlags(policy, report.costs),
    ...(session.status === "open" ? yield* paceFindings(context, report, now) : []),
    policy.hours && outsideHours(policy, spend.agentId, charge.cost, localTime(context, charge.occurredAt)),
    yield* capFinding(context, report, now),
  ];
  return yield* raise(
    context,
    found.filter((finding) => finding !== null),
    standing,
    session.id,
  );
}

function* paceFindings(
  context: Context,
  { standing, session, charge }: BookedReport,
  now: number,
): Work<(Finding | null)[]> {
  const { token_spike: spike, output_heavy: heavy } = context.policy.incidents;
  const { usage, error } = charge;
  const { totals } = session;
  const tokens = usage.inputTokens + usage.cacheWriteTokens + usage.outputTokens;
  const watch = yield* addToWatch(session.id, tokens, error === null ? null : errorHash(context, error), now);
  const watched = {
    id: session.id,
    agentId: session.agentId,
    charges: Number(totals.charges),
    day: dayOf(standing.spend.hour),
    openedAt: session.openedAt,
  };
  const prompt = Number(totals.inputTokens + totals.cacheReadTokens + totals.cacheWriteTokens);
  return [
    mayBeSpike(spike, watched, watch)
      ? tokenSpike(spike, watched, watch, yield* findRolePace(session.workspaceId, session.role))
      : null,
    outputHeavy(heavy, watched, { prompt, output: Number(totals.outputTokens) }),
  ];
}

/** Two texts are one error when they differ in numbers only. Nothing but this hash is ever kept of them. */
function errorHash(context: Context, error: string): string {
  const plain = error.toLowerCase().replace(/\d+/g, "0").replace(/\s+/g, " ").trim();
  return context.sha256(plain).slice(0, 16);
}

function* capFinding(context: Context, { standing, limits }: BookedReport, now: number): Work<Finding | null> {
  const rule = context.policy.incidents.cap_soon;
  const cap = capToWatch(rule, limits);
  if (!cap) return null;
  const marks = yield* findMarks(standing.spend.workspaceId, cap);
  const kept = marksAt(marks, now, cap.spent);
  if (kept !== marks) yield* putMarks(standing.spend.workspaceId, cap, kept);
  return capSoon(rule, cap, marks, now);
}

/** An hour that daylight saving repeats is one hour of 60 minutes here. */
function localTime({ policy }: Context, atMs: number): LocalTime {
  const hour = windowAt("hour", atMs, policy.workspace.timezone);
  const minute = Math.min(59, Math.floor((atMs - hour.start) / 60_000));
  return { day: dayOf(hour.key), minute: Number(hour.key.slice(11)) * 60 + minute };
}

/** Call it when nothing else refuses the opening: is another agent, of another swarm, at the same task? */
export function* watchOpening(context: Context, session: Session, standing: Standing, now: number): Work<Raised> {
  const rule = context.policy.incidents.duplicate_work;
  const { taskId, agentId, workspaceId } = session;
  if (!rule.enabled || taskId === null) return NOTHING_RAISED;
  const open = yield* openSessionsOnTask(workspaceId, taskId, now);
  // A swarm works for the agent at its root: what its sub-agents do is that agent's own to divide.
  const rootAgentId = standing.ancestors[0]?.agentId ?? agentId;
  const other = open.find((each) => each.agentId !== agentId && each.rootAgentId !== rootAgentId);
  if (!other) return NOTHING_RAISED;
  const finding: Finding = {
    kind: "duplicate_work",
    scope: "task",
    scopeId: taskId,
    windowKey: dayOf(standing.spend.hour),
    evidence: {
      other_agent_id: other.agentId,
      other_session_id: other.id,
      since: new Date(other.openedAt).toISOString(),
    },
    message: `Two agents have sessions open on task ${taskId} at the same time.`,
    advice: "Find out who does what before you spend; if one waits for the other, make it depend on it.",
  };
  // With a stop it is refused, and never becomes a session.
  return yield* raise(context, [finding], standing, rule.stop ? null : session.id);
}
