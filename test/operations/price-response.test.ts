// What a metered response costs: tokens as served, searches apart, unknown models by the policy; on the real lists.
import { expect, test } from "vitest";
import type { MeteredResponse } from "../../src/core/metered.ts";
import { nanoFromUsd } from "../../src/core/money.ts";
import { priceResponse } from "../../src/operations/price-response.ts";
import { openPriceList } from "../../src/prices.ts";
import { START, worldOf } from "../world.ts";

/** 3 uncached, 50,000 read, 2,000 and 10,000 written, 800 out, two searches. */
const RESPONSE: MeteredResponse = {
  responseId: "msg_1",
  model: "claude-opus-5-5",
  provider: "anthropic",
  occurredAt: START,
  inputTokens: 3,
  outputTokens: 800,
  cacheReadTokens: 50_000,
  cacheWriteTokens: 12_000,
  cacheWrite1hTokens: 10_000,
  webSearches: 2,
  speed: "standard",
  region: null,
  toolCalls: [],
};

const contextOf = async (policy: unknown = {}) => (await worldOf({ policy, prices: openPriceList(new Map()) })).context;

test.each([
  [{}, 0.116012],
  [{ speed: "fast" }, 0.232024],
  [{ region: "us" }, 0.1276132],
  [{ speed: "fast", region: "us" }, 0.2552264],
] as const)("%j: the tokens carry the surcharges, the two searches cost a cent each", async (served, usd) => {
  expect(priceResponse(await contextOf(), { ...RESPONSE, ...served })).toEqual({
    cost: nanoFromUsd(usd),
    searchCost: nanoFromUsd(0.02),
    costSource: "exact",
    priceList: "genai-prices 0.1.8",
    provider: "anthropic",
    refusal: null,
  });
});

test.each([
  ["worst_known", nanoFromUsd(0.31503), "worst_known", null],
  ["deny", nanoFromUsd(0.31503), "worst_known", "unknown_model"],
  ["unpriced", null, "unpriced", null],
] as const)("an unknown model under unknownModel: %s", async (unknownModel, cost, costSource, refusal) => {
  const priced = priceResponse(await contextOf({ unknownModel }), { ...RESPONSE, model: "claude-mythos-9" });
  expect(priced).toMatchObject({ cost, costSource, searchCost: nanoFromUsd(0.02) });
  expect(priced.refusal?.kind ?? null).toBe(refusal);
});

test("a response of searches alone costs its searches", async () => {
  const nothing = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, cacheWrite1hTokens: 0 };
  const priced = priceResponse(await contextOf(), { ...RESPONSE, ...nothing });
  expect(priced).toMatchObject({ cost: 0n, searchCost: nanoFromUsd(0.02) });
});
