// open_session: admit a block of agent work, with a budget that nothing it holds can widen.
import { z } from "zod";
import { callerId } from "../core/id.ts";
import { lookup } from "../core/limits.ts";
import { type Verdict, verdictOf } from "../core/verdict.ts";
import { readBalances } from "../ledger/balances.ts";
import type { Session } from "../ledger/session-row.ts";
import { findSession, findSessionByKey, insertSession } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { admit } from "./admission.ts";
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
import { budgetOut, instantOut, verdictOut, verdictOutput } from "./output.ts";
import { limitsOf, noticesOf, sessionStanding } from "./standing.ts";
import { refuseForeignTask } from "./task-access.ts";

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
    .describe("Send the same key when you repeat this call: you get the same session."),
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
    "Open a session before a block of work; report all usage to it and end it when done. Returns session_id, the effective budget and a verdict. When verdict.decision is deny, session_id is null: do not start, follow verdict.message. For a sub-agent pass your session_id as parent_session_id: its spend counts against yours too. It is open until end_session; its time limit is expires_at.",
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
  const opening = {
    agentId,
    parent: yield* findParent(context, principal, args.parent_session_id),
    taskId: args.task_id ?? null,
    userId: args.user_id ?? null,
    role: args.role ?? null,
    model: args.model ?? null,
    provider: args.provider ?? null,
    budget: budgetFromWire(args.budget),
    tools: { allow: args.tools?.allow ?? null, deny: args.tools?.deny ?? [] },
    key: args.idempotency_key === undefined ? null : { key: args.idempotency_key, request },
  };
  const { session, verdict } = yield* admit(context, principal, opening, now);
  if (verdict.decision !== "deny") yield* insertSession(session);
  return answer(session, verdict, verdict.decision === "deny" ? "refused" : "opened");
}

function* findParent(context: Context, principal: Principal, id: string | undefined): Work<Session | null> {
  if (id === undefined) return null;
  const parent = yield* findSession(context.policy.workspace.id, id);
  if (!parent || !mayTouch(principal, parent.agentId)) throw sessionNotFound();
  return parent;
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
