// check_budget: what is left, whether an estimate fits, and optionally a hold that makes the answer binding.
import { z } from "zod";
import type { Attribution } from "../core/balance-key.ts";
import { callerId } from "../core/id.ts";
import { type BalanceLookup, type Limit, lookup, remainingOf } from "../core/limits.ts";
import { usdFromNano } from "../core/money.ts";
import { NOTHING } from "../core/usage.ts";
import { type Ask, isExhausted, type Refusal, type Verdict, verdictOf } from "../core/verdict.ts";
import { addToBalances, readBalances } from "../ledger/balances.ts";
import { dueHolds, insertHold } from "../ledger/holds.ts";
import { findSession } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { askOf, estimateInput } from "./estimate.ts";
import { expireDue, lockAndExpire } from "./expiry.ts";
import { once } from "./idempotency.ts";
import { idempotencyKey, ourId } from "./input.ts";
import {
  type Context,
  callingAgent,
  defineOperation,
  forbidden,
  hourAt,
  invalidInput,
  mayTouch,
  type Principal,
  sessionNotFound,
} from "./operation.ts";
import { instantOut, usdOf, usdOrNull, verdictOut, verdictOutput } from "./output.ts";
import { limitsOf, noticesOf, type Standing, sessionStanding, standingOf } from "./standing.ts";
import { refuseForeignTask } from "./task-access.ts";

const input = z.strictObject({
  session_id: ourId("session").optional().describe("Your session; with it all limits are checked."),
  agent_id: callerId.optional().describe("Without a session: the agent."),
  task_id: callerId.optional().describe("Without a session: the task."),
  estimate: estimateInput.optional().describe("What you are about to use; without cost_usd it is priced by model."),
  hold: z
    .boolean({ error: "expected true or false" })
    .default(false)
    .describe("Set the estimate aside in every limit until you report with hold_id. Needs session_id."),
  hold_ttl_ms: z
    .number({ error: "expected milliseconds, 1,000 to 86,400,000" })
    .int({ error: "expected whole milliseconds" })
    .min(1_000, { error: "expected at least 1,000 ms" })
    .max(86_400_000, { error: "expected at most a day (86,400,000 ms)" })
    .default(300_000)
    .describe("Longer than the call can take: after this a forgotten hold is let go."),
  idempotency_key: idempotencyKey.optional().describe("With hold: a repeat gets the same hold."),
});

const output = z.looseObject({
  daily_limit_usd: usdOrNull,
  daily_spent_usd: usdOrNull,
  daily_remaining_usd: usdOrNull,
  task_limit_usd: usdOrNull,
  task_spent_usd: usdOrNull,
  task_remaining_usd: usdOrNull,
  over_budget: z.boolean(),
  hold_id: z.string().nullable(),
  hold_expires_at: z.string().nullable(),
  verdict: verdictOutput,
});

type Input = z.output<typeof input>;

/** How long a hold may outlast its session's deadline: calls under way when it passed are still reported. */
const GRACE_MS = 300_000;

export const checkBudget = defineOperation({
  name: "check_budget",
  title: "Check the budget",
  description:
    "Ask before an expensive step. Answers every limit that applies and a verdict for your estimate: allow, warn (nearly used up) or deny (stop, or ask for less). With hold: true and no deny the estimate is set aside for you: pass hold_id to report_usage.",
  input,
  output,
  access: "anyone",
  effect: "write",
  run: async (context, principal, args) => {
    if (args.hold) {
      if (principal.kind === "viewer") throw forbidden("A hold", "agents and operators");
      return await context.ledger.write(() => holdEstimate(context, principal, args));
    }
    // A reader may not expire holds: where some are due, that comes first, in a write of its own.
    const seen = await context.ledger.read(() => lookUnlessDue(context, principal, args));
    if (seen) return seen;
    await context.ledger.write(() => expireDue(context, context.now()));
    return await context.ledger.read(() => look(context, principal, args));
  },
});

function* lookUnlessDue(context: Context, principal: Principal, args: Input): Work<z.input<typeof output> | null> {
  const due = yield* dueHolds(context.policy.workspace.id, context.now());
  return due.length > 0 ? null : yield* look(context, principal, args);
}

function* look(context: Context, principal: Principal, args: Input): Work<z.input<typeof output>> {
  const now = context.now();
  const standing = yield* standingFor(context, principal, args, now);
  const balanceOf = lookup(yield* readBalances(standing.spend.workspaceId, standing.keys));
  const { ask, refusals } = askOf(context, args.estimate, standing, now);
  return answer(verdictFor(context, standing, balanceOf, ask, refusals, now), standing, balanceOf, null);
}

function* holdEstimate(context: Context, principal: Principal, args: Input): Work<z.input<typeof output>> {
  const now = context.now();
  if (args.session_id === undefined)
    throw invalidInput("session_id", "expected with hold: true, because a hold belongs to a session");
  if (args.estimate === undefined) throw invalidInput("estimate", "expected with hold: true: what shall be set aside");
  const standing = yield* standingFor(context, principal, args, now);
  // What was denied left nothing behind: asked again, it may be allowed.
  const kept = (answer: z.input<typeof output>) => (answer.hold_id === null ? null : answer);
  const take = () => takeHold(context, standing, args, now);
  return yield* once(context, `session ${args.session_id}`, "check_budget", args, take, kept);
}

function* takeHold(context: Context, standing: Standing, args: Input, now: number): Work<z.input<typeof output>> {
  const balanceOf = lookup(yield* lockAndExpire(context, standing.keys, now));
  const { ask, amounts, refusals } = askOf(context, args.estimate, standing, now);
  const verdict = verdictFor(context, standing, balanceOf, ask, refusals, now);
  if (verdict.decision === "deny" || !standing.session) return answer(verdict, standing, balanceOf, null);
  const hold = {
    id: context.newId("hold"),
    workspaceId: standing.spend.workspaceId,
    sessionId: standing.session.id,
    state: "held",
    createdAt: now,
    // Little longer than its session can spend: who died must not keep others from the money.
    expiresAt: Math.min(now + args.hold_ttl_ms, standing.session.expiresAt + GRACE_MS),
    hour: standing.spend.hour,
    amounts,
  } as const;
  yield* insertHold(hold);
  yield* addToBalances(hold.workspaceId, standing.keys, NOTHING, amounts);
  return answer(verdict, standing, balanceOf, hold);
}

/** Who asks about what: a session with all its limits, or an agent (and a task) before one is open. */
function* standingFor(context: Context, principal: Principal, args: Input, now: number): Work<Standing> {
  const { policy } = context;
  const hour = hourAt(context, now);
  if (args.session_id !== undefined) {
    const session = yield* findSession(policy.workspace.id, args.session_id);
    if (!session || !mayTouch(principal, session.agentId)) throw sessionNotFound();
    if (args.agent_id !== undefined && args.agent_id !== session.agentId)
      throw invalidInput("agent_id", "expected the session's own agent, or nothing");
    if (args.task_id !== undefined && args.task_id !== session.taskId)
      throw invalidInput("task_id", "expected the session's own task, or nothing");
    return yield* sessionStanding(policy, session, hour, now);
  }
  const agentId = callingAgent(principal, args.agent_id);
  if (agentId === null) throw invalidInput("session_id", "expected a session_id, or an agent_id");
  yield* refuseForeignTask(context, principal, args.task_id);
  const spend: Attribution = {
    workspaceId: policy.workspace.id,
    chain: [],
    agentId,
    teamId: policy.agents.get(agentId)?.team ?? null,
    taskId: args.task_id ?? null,
    hour,
  };
  return yield* standingOf(policy, spend, null, [], now);
}

function verdictFor(
  context: Context,
  standing: Standing,
  balanceOf: BalanceLookup,
  ask: Ask,
  refusals: readonly Refusal[],
  now: number,
): Verdict {
  const all = [...standing.refusals, ...refusals];
  const limits = limitsOf(context.policy, standing, balanceOf, now);
  return verdictOf(limits, ask, context.policy.warnAtPpm, all, noticesOf(context.policy, standing, balanceOf));
}

/** The six fields of the Cost Control guide ("Budget checks") by their names, and the verdict beside them. */
function answer(
  verdict: Verdict,
  standing: Standing,
  balanceOf: BalanceLookup,
  hold: { id: string; expiresAt: number } | null,
): z.input<typeof output> {
  const { spend } = standing;
  const daily = tightest(verdict.limits.filter((limit) => limit.window === "day" && limit.measure === "cost_usd"));
  const task = verdict.limits.find((limit) => limit.scope === "task") ?? null;
  const agentDay = balanceOf({
    scope: "agent",
    scopeId: spend.agentId,
    window: "day",
    windowKey: spend.hour.slice(0, 10),
  }).spent.cost;
  const taskSpent =
    spend.taskId === null
      ? null
      : balanceOf({ scope: "task", scopeId: spend.taskId, window: "total", windowKey: "" }).spent.cost;
  return {
    daily_limit_usd: usdOf(daily?.limit),
    daily_spent_usd: usdFromNano(daily?.spent ?? agentDay),
    daily_remaining_usd: usdOf(daily && remainingOf(daily)),
    task_limit_usd: usdOf(task?.limit),
    task_spent_usd: usdOf(taskSpent),
    task_remaining_usd: usdOf(task && remainingOf(task)),
    over_budget: verdict.limits.some(isExhausted),
    hold_id: hold?.id ?? null,
    hold_expires_at: hold && instantOut(hold.expiresAt),
    verdict: verdictOut(verdict),
  };
}

/** The daily limit with the least left. */
function tightest(limits: readonly Limit[]): Limit | null {
  return limits.reduce<Limit | null>(
    (least, limit) => (least === null || remainingOf(limit) < remainingOf(least) ? limit : least),
    null,
  );
}
