// open_session: admit a block of agent work, with a budget that nothing it holds can widen.
import { z } from "zod";
import { type Attribution, sortKeys } from "../core/balance-key.ts";
import { callerId } from "../core/id.ts";
import { effectiveBudget, narrowMemory, narrowTools, policyPermissions, roleNameOf } from "../core/inheritance.ts";
import { type BalanceLookup, lookup } from "../core/limits.ts";
import { type Ask, type Refusal, type Verdict, verdictOf } from "../core/verdict.ts";
import { readBalances } from "../ledger/balances.ts";
import { NO_TOTALS, type Session } from "../ledger/session-row.ts";
import { findAncestors, findSession, findSessionByKey, insertSession } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { findTask } from "../ledger/tasks.ts";
import { lockAndExpire } from "./expiry.ts";
import { idReused, requestText } from "./idempotency.ts";
import { budgetFromWire, budgetInput, idempotencyKey, ourId } from "./input.ts";
import {
  type Context,
  callingAgent,
  defineOperation,
  hourAt,
  invalidInput,
  mayTouch,
  type Principal,
  sessionNotFound,
} from "./operation.ts";
import { budgetOut, clampOut, instantOut, verdictOut, verdictOutput } from "./output.ts";
import { closeOverdue } from "./overdue.ts";
import { modelRefusal } from "./pricing.ts";
import { NOTHING_RAISED } from "./raise.ts";
import { inheritedRemaining, parentRefusals, spawnLimits, spawnLock } from "./spawn.ts";
import { knownTask, limitsOf, noticesOf, type Standing, sessionStanding, standingOf } from "./standing.ts";
import { mayReachTask, refuseForeignTask } from "./task-access.ts";
import { watchOpening } from "./watch.ts";

const input = z.strictObject({
  agent_id: callerId
    .optional()
    .describe("Who works, e.g. research-agent. Needed unless the server is pinned to an agent."),
  task_id: callerId.optional().describe("The task worked on, e.g. 594. A child inherits its parent's."),
  model: callerId.optional().describe("Model of the reports to come, e.g. claude-sonnet-4-20250514."),
  provider: callerId.optional().describe("e.g. anthropic"),
  user_id: callerId.optional().describe("On whose behalf."),
  role: callerId.optional().describe("e.g. researcher. Counts only for agents the policy does not list."),
  parent_session_id: ourId("session").optional().describe("Your own session_id when you spawn a sub-agent."),
  budget: budgetInput
    .optional()
    .describe("Lower limits than the policy's; max_cost_cents in cents, max_duration in ms. It can only lower."),
  tools: z
    .strictObject({ allow: z.array(callerId).max(200).optional(), deny: z.array(callerId).max(200).optional() })
    .optional()
    .describe("Fewer tools than permitted."),
  idempotency_key: idempotencyKey
    .optional()
    .describe("Send the same key when you repeat this call: you then get the same session."),
});

const output = z.looseObject({
  session_id: z.string().nullable(),
  status: z.enum(["open", "refused", "success", "error", "cancelled"]),
  budget: z.looseObject({}),
  expires_at: z.string().nullable(),
  verdict: verdictOutput,
});

type Input = z.output<typeof input>;

export const openSession = defineOperation({
  name: "open_session",
  title: "Open a budget session",
  description:
    "Open a session before a block of work; report all usage to it and end it when done. Returns session_id, the effective budget and a verdict. When verdict.decision is deny, session_id is null: do not start, follow verdict.message. For a sub-agent pass your session_id as parent_session_id: its spend counts against yours too. Sessions stay in the ledger for good; one is open until end_session, its time limit is expires_at.",
  input,
  output,
  access: "agent",
  effect: "write",
  run: (context, principal, args) => context.ledger.write(() => open(context, principal, args)),
});

function* open(context: Context, principal: Principal, args: Input): Work<z.input<typeof output>> {
  const now = context.now();
  const { policy } = context;
  const agentId = callingAgent(principal, args.agent_id);
  if (agentId === null) throw invalidInput("agent_id", "expected the id of the agent that works");
  const request = requestText({ ...args, agent_id: agentId });
  if (args.idempotency_key !== undefined) {
    const earlier = yield* findSessionByKey(policy.workspace.id, agentId, args.idempotency_key);
    if (earlier) return yield* repeat(context, earlier, request, now);
  }
  yield* refuseForeignTask(context, principal, args.task_id);
  const parent = yield* findParent(context, principal, args.parent_session_id);
  const ancestors = parent ? [...(yield* findAncestors(parent)), parent] : [];
  const id = context.newId("session");
  const hour = hourAt(context, now);
  const spend: Attribution = {
    workspaceId: policy.workspace.id,
    chain: [...(parent?.chain ?? []), id],
    agentId,
    teamId: policy.agents.get(agentId)?.team ?? parent?.teamId ?? null,
    taskId: args.task_id ?? parent?.taskId ?? null,
    hour,
  };
  const standing = yield* standingOf(policy, spend, null, ancestors, now);
  // The new session's own balance is nobody else's yet: a refusal must not leave a row of it behind.
  const shared = standing.keys.filter((key) => key.scopeId !== id);
  const balanceOf = lookup(yield* lockAndExpire(context, sortKeys([...shared, ...spawnLock(parent)]), now));
  yield* closeOverdue(context, now);
  const session = prepare(context, args, request, standing, parent, balanceOf, now);
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
  if (verdict.decision !== "deny") yield* insertSession(session);
  return answer(session, verdict, verdict.decision === "deny" ? "refused" : "opened");
}

/** Opening takes one place among the children; root sessions meet no such limit. */
const SPAWN: Ask = { child_agents: 1n, concurrent_children: 1n };

function* findParent(context: Context, principal: Principal, id: string | undefined): Work<Session | null> {
  if (id === undefined) return null;
  const parent = yield* findSession(context.policy.workspace.id, id);
  if (!parent || !mayTouch(principal, parent.agentId)) throw sessionNotFound();
  return parent;
}

function prepare(
  context: Context,
  args: Input,
  request: string,
  standing: Standing,
  parent: Session | null,
  balanceOf: BalanceLookup,
  now: number,
): Session {
  const { policy } = context;
  const { spend, ancestors } = standing;
  const { raises } = standing.runTime;
  const role = roleNameOf(policy, spend.agentId, args.role ?? null);
  const inherited = parent && {
    budget: parent.budget,
    remaining: inheritedRemaining(policy, ancestors, balanceOf, raises, now),
  };
  const effective = effectiveBudget(policy, spend.agentId, role, budgetFromWire(args.budget), inherited);
  const own = policyPermissions(policy, spend.agentId, role);
  const asked = { allow: args.tools?.allow ?? null, deny: args.tools?.deny ?? [] };
  const tools = narrowTools(own.tools, asked);
  const deadline = now + Number(effective.budget.maxDuration);
  return {
    ...spend,
    id: spend.chain.at(-1) ?? "",
    role,
    userId: args.user_id ?? parent?.userId ?? null,
    model: args.model ?? null,
    provider: args.provider ?? policy.agents.get(spend.agentId)?.provider ?? null,
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
    idempotencyKey: args.idempotency_key ?? null,
    request: args.idempotency_key === undefined ? null : request,
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

/** The same key again: the same session, with the verdict of now; another request under it is an error. */
function* repeat(context: Context, session: Session, request: string, now: number): Work<z.input<typeof output>> {
  if (session.request !== request) throw idReused();
  const standing = yield* sessionStanding(context.policy, session, hourAt(context, now), now);
  const balanceOf = lookup(yield* readBalances(session.workspaceId, standing.keys));
  const limits = limitsOf(context.policy, standing, balanceOf, now);
  const notices = noticesOf(context.policy, standing, balanceOf);
  const verdict = verdictOf(limits, {}, context.policy.warnAtPpm, standing.refusals, notices);
  return answer(session, verdict, "repeated");
}

function answer(session: Session, verdict: Verdict, how: "opened" | "repeated" | "refused"): z.input<typeof output> {
  const isRefused = how === "refused";
  return {
    session_id: isRefused ? null : session.id,
    status: isRefused ? "refused" : session.status,
    agent_id: session.agentId,
    role: session.role,
    team_id: session.teamId,
    task_id: session.taskId,
    parent_session_id: session.parentSessionId,
    depth: session.depth,
    budget: budgetOut(session.budget),
    clamped: session.clamped,
    tools: session.tools,
    memory: session.memory,
    started_at: isRefused ? null : instantOut(session.openedAt),
    expires_at: isRefused ? null : instantOut(session.expiresAt),
    verdict: verdictOut(verdict),
  };
}
