// A report as a charge: what its arguments may be, what it costs, and which tools share in that.
import { z } from "zod";
import { hash64 } from "../core/hash64.ts";
import { callerId } from "../core/id.ts";
import type { Nano } from "../core/money.ts";
import type { PricedTokens } from "../core/price.ts";
import type { Usage } from "../core/usage.ts";
import type { Refusal } from "../core/verdict.ts";
import type { ChargeKey, NewCharge, ToolLine } from "../ledger/charges.ts";
import type { Session } from "../ledger/session-row.ts";
import { requestText } from "./idempotency.ts";
import { calls, freeText, idempotencyKey, instant, MOST_NANO, ourId, responseId, tokens, usd } from "./input.ts";
import { type Context, hourAt, invalidInput } from "./operation.ts";
import { priceTokens } from "./pricing.ts";

const toolCall = z.strictObject({ tool: callerId, count: calls.default(1), cost_usd: usd.optional() });

export const reportInput = z.strictObject({
  session_id: ourId("session"),
  input_tokens: tokens.describe("Uncached input."),
  output_tokens: tokens,
  cache_read_tokens: tokens.default(0),
  cache_write_tokens: tokens.default(0).describe("All cache writes."),
  cache_write_1h_tokens: tokens.default(0).describe("Of them, kept for one hour."),
  cost_usd: usd.optional().describe("What it cost; else it is priced by model."),
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
  idempotency_key: idempotencyKey.optional().describe("Send the same key when you repeat this report: it counts once."),
  response_id: responseId.optional().describe("The model response's id, e.g. msg_…: it counts once."),
  occurred_at: instant.optional().describe("ISO 8601, if not now: at most an hour ago."),
});

export type ReportInput = z.output<typeof reportInput>;

/** How far a report's own time may lie from the server's: clocks differ a little, reports come a little late. */
const MOST_AHEAD_MS = 60_000;
const MOST_BEHIND_MS = 3_600_000;

/** The charge a report comes to, and the refusal that follows it if its model has no price. */
export function chargeOf(
  context: Context,
  args: ReportInput,
  session: Session,
  now: number,
): { booked: NewCharge; refusal: Refusal | null } {
  if (args.cache_write_1h_tokens > args.cache_write_tokens) {
    throw invalidInput("cache_write_1h_tokens", "expected at most cache_write_tokens, of which it is a part");
  }
  const occurredAt = occurredAtOf(args, session, now);
  const model = args.model ?? session.model;
  const provider = args.provider ?? session.provider;
  const priced = priceTokens(context, pricedTokens(args), model, provider, occurredAt);
  const lines = toolLines(context, args);
  const listedCost = lines.reduce((sum, line) => sum + line.cost, 0n);
  const own = args.cost_usd ?? (priced.cost ?? 0n) + singleToolCost(context, args);
  const cost = own + listedCost;
  if (cost > MOST_NANO) throw invalidInput("", "this comes to more than 10,000 dollars; report in parts");
  const booked: NewCharge = {
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
    costSource: args.cost_usd === undefined ? priced.costSource : "reported",
    priceList: priced.priceList,
    source: "self_reported",
    meter: "self_reported",
    late: session.status === "open" ? "in_time" : "late",
    latencyMs: args.latency_ms ?? null,
    error: args.error ?? null,
    holdId: args.hold_id ?? null,
    key: chargeKey(context, args),
    corrects: null,
    lines,
  };
  return { booked, refusal: args.cost_usd === undefined ? priced.refusal : null };
}

/**
 * The report without what a meter books by itself: a model's tokens and their cost. The costs of its tools stay, and
 * a report without tokens is about a tool.
 */
export function withoutModelUsage(args: ReportInput): ReportInput {
  const tokens = args.input_tokens + args.output_tokens + args.cache_read_tokens + args.cache_write_tokens;
  if (tokens === 0) return args;
  const none = {
    input_tokens: 0,
    output_tokens: 0,
    cache_read_tokens: 0,
    cache_write_tokens: 0,
    cache_write_1h_tokens: 0,
  };
  return { ...args, ...none, cost_usd: undefined };
}

/** What a repeat of the report is known by; null where it names no key. */
export function chargeKey(context: Context, args: ReportInput): ChargeKey | null {
  const key = args.idempotency_key;
  if (key === undefined) return null;
  return {
    hash: hash64(context.sha256(key)),
    request: hash64(context.sha256(`${key} ${requestText(args)}`)),
  };
}

function pricedTokens(args: ReportInput): PricedTokens {
  return {
    input: BigInt(args.input_tokens),
    output: BigInt(args.output_tokens),
    cacheRead: BigInt(args.cache_read_tokens),
    cacheWrite: BigInt(args.cache_write_tokens),
    cacheWrite1h: BigInt(args.cache_write_1h_tokens),
  };
}

function usageOf(args: ReportInput, lines: readonly ToolLine[]): Usage {
  const listed = lines.reduce((sum, line) => sum + line.calls, 0n);
  // A report for one tool is one call of it, unless it says how many.
  const single = Array.isArray(args.tool_calls) ? 0 : (args.tool_calls ?? (args.tool === undefined ? 0 : 1));
  return {
    inputTokens: BigInt(args.input_tokens),
    outputTokens: BigInt(args.output_tokens),
    cacheReadTokens: BigInt(args.cache_read_tokens),
    cacheWriteTokens: BigInt(args.cache_write_tokens),
    cacheWrite1hTokens: BigInt(args.cache_write_1h_tokens),
    toolCalls: listed + BigInt(single),
  };
}

/** The list form: each tool once, at its own cost, else at the policy's estimate per call. */
function toolLines(context: Context, args: ReportInput): ToolLine[] {
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
function singleToolCost(context: Context, args: ReportInput): Nano {
  if (args.tool === undefined || Array.isArray(args.tool_calls)) return 0n;
  return estimateOf(context, args.tool, BigInt(args.tool_calls ?? 1));
}

const estimateOf = (context: Context, tool: string, count: bigint): Nano =>
  (context.policy.tools.get(tool) ?? 0n) * count;

function occurredAtOf(args: ReportInput, session: Session, now: number): number {
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
