// An estimate: what is about to be used, as an ask of the limits and as what a hold sets aside.
import { z } from "zod";
import { callerId } from "../core/id.ts";
import type { Nano } from "../core/money.ts";
import { type Amounts, NOTHING } from "../core/usage.ts";
import type { Ask, Refusal } from "../core/verdict.ts";
import { calls, tokens, usd } from "./input.ts";
import type { Context } from "./operation.ts";
import { modelRefusal, priceTokens } from "./pricing.ts";
import type { Standing } from "./standing.ts";

export const estimateInput = z.strictObject({
  input_tokens: tokens.default(0),
  output_tokens: tokens.default(0),
  cost_usd: usd.optional(),
  tool_calls: calls.default(0),
  model: callerId.optional(),
});

/** The estimate as amounts, the same as an ask, and the refusal if its model must not be used. */
export function askOf(
  context: Context,
  estimate: z.output<typeof estimateInput> | undefined,
  standing: Standing,
  now: number,
): { ask: Ask; amounts: Amounts; refusals: Refusal[] } {
  const { session } = standing;
  const model = estimate?.model ?? session?.model ?? null;
  const provider = session?.provider ?? null;
  if (!estimate)
    return { ask: {}, amounts: NOTHING, refusals: refusalList(modelRefusal(context, model, provider, now)) };
  const promptTokens = BigInt(estimate.input_tokens);
  const completionTokens = BigInt(estimate.output_tokens);
  const priced = priceTokens(
    context,
    { input: promptTokens, output: completionTokens, cacheRead: 0n, cacheWrite: 0n, cacheWrite1h: 0n },
    model,
    provider,
    now,
  );
  const cost: Nano = estimate.cost_usd ?? priced.cost ?? 0n;
  const toolCalls = BigInt(estimate.tool_calls);
  return {
    ask: {
      cost_usd: cost,
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
      tool_calls: toolCalls,
    },
    amounts: { cost, promptTokens, completionTokens, toolCalls },
    refusals:
      estimate.cost_usd === undefined ? refusalList(priced.refusal ?? modelRefusal(context, model, provider, now)) : [],
  };
}

const refusalList = (refusal: Refusal | null): Refusal[] => (refusal ? [refusal] : []);
