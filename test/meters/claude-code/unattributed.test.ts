// What Claude Code's own total has beyond the responses in its files, model by model.
import { describe, expect, test } from "vitest";
import type { CostState } from "../../../src/meters/claude-code/cost-state.ts";
import { unattributed } from "../../../src/meters/claude-code/unattributed.ts";
import { aResponse } from "../../operations/metering.ts";

const MODEL = "claude-sonnet-5";
const responses = [aResponse("msg_1", { model: MODEL }), aResponse("msg_2", { model: MODEL })];

/** The two responses and what else is given; each costs $0.01 by our list. */
const stateOf = (model: string, more: { inputTokens?: number; costUsd?: number } = {}): CostState => ({
  kind: "cost_state",
  sessionId: "s1",
  totalCostUsd: 0.02,
  hasUnknownModelCost: false,
  models: [
    {
      model,
      inputTokens: 2_000 + (more.inputTokens ?? 0),
      outputTokens: 400,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      cacheWrite1hTokens: 0,
      webSearches: 0,
      costUsd: more.costUsd ?? 0.02,
    },
  ],
});
const find = (state: CostState, cost: bigint | null = 10_000_000n) => unattributed(state, responses, () => cost);

describe("what stands in no transcript", () => {
  test("is nothing where all tokens are there, whatever the client thinks they cost", () => {
    expect(find(stateOf(MODEL))).toEqual([]);
    expect(find(stateOf(MODEL, { costUsd: 5 }))).toEqual([]);
  });

  test("is nothing where a cloud's name of the model is all that differs", () => {
    expect(find(stateOf("us.anthropic.claude-sonnet-5-v1:0"))).toEqual([]);
  });

  test("is one response of the model for the missing tokens, at what the client counts beyond ours", () => {
    expect(find(stateOf(MODEL, { inputTokens: 500, costUsd: 0.0255 }))).toMatchObject([
      { model: MODEL, inputTokens: 500, outputTokens: 0, cost: 5_500_000n, tool: "unattributed" },
    ]);
  });

  test("is priced by our list where the client's figures are of another", () => {
    const [found] = find(stateOf(MODEL, { inputTokens: 500, costUsd: 0.0255 }), null);
    expect(found).toMatchObject({ inputTokens: 500 });
    expect(found?.cost).toBeUndefined();
  });

  test("of a fork grows the account of the conversation that it copied", () => {
    const ids = (inputTokens: number) => find(stateOf(MODEL, { inputTokens })).map(({ responseId }) => responseId);
    expect(ids(500)).toEqual(ids(900));
  });
});
