// What Claude Code says it used beyond the responses in its files: compactions, titles, side questions, lost lines.

import type { MeteredResponse } from "../../core/metered.ts";
import { nanoFromUsd } from "../../core/money.ts";
import type { CostState, ModelTotal } from "./cost-state.ts";

const COUNTS = [
  "inputTokens",
  "outputTokens",
  "cacheReadTokens",
  "cacheWriteTokens",
  "cacheWrite1hTokens",
  "webSearches",
] as const;
type Counts = Record<(typeof COUNTS)[number], number>;

/**
 * The difference as one response for each model. `responses`: all of the conversation, the oldest first; `costOf`: what
 * they cost by our list, null where the list is not Claude Code's. A copied conversation has the same first response,
 * and its total goes on from the copy's: so the difference of both is one account, which grows.
 */
export function unattributed(
  state: CostState,
  responses: readonly MeteredResponse[],
  costOf: (response: MeteredResponse) => bigint | null,
): MeteredResponse[] {
  const [first] = responses;
  const last = responses.at(-1);
  if (!first || !last) return [];
  // Clouds have names of their own for a model, which the lines need not have: what is there under any name is there.
  if (isNothing(missingOf(state.models, responses))) return [];
  return [...Map.groupBy(state.models, ({ model }) => model)].flatMap(([model, totals]) => {
    const own = responses.filter((response) => response.model === model);
    const missing = missingOf(totals, own);
    if (isNothing(missing)) return [];
    const cost = costBeyond(totals, own.map(costOf));
    return {
      responseId: `unattributed:${first.responseId}:${model}`,
      model,
      provider: last.provider,
      occurredAt: last.occurredAt,
      ...missing,
      speed: "standard" as const,
      region: null,
      toolCalls: [],
      tool: "unattributed",
      ...(cost === null ? {} : { cost }),
    };
  });
}

function missingOf(totals: readonly ModelTotal[], responses: readonly MeteredResponse[]): Counts {
  const sum = (of: readonly Counts[], count: keyof Counts) => of.reduce((all, each) => all + each[count], 0);
  const missing = COUNTS.map((count) => [count, Math.max(0, sum(totals, count) - sum(responses, count))] as const);
  const counts = Object.fromEntries(missing) as Counts;
  return { ...counts, cacheWrite1hTokens: Math.min(counts.cacheWrite1hTokens, counts.cacheWriteTokens) };
}

const isNothing = (counts: Counts): boolean => Object.values(counts).every((count) => count === 0);

/** Its own figure is exact where many requests are summed; null where it is of no use to us: then the tokens are priced. */
function costBeyond(totals: readonly ModelTotal[], costs: readonly (bigint | null)[]): bigint | null {
  const theirs = totals.reduce((sum, { costUsd }) => sum + nanoFromUsd(costUsd), 0n);
  let ours = 0n;
  for (const cost of costs) {
    if (cost === null) return null;
    ours += cost;
  }
  return theirs > ours ? theirs - ours : null;
}
