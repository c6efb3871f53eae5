// report_usage: book what was used, whatever the limits say, and answer where that leaves the session.
import { z } from "zod";
import { sortKeys } from "../core/balance-key.ts";
import { AstraError } from "../core/error.ts";
import { callerId } from "../core/id.ts";
import { lookup } from "../core/limits.ts";
import { type Nano, usdFromNano } from "../core/money.ts";
import type { PricedTokens } from "../core/price.ts";
import type { Usage } from "../core/usage.ts";
import { isExhausted, NO_ASK, type Refusal, type Verdict, verdictOf } from "../core/verdict.ts";
import { type BalanceRow, readBalances } from "../ledger/balances.ts";
import { findChargeByKey, type NewCharge, recordCharge, type StoredCharge, type ToolLine } from "../ledger/charges.ts";
import { findHold, type Hold } from "../ledger/holds.ts";
import { findSession, type Session } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import type { CostSource } from "../ledger/tables.ts";
import { freeHold, keysOfHold, lockAndExpire, reverseUnconfirmed } from "./expiry.ts";
import { calls, freeText, idempotencyKey, instant, MOST_USD, ourId, tokens, usd } from "./input.ts";
import { idReused } from "./open-session.ts";
import {
  type Context,
  defineOperation,
  hourAt,
  invalidInput,
  mayTouch,
  type Principal,
  sessionNotFound,
} from "./operation.ts";
import { totalsOut, totalsOutput, usdOutput, verdictOut, verdictOutput } from "./output.ts";
import { priceTokens } from "./pricing.ts";
import { limitsOf, type Standing, sessionStanding } from "./standing.ts";

const toolCall = z.strictObject({ tool: callerId, count: calls.default(1), cost_usd: usd.optional() });

const input = z.strictObject({
  session_id: ourId("session"),
  input_tokens: tokens.describe("Uncached input since the last report."),
  output_tokens: tokens,
  cache_read_tokens: tokens.default(0),
  cache_write_tokens: tokens.default(0).describe("All cache writes."),
  cache_write_1h_tokens: tokens.default(0).describe("The part of them kept for one hour."),
  cost_usd: usd.optional().describe("What it cost, if known; else it is priced by model."),
  model: callerId.optional(),
  provider: callerId.optional(),
  tool: callerId.optional().describe("The tool all of this was for."),
  tool_calls: z
    .union([calls, z.array(toolCall).max(200)], {
      error: "expected a number of calls, or a list of at most 200 {tool, count, cost_usd}",
    })
    .optional(),
  latency_ms: z
    .number({ error: "expected milliseconds" })
    .int({ error: "expected whole milliseconds" })
    .min(0, { error: "expected 0 or more ms" })
    .max(86_400_000, { error: "expected at most a day" })
    .optional(),
  error: freeText(500).optional().describe("What failed, if it did."),
  hold_id: ourId("hold").optional().describe("Settles this hold with the real cost."),
  idempotency_key: idempotencyKey
    .optional()
    .describe("Send the same key again when you repeat this report: it then counts once."),
  occurred_at: instant.optional().describe("ISO 8601, when it was used if not now: at most an hour ago."),
});

const output = z.looseObject({
  charge_id: z.string(),
  recorded: z.boolean(),
  duplicate: z.boolean(),
  late: z.boolean(),
  cost_usd: usdOutput,
  cost_source: z.string(),
  session: totalsOutput,
  over_budget: z.boolean(),
  verdict: verdictOutput,
});

type Input = z.output<typeof input>;

/** How far a report's own time may lie from the server's: clocks differ a little, reports come a little late. */
const MOST_AHEAD_MS = 60_000;
const MOST_BEHIND_MS = 3_600_000;

export const reportUsage = defineOperation({
  name: "report_usage",
  title: "Report usage",
  description:
    "Report what was used since the last report (amounts are differences, not totals). It is always recorded, even over budget. Call it after every model call or small batch. Read verdict: on deny stop now; on warn finish with less.",
  input,
  output,
  access: "agent",
  effect: "idempotent",
  run: (context, principal, args) => context.ledger.write(() => report(context, principal, args)),
});

function* report(context: Context, principal: Principal, args: Input): Work<z.input<typeof output>> {
  const now = context.now();
  const session = yield* findSession(context.policy.workspace.id, args.session_id);
  if (!session || !mayTouch(principal, session.agentId)) throw sessionNotFound();
  const request = requestText(args);
  if (args.idempotency_key !== undefined) {
    const earlier = yield* findChargeByKey(session.id, args.idempotency_key);
    if (earlier) return yield* repeat(context, session, earlier, request, now);
  }
  const occurredAt = occurredAtOf(args, session, now);
  const hold = yield* ownHold(session, args.hold_id);
  const charge = chargeOf(context, args, session, occurredAt, request, now);
  const standing = yield* sessionStanding(context.policy, session, hourAt(context, now));
  const holdKeys = hold ? keysOfHold(hold, session) : [];
  yield* lockAndExpire(
    context,
    sortKeys([...standing.keys, ...holdKeys]),
    now,
    hold ? "lock" : "expire_only",
    args.hold_id,
  );
  const settled = hold ? yield* freeHold(hold, session, "settled") : null;
  if (hold && settled === "was_closed") yield* reverseUnconfirmed(context, hold, session, now);
  const { totals, balances } = yield* recordCharge(charge.booked);
  // A report of an earlier hour counts there; the verdict is about now.
  const current =
    charge.booked.hour === standing.spend.hour ? balances : yield* readBalances(session.workspaceId, standing.keys);
  const verdict = verdictAfter(context, standing, current, charge.refusal, now);
  return answer(charge.booked, { ...session, totals }, current, verdict, {
    duplicate: false,
    hold: settled === null ? null : settled === "closed" ? "settled" : "was_closed",
  });
}

function occurredAtOf(args: Input, session: Session, now: number): number {
  if (args.occurred_at === undefined) return now;
  // Only a little leeway: an agent must not book today's spend on yesterday's cap.
  const earliest = Math.max(session.openedAt - MOST_AHEAD_MS, now - MOST_BEHIND_MS);
  if (args.occurred_at > now + MOST_AHEAD_MS)
    throw invalidInput("occurred_at", "expected a time that is not in the future");
  if (args.occurred_at < earliest)
    throw invalidInput(
      "occurred_at",
      "expected a time within the session and the last hour; leave it out to count the report now",
    );
  return Math.min(args.occurred_at, now);
}

function* ownHold(session: Session, id: string | undefined): Work<Hold | null> {
  if (id === undefined) return null;
  const hold = yield* findHold(session.workspaceId, id);
  if (!hold || hold.sessionId !== session.id) {
    throw new AstraError(
      "hold_not_found",
      "This session has no such hold.",
      "Use the hold_id that check_budget returned for this session, or leave it out.",
    );
  }
  return hold;
}

/** The charge a report comes to, and the refusal that follows it if its model has no price. */
function chargeOf(
  context: Context,
  args: Input,
  session: Session,
  occurredAt: number,
  request: string,
  now: number,
): { booked: NewCharge; refusal: Refusal | null } {
  if (args.cache_write_1h_tokens > args.cache_write_tokens) {
    throw invalidInput("cache_write_1h_tokens", "expected at most cache_write_tokens, of which it is a part");
  }
  const model = args.model ?? session.model;
  const provider = args.provider ?? session.provider;
  const priced = priceTokens(context, pricedTokens(args), model, provider, now);
  const lines = toolLines(context, args);
  const listedCost = lines.reduce((sum, line) => sum + line.cost, 0n);
  const own = args.cost_usd ?? (priced.cost ?? 0n) + singleToolCost(context, args);
  const cost = own + listedCost;
  if (cost > BigInt(MOST_USD) * 1_000_000_000n)
    throw invalidInput("", "this comes to more than 10,000 dollars; report in parts");
  const costSource: CostSource = args.cost_usd !== undefined ? "reported" : priced.costSource;
  const booked: NewCharge = {
    id: context.newId("charge"),
    session,
    model,
    provider: priced.provider,
    tool: args.tool ?? null,
    occurredAt,
    recordedAt: now,
    hour: hourAt(context, occurredAt),
    usage: usageOf(args, lines),
    cost,
    reported: args.cost_usd ?? null,
    priced: priced.cost,
    costSource,
    priceList: priced.priceList,
    source: "self_reported",
    late: session.status === "open" ? "in_time" : "late",
    latencyMs: args.latency_ms ?? null,
    error: args.error ?? null,
    holdId: args.hold_id ?? null,
    idempotencyKey: args.idempotency_key ?? null,
    request: args.idempotency_key === undefined ? null : request,
    lines,
  };
  return { booked, refusal: args.cost_usd === undefined ? priced.refusal : null };
}

function pricedTokens(args: Input): PricedTokens {
  return {
    input: BigInt(args.input_tokens),
    output: BigInt(args.output_tokens),
    cacheRead: BigInt(args.cache_read_tokens),
    cacheWrite: BigInt(args.cache_write_tokens),
    cacheWrite1h: BigInt(args.cache_write_1h_tokens),
  };
}

function usageOf(args: Input, lines: readonly ToolLine[]): Usage {
  const listed = lines.reduce((sum, line) => sum + line.calls, 0n);
  const single =
    typeof args.tool_calls === "number"
      ? BigInt(args.tool_calls)
      : args.tool === undefined || lines.length > 0
        ? 0n
        : 1n;
  return {
    inputTokens: BigInt(args.input_tokens),
    outputTokens: BigInt(args.output_tokens),
    cacheReadTokens: BigInt(args.cache_read_tokens),
    cacheWriteTokens: BigInt(args.cache_write_tokens),
    cacheWrite1hTokens: BigInt(args.cache_write_1h_tokens),
    toolCalls: listed + single,
  };
}

/** The list form: each tool once, at its own cost, else at the policy's estimate per call. */
function toolLines(context: Context, args: Input): ToolLine[] {
  if (!Array.isArray(args.tool_calls)) return [];
  const lines = new Map<string, ToolLine>();
  for (const { tool, count, cost_usd } of args.tool_calls) {
    const cost = cost_usd ?? estimateOf(context, tool, BigInt(count));
    const known = lines.get(tool) ?? { tool, calls: 0n, cost: 0n };
    lines.set(tool, { tool, calls: known.calls + BigInt(count), cost: known.cost + cost });
  }
  return [...lines.values()].sort((a, b) => (a.tool < b.tool ? -1 : 1));
}

/** The number form with a `tool`: the policy's estimate comes on top of the tokens; a reported cost is all of it. */
function singleToolCost(context: Context, args: Input): Nano {
  if (args.tool === undefined || Array.isArray(args.tool_calls)) return 0n;
  return estimateOf(context, args.tool, BigInt(args.tool_calls ?? 1));
}

const estimateOf = (context: Context, tool: string, count: bigint): Nano =>
  (context.policy.tools.get(tool) ?? 0n) * count;

/** What makes two reports the same: every argument but the key itself. */
function requestText(args: Input): string {
  return JSON.stringify({ ...args, idempotency_key: undefined }, (_, value) =>
    typeof value === "bigint" ? String(value) : value,
  );
}

function verdictAfter(
  context: Context,
  standing: Standing,
  balances: readonly BalanceRow[],
  refusal: Refusal | null,
  now: number,
): Verdict {
  const refusals = [...standing.refusals, ...(refusal ? [refusal] : [])];
  return verdictOf(
    limitsOf(context.policy, standing, lookup(balances), now),
    NO_ASK,
    context.policy.warnAtPpm,
    refusals,
  );
}

/** A repeat: the first one's charge, the verdict of now, nothing written. */
function* repeat(
  context: Context,
  session: Session,
  earlier: StoredCharge,
  request: string,
  now: number,
): Work<z.input<typeof output>> {
  if (earlier.request !== request) throw idReused();
  const standing = yield* sessionStanding(context.policy, session, hourAt(context, now));
  const balances = yield* readBalances(session.workspaceId, standing.keys);
  const verdict = verdictAfter(context, standing, balances, null, now);
  return answer(earlier, session, balances, verdict, { duplicate: true, hold: null });
}

function answer(
  charge: StoredCharge | NewCharge,
  session: Session,
  balances: readonly BalanceRow[],
  verdict: Verdict,
  how: { duplicate: boolean; hold: string | null },
): z.input<typeof output> {
  const tree = balances.find(([key]) => key.scope === "session" && key.scopeId === session.id);
  return {
    charge_id: charge.id,
    recorded: true,
    duplicate: how.duplicate,
    late: charge.late === "late",
    cost_usd: usdFromNano(charge.cost),
    cost_source: charge.costSource,
    hold: how.hold,
    session: totalsOut(session, tree?.[1].spent.cost ?? 0n),
    over_budget: verdict.limits.some(isExhausted),
    verdict: verdictOut(verdict),
  };
}
