// Usage: what one report says was used, and the four amounts that count against limits.
import type { Nano } from "./money.ts";

/** Token counts and tool calls of one report. `inputTokens` excludes both cache kinds; 1 h is part of the writes. */
export type Usage = {
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  readonly cacheReadTokens: bigint;
  readonly cacheWriteTokens: bigint;
  readonly cacheWrite1hTokens: bigint;
  readonly toolCalls: bigint;
};

export const NO_USAGE: Usage = {
  inputTokens: 0n,
  outputTokens: 0n,
  cacheReadTokens: 0n,
  cacheWriteTokens: 0n,
  cacheWrite1hTokens: 0n,
  toolCalls: 0n,
};

/** The amounts a balance keeps. Total tokens are prompt + completion and so are not kept. */
export type Amounts = {
  readonly cost: Nano;
  readonly promptTokens: bigint;
  readonly completionTokens: bigint;
  readonly toolCalls: bigint;
};

export const NOTHING: Amounts = { cost: 0n, promptTokens: 0n, completionTokens: 0n, toolCalls: 0n };

/** What has been spent and what is held for calls under way, for one scope and window. */
export type Balance = { readonly spent: Amounts; readonly held: Amounts };

export const EMPTY_BALANCE: Balance = { spent: NOTHING, held: NOTHING };

/** The amounts of a usage at a cost: the prompt is all three kinds of input. */
export function amountsOf(usage: Usage, cost: Nano): Amounts {
  return {
    cost,
    promptTokens: usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens,
    completionTokens: usage.outputTokens,
    toolCalls: usage.toolCalls,
  };
}

export function addAmounts(a: Amounts, b: Amounts): Amounts {
  return {
    cost: a.cost + b.cost,
    promptTokens: a.promptTokens + b.promptTokens,
    completionTokens: a.completionTokens + b.completionTokens,
    toolCalls: a.toolCalls + b.toolCalls,
  };
}

export function negate(a: Amounts): Amounts {
  return {
    cost: -a.cost,
    promptTokens: -a.promptTokens,
    completionTokens: -a.completionTokens,
    toolCalls: -a.toolCalls,
  };
}
