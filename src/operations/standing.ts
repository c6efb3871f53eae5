// Where a spend stands: everything that bears on it, read in one transaction, and the verdict over it.
import { type Attribution, type BalanceKey, balanceKeys } from "../core/balance-key.ts";
import { type GuidedCost, guidedCosts, guidelineNotices } from "../core/guidelines.ts";
import {
  type BalanceLookup,
  type Limit,
  lookup,
  type RunTimeLimits,
  sessionLimits,
  sharedLimits,
} from "../core/limits.ts";
import type { Nano } from "../core/money.ts";
import type { Policy } from "../core/policy.ts";
import { costLimitOfTags } from "../core/task-tag.ts";
import type { Notice, Refusal } from "../core/verdict.ts";
import { readBalances } from "../ledger/balances.ts";
import { grantsInForce } from "../ledger/grants.ts";
import type { Session } from "../ledger/session-row.ts";
import { findAncestors } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { type Stop, stopsInForce } from "../ledger/stops.ts";
import { findTask, type TaskRecord } from "../ledger/tasks.ts";
import { teamInForce } from "./team.ts";

/** What is known of a task: the policy's description, the ledger's, or neither (any id may be spent on). */
export type Task = {
  readonly id: string;
  readonly team: string | null;
  readonly costLimit: Nano | null;
  readonly dependsOn: readonly string[];
  readonly taskType: string | null;
};

export type Standing = {
  readonly spend: Attribution;
  /** Null before a session is open. */
  readonly session: Session | null;
  /** Root first. */
  readonly ancestors: readonly Session[];
  readonly runTime: RunTimeLimits;
  /** Of the task, as whoever made it wrote it. */
  readonly taskType: string | null;
  readonly refusals: readonly Refusal[];
  /** The balances the limits need, sorted. */
  readonly keys: readonly BalanceKey[];
};

/** The standing of an open (or ended) session at an instant and its local hour. */
export function* sessionStanding(policy: Policy, session: Session, hour: string, nowMs: number): Work<Standing> {
  const ancestors = yield* findAncestors(session);
  return yield* standingOf(policy, { ...session, hour }, session, ancestors, nowMs);
}

/** The standing of any spend: what forbids it whatever the limits, the task's limit, and the balances to look at. */
export function* standingOf(
  policy: Policy,
  spend: Attribution,
  session: Session | null,
  ancestors: readonly Session[],
  nowMs: number,
): Work<Standing> {
  const task = spend.taskId === null ? null : yield* knownTask(policy, spend.workspaceId, spend.taskId);
  const stops = yield* stopsInForce(spend.workspaceId);
  const refusals = stops.map((stop) => stopRefusal(stop, spend, ancestors)).filter((refusal) => refusal !== null);
  if (policy.unknownAgents === "deny" && !policy.agents.has(spend.agentId)) refusals.push(unknownAgent(spend.agentId));
  if (session && session.status !== "open") refusals.push(sessionEnded(session.id));
  const runTime = yield* runTimeLimits(policy, spend, task, nowMs);
  const taskType = task?.taskType ?? null;
  return { spend, session, ancestors, runTime, taskType, refusals, keys: balanceKeys(spend) };
}

function* runTimeLimits(policy: Policy, spend: Attribution, task: Task | null, nowMs: number): Work<RunTimeLimits> {
  const team = yield* teamInForce(policy, spend.teamId);
  const taskTeam =
    task === null || task.team === null || task.team === spend.teamId ? team : yield* teamInForce(policy, task.team);
  return {
    teamDaily: team?.dailyCostLimit ?? null,
    // The task's own `budget:` tag, else the limit per task of its team, else of the spending agent's team.
    task: spend.taskId === null ? null : (task?.costLimit ?? taskTeam?.taskCostLimit ?? null),
    raises: yield* grantsInForce(spend.workspaceId, nowMs),
  };
}

/** Every limit that bears on the spend, with what stands against it. */
export function limitsOf(policy: Policy, standing: Standing, balanceOf: BalanceLookup, nowMs: number): Limit[] {
  const { session, ancestors, spend } = standing;
  const ofSession = (each: Session, scope: "session" | "ancestor"): Limit[] =>
    sessionLimits(
      each,
      scope,
      balanceOf({ scope: "session", scopeId: each.id, window: "session", windowKey: "" }),
      policy.hardCaps,
      standing.runTime.raises,
      nowMs,
    );
  return [
    ...(session ? ofSession(session, "session") : []),
    ...ancestors.flatMap((ancestor) => ofSession(ancestor, "ancestor")),
    ...sharedLimits(spend, policy, standing.runTime, balanceOf, nowMs),
  ];
}

/** What was spent beside what such work usually costs. */
export function usualCosts(policy: Policy, standing: Standing, balanceOf: BalanceLookup): GuidedCost[] {
  return guidedCosts(policy, standing.spend, standing.taskType, balanceOf);
}

/** What to warn of that is no limit: more was spent than usual. */
export function noticesOf(policy: Policy, standing: Standing, balanceOf: BalanceLookup): Notice[] {
  return guidelineNotices(usualCosts(policy, standing, balanceOf), standing.runTime.teamDaily);
}

/** The same with what stands against them read now: to look at, never to decide a write on. */
export function* limitsNow(policy: Policy, standing: Standing, nowMs: number): Work<Limit[]> {
  const balanceOf = lookup(yield* readBalances(standing.spend.workspaceId, standing.keys));
  return limitsOf(policy, standing, balanceOf, nowMs);
}

/** A task by its id: what was added at run time comes second to what astra.yml says. */
export function* knownTask(policy: Policy, workspaceId: string, id: string): Work<Task | null> {
  const listed = policy.tasks.get(id);
  if (listed) return listed;
  const added = yield* findTask(workspaceId, id);
  return added ? taskOf(added) : null;
}

function taskOf(record: TaskRecord): Task {
  return {
    id: record.id,
    team: record.teamId,
    costLimit: costLimitOfTags(record.tags),
    dependsOn: record.dependsOn,
    taskType: record.taskType,
  };
}

/** Whatever has the stopped thing's name: the spend's own session (or what will be one), or one above it. */
type Stoppable = Pick<Session, "id" | "agentId" | "teamId" | "taskId">;

/** Does a stop name this session, its agent, team or task? A stop reaches everything below what it names. */
export function names(stop: Pick<Stop, "scope" | "scopeId">, session: Stoppable): boolean {
  if (stop.scope === "workspace") return true;
  const { id, agentId, teamId, taskId } = session;
  return stop.scopeId === { session: id, agent: agentId, team: teamId, task: taskId }[stop.scope];
}

/** The refusal a stop comes to for a spend, null where it does not reach it. */
export function stopRefusal(stop: Stop, spend: Attribution, ancestors: readonly Session[]): Refusal | null {
  const text = `Stopped by the operator: ${stop.reason} Stop now and do not retry.`;
  const { workspaceId, agentId, teamId, taskId } = spend;
  if (names(stop, { id: spend.chain.at(-1) ?? "", agentId, teamId, taskId })) {
    return { kind: "stop", scope: stop.scope, scopeId: stop.scope === "workspace" ? workspaceId : stop.scopeId, text };
  }
  // An ancestor's session id is its handle: the child learns whose session it is, not which.
  const ancestor = ancestors.find((session) => names(stop, session));
  return ancestor ? { kind: "stop", scope: "ancestor", scopeId: ancestor.agentId, text } : null;
}

function sessionEnded(id: string): Refusal {
  return {
    kind: "session_ended",
    scope: "session",
    scopeId: id,
    text: "This session has ended. Stop, or open a new session.",
  };
}

function unknownAgent(agentId: string): Refusal {
  return {
    kind: "unknown_agent",
    scope: "agent",
    scopeId: agentId,
    text: `Agent ${agentId} is not in the policy, and the policy admits no unknown agents. Stop and ask a human to add it to astra.yml.`,
  };
}
