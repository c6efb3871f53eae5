// What an unknown model costs: never less than a model on sale, and never a shut-down model's price.
import { findProvider } from "@pydantic/genai-prices";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nanoFromUsd } from "../src/core/money.ts";
import { costOf, type Rate } from "../src/core/price.ts";
import { OVERRIDE_ROWS } from "../src/price-overrides.ts";
import { openPriceList } from "../src/prices.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const prices = openPriceList(new Map());

const usd = (rate: Rate | undefined) =>
  rate &&
  [rate.input, rate.output, rate.cacheRead, rate.cacheWrite, rate.cacheWrite1h].map((nano) => Number(nano) / 1e9);

/** The only models dearer than the worst price: shut down by vendors whose schedule the provider follows. */
const SHUT_DOWN =
  /^(?:claude-3-opus(?:-latest)?|claude-opus-4(?:[-.][01])?|gpt-4(?:-32k|-turbo|\.5-preview)?|o1(?:-preview|-pro)?|o3-deep-research)$/;
const isShutDown = (provider: string, id: string) =>
  ["anthropic", "openai", "openrouter"].includes(provider) && SHUT_DOWN.test(id.slice(id.lastIndexOf("/") + 1));

describe("the dearest price known", () => {
  test.each([
    ["anthropic", [10, 50, 1, 12.5, 20], undefined],
    ["openai", [30, 180, 2, 30, 30], [60, 270, 2, 60, 60]],
    ["google", [15, 75, 1.5, 18.75, 30], undefined],
  ])("of %s", (provider, base, long) => {
    const { rates, basis, source } = prices.worst(provider);
    expect(usd(rates.base)).toEqual(base);
    expect(usd(rates.bands.at(-1)?.rate)).toEqual(long);
    expect([basis, source]).toEqual(["worst_known", "genai-prices 0.1.8"]);
  });

  test("is that of Anthropic, OpenAI and Google together when the provider is unknown", () => {
    expect(prices.worst("no such provider")).toBe(prices.worst(null));
    expect(usd(prices.worst(null).rates.base)).toEqual([30, 180, 2, 30, 30]);
    expect(prices.worst("claude")).toBe(prices.worst("anthropic"));
  });

  test.each(["anthropic", "openai", "google", "aws", "azure", "openrouter", "x-ai", "deepseek", "mistral", "groq"])(
    "of %s is at least the cost of each of its models on sale",
    (name) => {
      const listed = findProvider({ providerId: name })?.models ?? [];
      const ids = [
        ...listed.filter((model) => !model.deprecated && !isShutDown(name, model.id)).map(({ id }) => id),
        ...OVERRIDE_ROWS.map(({ model }) => model),
      ];
      const count = fc.bigInt({ min: 0n, max: 400_000n });
      const worst = prices.worst(name).rates;
      fc.assert(
        fc.property(fc.constantFrom(...ids), count, count, count, count, count, (id, input, read, w5m, w1h, output) => {
          const price = prices.find(id, name, NOW);
          if (price === null || (price.basis === "approximate" && name !== "aws")) return;
          // A model without a cache has no cache reads.
          const cacheRead = price.rates.base.cacheRead < price.rates.base.input ? read : 0n;
          const tokens = { input, output, cacheRead, cacheWrite: w5m + w1h, cacheWrite1h: w1h };
          expect(costOf(tokens, worst), id).toBeGreaterThanOrEqual(costOf(tokens, price.rates));
        }),
        { numRuns: 2000 },
      );
    },
  );

  test("is never free, and never cheaper for cache writes than for input", () => {
    for (const provider of [null, "openai", "groq", "voyageai", "cohere", "perplexity", "together"]) {
      const { base } = prices.worst(provider).rates;
      expect(base.input).toBeGreaterThan(0n);
      expect(base.output).toBeGreaterThan(0n);
      expect(base.cacheRead).toBeGreaterThan(0n);
      expect(base.cacheWrite).toBeGreaterThanOrEqual(base.input);
    }
  });

  test("covers prices already announced", () => {
    const announced = prices.find("gemini-3.8-flash", "google", Date.parse("2027-06-01T00:00:00Z"));
    expect(announced?.rates.base.input).toBe(nanoFromUsd(1.5));
    expect(prices.worst("google").rates.base.input).toBeGreaterThanOrEqual(nanoFromUsd(1.5));
  });
});
