// Admission: the session that an opening comes to, and what speaks for or against it, under the locks that opening needs.
import { type Attribution, sortKeys } from "../core/balance-key.ts";
import type { Budget } from "../core/budget.ts";
import { effectiveBudget, narrowMemory, narrowTools, policyPermissions, roleNameOf } from "../core/inheritance.ts";
import { type BalanceLookup, lookup } from "../core/limits.ts";
import type { ToolPermissions } from "../core/policy.ts";
import { type Ask, type Refusal, type Verdict, verdictOf } from "../core/verdict.ts";
import { NO_TOTALS, type Session } from "../ledger/session-row.ts";
import { findAncestors } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { findTask } from "../ledger/tasks.ts";
import { lockAndExpire } from "./expiry.ts";
import { type Context, hourAt, type Principal } from "./operation.ts";
import { clampOut } from "./output.ts";
import { closeOverdue } from "./overdue.ts";
import { modelRefusal } from "./pricing.ts";
import { NOTHING_RAISED } from "./raise.ts";
import { inheritedRemaining, parentRefusals, spawnLimits, spawnLock } from "./spawn.ts";
import { knownTask, limitsOf, noticesOf, type Standing, standingOf } from "./standing.ts";
import { mayReachTask } from "./task-access.ts";
import { watchOpening } from "./watch.ts";

/** What is known of a session before it is open. */
export type Opening = {
  readonly agentId: string;
  readonly parent: Session | null;
  readonly taskId: string | null;
  readonly userId: string | null;
  readonly role: string | null;
  readonly model: string | null;
  readonly provider: string | null;
  /** Can only lower what the policy says, as can the tools. */
  readonly budget: Partial<Budget>;
  readonly tools: ToolPermissions;
  readonly key: { readonly key: string; readonly request: string } | null;
};

/** The session is not in the ledger yet: whoever admits it puts it there. */
export function* admit(
  context: Context,
  principal: Principal,
  opening: Opening,
  now: number,
): Work<{ session: Session; verdict: Verdict }> {
  const { policy } = context;
  const { agentId, parent } = opening;
  const ancestors = parent ? [...(yield* findAncestors(parent)), parent] : [];
  const id = context.newId("session");
  const spend: Attribution = {
    workspaceId: policy.workspace.id,
    chain: [...(parent?.chain ?? []), id],
    agentId,
    teamId: policy.agents.get(agentId)?.team ?? parent?.teamId ?? null,
    taskId: opening.taskId ?? parent?.taskId ?? null,
    hour: hourAt(context, now),
  };
  const standing = yield* standingOf(policy, spend, null, ancestors, now);
  // The new session's own balance is nobody else's yet: a refusal must not leave a row of it behind.
  const shared = standing.keys.filter((key) => key.scopeId !== id);
  const balanceOf = lookup(yield* lockAndExpire(context, sortKeys([...shared, ...spawnLock(parent)]), now));
  yield* closeOverdue(context, now);
  const session = prepare(context, opening, standing, balanceOf, now);
  const refusals = [
    ...standing.refusals,
    ...parentRefusals(parent, now),
    ...(yield* ruleRefusals(context, principal, session, now)),
  ];
  const limits = [
    ...limitsOf(policy, { ...standing, session }, balanceOf, now),
    ...(yield* spawnLimits(policy, parent, ancestors, now)),
  ];
  const notices = noticesOf(policy, standing, balanceOf);
  const alone = verdictOf(limits, SPAWN, policy.warnAtPpm, refusals, notices);
  const raised = alone.decision === "deny" ? NOTHING_RAISED : yield* watchOpening(context, session, standing, now);
  const verdict =
    raised === NOTHING_RAISED
      ? alone
      : verdictOf(limits, SPAWN, policy.warnAtPpm, raised.refusals, [...raised.notices, ...notices]);
  return { session, verdict };
}

/** Opening takes one place among the children; root sessions meet no such limit. */
const SPAWN: Ask = { child_agents: 1n, concurrent_children: 1n };

function prepare(
  context: Context,
  opening: Opening,
  standing: Standing,
  balanceOf: BalanceLookup,
  now: number,
): Session {
  const { policy } = context;
  const { spend, ancestors } = standing;
  const { parent } = opening;
  const { raises } = standing.runTime;
  const role = roleNameOf(policy, spend.agentId, opening.role);
  const inherited = parent && {
    budget: parent.budget,
    remaining: inheritedRemaining(policy, ancestors, balanceOf, raises, now),
  };
  const effective = effectiveBudget(policy, spend.agentId, role, opening.budget, inherited);
  const own = policyPermissions(policy, spend.agentId, role);
  const tools = narrowTools(own.tools, opening.tools);
  const deadline = now + Number(effective.budget.maxDuration);
  return {
    ...spend,
    id: spend.chain.at(-1) ?? "",
    role,
    userId: opening.userId ?? parent?.userId ?? null,
    model: opening.model,
    provider: opening.provider ?? policy.agents.get(spend.agentId)?.provider ?? null,
    parentSessionId: parent?.id ?? null,
    parentAgentId: parent?.agentId ?? null,
    depth: parent ? parent.depth + 1 : 0,
    budget: effective.budget,
    tools: parent ? narrowTools(tools, parent.tools) : tools,
    memory: parent ? narrowMemory(own.memory, parent.memory) : own.memory,
    clamped: effective.clamped.map(clampOut),
    status: "open",
    error: null,
    openedAt: now,
    expiresAt: parent ? Math.min(deadline, parent.expiresAt) : deadline,
    endedAt: null,
    execution: null,
    idempotencyKey: opening.key?.key ?? null,
    request: opening.key?.request ?? null,
    totals: NO_TOTALS,
  };
}

/** A task that waits for others, or a model that the policy does not admit. */
function* ruleRefusals(context: Context, principal: Principal, session: Session, now: number): Work<Refusal[]> {
  const model = modelRefusal(context, session.model, session.provider, now);
  const refusals = model ? [model] : [];
  const waitsFor = session.taskId === null ? null : yield* unfinishedDependency(context, session.taskId);
  if (waitsFor !== null) {
    const which = (yield* mayReachTask(context, principal, waitsFor)) ? `task ${waitsFor}` : "another team's task";
    refusals.push({
      kind: "dependency",
      scope: "task",
      scopeId: session.taskId ?? "",
      text: `Task ${session.taskId} waits for ${which}, which is not done. Work on that first, or come back later.`,
    });
  }
  return refusals;
}

/** The first task that this one depends on and that is neither done nor cancelled. */
function* unfinishedDependency(context: Context, taskId: string): Work<string | null> {
  const task = yield* knownTask(context.policy, context.policy.workspace.id, taskId);
  for (const id of task?.dependsOn ?? []) {
    const state = yield* findTask(context.policy.workspace.id, id);
    if (!state || state.status === "open") return id;
  }
  return null;
}
