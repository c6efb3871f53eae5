// The price list against published figures and against the library's own calculation.
import { calcPrice, findProvider, type Provider } from "@pydantic/genai-prices";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nanoFromUsd } from "../src/core/money.ts";
import { costOf, type PricedTokens } from "../src/core/price.ts";
import { openPriceList } from "../src/prices.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const prices = openPriceList(new Map());

/** Tokens in the order of an invoice: uncached, read, written for 5 minutes, written for an hour, out. */
function usage(input: number, cacheRead: number, write5m: number, write1h: number, output: number): PricedTokens {
  return {
    input: BigInt(input),
    output: BigInt(output),
    cacheRead: BigInt(cacheRead),
    cacheWrite: BigInt(write5m + write1h),
    cacheWrite1h: BigInt(write1h),
  };
}

function cost(model: string, tokens: PricedTokens, atMs = NOW, provider: string | null = null): bigint {
  const price = prices.find(model, provider, atMs);
  if (price === null) throw new Error(`${model} is unknown`);
  return costOf(tokens, price.rates);
}

/** With its two web searches, as an invoice has it. */
function costWithSearches(model: string, tokens: PricedTokens): bigint {
  const price = prices.find(model, null, NOW);
  if (price === null) throw new Error(`${model} is unknown`);
  return costOf(tokens, price.rates) + 2n * price.extras.webSearch;
}

const CASE_A = usage(3, 50_000, 2000, 10_000, 800);
const CASE_B = usage(10, 5000, 500, 1500, 150);
const CASE_C = usage(250_000, 0, 0, 0, 1000);

describe("published figures of Anthropic", () => {
  test.each([
    ["claude-sonnet-4", 0.114509, 0.014655, 0.765],
    ["claude-sonnet-4-6", 0.114509, 0.014655, 0.765],
    ["claude-sonnet-4-5", 0.114509, 0.014655, 1.5225],
    ["claude-sonnet-5", 0.083006, 0.00977, 0.51],
    ["claude-opus-4-5", 0.177515, 0.024425, 1.275],
    ["claude-opus-4-8", 0.177515, 0.024425, 1.275],
    ["claude-opus-5", 0.177515, 0.024425, 1.275],
    ["claude-opus-4", 0.492545, null, null],
    ["claude-opus-4-1", 0.492545, null, null],
    ["claude-opus-5-5", 0.136012, 0.01854, null],
    ["claude-fable-5", 0.33503, null, null],
    ["claude-fable-5-1", 0.29753, null, null],
    ["claude-fable-5-2", 0.242024, null, null],
    ["claude-haiku-4-5", 0.051503, 0.004885, null],
    ["claude-haiku-5-5", 0.0231503, null, null],
    ["claude-sonnet-5-5", 0.078006, 0.00927, null],
  ])("%s costs what was computed by hand", (model, a, b, c) => {
    expect(costWithSearches(model, CASE_A)).toBe(nanoFromUsd(a));
    if (b !== null) expect(cost(model, CASE_B)).toBe(nanoFromUsd(b));
    if (c !== null) expect(cost(model, CASE_C)).toBe(nanoFromUsd(c));
  });

  test("Sonnet 4.5 reprices the whole request at 200,001 prompt tokens", () => {
    expect(cost("claude-sonnet-4-5", usage(200_000, 0, 0, 0, 1000))).toBe(nanoFromUsd(0.615));
    expect(cost("claude-sonnet-4-5", usage(200_001, 0, 0, 0, 1000))).toBe(nanoFromUsd(1.222506));
  });

  test("Haiku 5.5 reprices the whole request at 100,001 prompt tokens, cache included and output not", () => {
    expect(cost("claude-haiku-5-5", usage(100_000, 0, 0, 0, 1000))).toBe(nanoFromUsd(0.0105));
    expect(cost("claude-haiku-5-5", usage(100_001, 0, 0, 0, 1000))).toBe(nanoFromUsd(0.0525005));
    expect(cost("claude-haiku-5-5", usage(1, 90_000, 5000, 4999, 50_000))).toBe(nanoFromUsd(0.0275249 + 0.0));
    expect(cost("claude-haiku-5-5", usage(1, 90_000, 5000, 5000, 0))).toBe(nanoFromUsd(0.0126255));
  });

  test("the seed's example, 2,500 in and 800 out on Sonnet 4, costs $0.0195", () => {
    expect(cost("claude-sonnet-4-20250514", usage(2500, 0, 0, 0, 800), NOW, "claude")).toBe(nanoFromUsd(0.0195));
  });

  test("Sonnet 5.5 reads its cache at $0.10, and at $0.20 before the cut of 2026-10-07", () => {
    const read = usage(0, 1_000_000, 0, 0, 0);
    expect(cost("claude-sonnet-5-5", read)).toBe(nanoFromUsd(0.1));
    expect(cost("claude-sonnet-5-5", read, Date.parse("2026-10-07T00:00:00Z"))).toBe(nanoFromUsd(0.1));
    expect(cost("claude-sonnet-5-5", read, Date.parse("2026-10-06T23:59:59.999Z"))).toBe(nanoFromUsd(0.2));
  });
});

describe("published figures of OpenAI and Google", () => {
  test.each([
    ["gpt-5", 0.11375],
    ["gpt-5.1", 0.11375],
    ["gpt-5.2", 0.15925],
    ["gpt-5.3-codex", 0.15925],
    ["gpt-5.4", 0.42],
    ["gpt-5.5", 0.84],
    ["gpt-5.6", 0.66],
    ["gpt-5.6-sol", 0.66],
    ["gpt-5.6-luna", 0.0336],
    // By hand from the rates: 50,000 in, 250,000 cached, 2,000 out in the long tier.
    ["gpt-5.6-terra", 0.336],
    ["gpt-6-sol", 0.33],
    ["gpt-6-luna", 0.0165],
    ["gpt-6-astra", 1.65],
    ["gpt-6.1-sol", 0.28],
    ["gpt-6.2-sol", 0.28],
    ["gpt-6.1-terra", 0.14],
  ])("%s: 300,000 in, of which 250,000 cached, and 2,000 out", (model, usd) => {
    expect(cost(model, usage(50_000, 250_000, 0, 0, 2000))).toBe(nanoFromUsd(usd));
  });

  test.each([
    ["gemini-2.5-pro", 0.09625, 0.31],
    ["gemini-3-pro-preview", 0.148, 0.487],
    ["gemini-3.1-pro-preview", 0.148, 0.487],
    ["gemini-2.5-flash", 0.02325, 0.03825],
    ["gemini-3.5-flash", 0.111, 0.186],
  ])("%s: 200,000 and 250,000 in, of which 150,000 cached, and 1,500 out", (model, below, above) => {
    expect(cost(model, usage(50_000, 150_000, 0, 0, 1500))).toBe(nanoFromUsd(below));
    expect(cost(model, usage(100_000, 150_000, 0, 0, 1500))).toBe(nanoFromUsd(above));
  });

  test("the long tier begins at 272,000 for GPT-5.6 and past it for GPT-6, as the library has it", () => {
    expect(cost("gpt-5.6-sol", usage(271_999, 0, 0, 0, 0))).toBe(nanoFromUsd(1.087996));
    expect(cost("gpt-5.6-sol", usage(272_000, 0, 0, 0, 0))).toBe(nanoFromUsd(2.176));
    expect(cost("gpt-6-sol", usage(272_000, 0, 0, 0, 0))).toBe(nanoFromUsd(0.544));
    expect(cost("gpt-6-sol", usage(272_001, 0, 0, 0, 0))).toBe(nanoFromUsd(1.088004));
  });

  test("a usage is priced at its own time", () => {
    const call = usage(24_803, 0, 0, 0, 0);
    expect(cost("gpt-5.6", call, Date.parse("2026-07-20T00:00:00Z"))).toBe(nanoFromUsd(0.124015));
    expect(cost("gpt-5.6", call)).toBe(nanoFromUsd(0.099212));
    const future = Date.parse("2027-01-01T00:00:00Z");
    expect(cost("gemini-3.6-flash", usage(1_000_000, 0, 0, 0, 0), future - 1)).toBe(nanoFromUsd(0.75));
    expect(cost("gemini-3.6-flash", usage(1_000_000, 0, 0, 0, 0), future)).toBe(nanoFromUsd(1.5));
  });

  test("DeepSeek's night begins at 16:30 UTC", () => {
    const day = Date.parse("2026-11-22T16:30:00Z");
    expect(cost("deepseek-chat", usage(1_000_000, 0, 0, 0, 0), day - 1)).toBe(nanoFromUsd(0.27));
    expect(cost("deepseek-chat", usage(1_000_000, 0, 0, 0, 0), day)).toBe(nanoFromUsd(0.135));
  });
});

const PROVIDERS = [
  "anthropic",
  "openai",
  "google",
  "aws",
  "azure",
  "openrouter",
  "x-ai",
  "deepseek",
  "mistral",
  "groq",
];
const listed = PROVIDERS.map((providerId) => findProvider({ providerId }))
  .filter((provider): provider is Provider => provider !== undefined)
  .flatMap((provider) => provider.models.map((model) => ({ provider: provider.id, model: model.id })));
const count = fc.integer({ min: 0, max: 600_000 });

describe("the library's own calculation", () => {
  test("agrees within a nano-dollar on any usage that the library prices in full", () => {
    let compared = 0;
    const day = fc.integer({ min: Date.parse("2026-01-01"), max: Date.parse("2027-06-01") });
    fc.assert(
      fc.property(fc.constantFrom(...listed), count, count, count, count, count, day, (row, i, r, w5, w1, o, atMs) => {
        const price = prices.find(row.model, row.provider, atMs);
        const known = calcPrice({}, row.model, { providerId: row.provider, timestamp: new Date(atMs) });
        if (price?.basis !== "exact" || known === null || known.model_price.output_reasoning_mtok) return;
        const long = known.model_price.cache_write_1h_mtok === undefined ? 0 : w1;
        const output = known.model_price.output_mtok === undefined ? 0 : o;
        const theirs = calcPrice(
          {
            input_tokens: i + r + w5 + long,
            cache_read_tokens: r,
            cache_write_tokens: w5 + long,
            cache_write_1h_tokens: long,
            output_tokens: output,
          },
          row.model,
          { providerId: row.provider, timestamp: new Date(atMs) },
        );
        const ours = costOf(usage(i, r, w5, long, output), price.rates);
        expect(Math.abs(Number(ours) / 1e9 - (theirs?.total_price ?? Number.NaN))).toBeLessThan(1e-9);
        compared += 1;
      }),
      { numRuns: 4000 },
    );
    expect(compared).toBeGreaterThan(1000);
  });

  test("is never above ours by more than a nano-dollar, whatever the list leaves out", () => {
    fc.assert(
      fc.property(fc.constantFrom(...listed), count, count, count, count, count, (row, i, r, w5, w1, o) => {
        const price = prices.find(row.model, row.provider, NOW);
        if (price === null) return;
        const written = { cache_write_tokens: w5 + w1, cache_write_1h_tokens: w1 };
        const theirs = calcPrice(
          { input_tokens: i + r + w5 + w1, cache_read_tokens: r, output_tokens: o, ...written },
          row.model,
          { providerId: row.provider, timestamp: new Date(NOW) },
        );
        const ours = costOf(usage(i, r, w5, w1, o), price.rates);
        expect(Number(ours) / 1e9 + 1e-9).toBeGreaterThanOrEqual(theirs?.total_price ?? 0);
      }),
      { numRuns: 4000 },
    );
  });
});
