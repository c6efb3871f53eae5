// Claude Code's own running total of a session, against which the sum of its responses is checked.
import { z } from "zod";
import { callerId } from "../../core/id.ts";
import type { JsonObject } from "../json-line.ts";
import { modelName } from "../safe-names.ts";

export type CostState = {
  readonly kind: "cost_state";
  readonly sessionId: string;
  /** At the prices Claude Code knows, in dollars as it writes them. A resumed session goes on from its saved total. */
  readonly totalCostUsd: number;
  /** Claude Code had no price for one of the models: the total is too low. */
  readonly hasUnknownModelCost: boolean;
  readonly models: readonly ModelTotal[];
};

export type ModelTotal = {
  readonly model: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly cacheWrite1hTokens: number;
  readonly webSearches: number;
  readonly costUsd: number;
};

/** More than any session can have; what is larger is no total, and must not fill up the ledger's sums. */
const MAX_TOKENS = 100_000_000_000;
const MAX_USD = 1_000_000;
const total = z.int().min(0).max(MAX_TOKENS);
const totalOrNone = total.nullish().transform((given) => given ?? 0);
const dollars = z.number().min(0).max(MAX_USD);

const modelShape = z.object({
  inputTokens: total,
  outputTokens: total,
  cacheReadInputTokens: totalOrNone,
  cacheCreationInputTokens: totalOrNone,
  cacheCreationEphemeral1hInputTokens: totalOrNone,
  webSearchRequests: totalOrNone,
  costUSD: dollars,
});

const shape = z.object({
  sessionId: callerId,
  totalCostUSD: dollars,
  hasUnknownModelCost: z.boolean().nullish(),
  modelUsage: z.record(z.string(), modelShape),
});

/** Null if the line is not in the form we know. */
export function costStateOf(line: JsonObject): CostState | null {
  const { success, data } = shape.safeParse(line);
  if (!success) return null;
  return {
    kind: "cost_state",
    sessionId: data.sessionId,
    totalCostUsd: data.totalCostUSD,
    hasUnknownModelCost: data.hasUnknownModelCost ?? false,
    models: Object.entries(data.modelUsage).map(([model, used]) => ({
      model: modelName(model),
      inputTokens: used.inputTokens,
      outputTokens: used.outputTokens,
      cacheReadTokens: used.cacheReadInputTokens,
      cacheWriteTokens: used.cacheCreationInputTokens,
      cacheWrite1hTokens: used.cacheCreationEphemeral1hInputTokens,
      webSearches: used.webSearchRequests,
      costUsd: used.costUSD,
    })),
  };
}
