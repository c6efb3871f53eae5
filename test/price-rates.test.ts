// The rates of each model as its vendor publishes them, in US dollars per million tokens.
import { describe, expect, test } from "vitest";
import { nanoFromUsd } from "../src/core/money.ts";
import type { Rate } from "../src/core/price.ts";
import { openPriceList } from "../src/prices.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const prices = openPriceList(new Map());

function ratesOf(model: string) {
  const price = prices.find(model, null, NOW);
  if (price === null) throw new Error(`${model} is unknown`);
  return price.rates;
}

type Five = readonly [input: number, output: number, cacheRead: number, cacheWrite: number, cacheWrite1h: number];

const rate = ([input, output, cacheRead, cacheWrite, cacheWrite1h]: Five): Rate => ({
  input: nanoFromUsd(input),
  output: nanoFromUsd(output),
  cacheRead: nanoFromUsd(cacheRead),
  cacheWrite: nanoFromUsd(cacheWrite),
  cacheWrite1h: nanoFromUsd(cacheWrite1h),
});

describe("Anthropic", () => {
  test.each<[string, Five]>([
    ["claude-sonnet-4", [3, 15, 0.3, 3.75, 6]],
    ["claude-sonnet-4-6", [3, 15, 0.3, 3.75, 6]],
    ["claude-sonnet-5", [2, 10, 0.2, 2.5, 4]],
    ["claude-sonnet-5-5", [2, 10, 0.1, 2.5, 4]],
    ["claude-opus-4", [15, 75, 1.5, 18.75, 30]],
    ["claude-opus-4-1", [15, 75, 1.5, 18.75, 30]],
    ["claude-opus-4-5", [5, 25, 0.5, 6.25, 10]],
    ["claude-opus-4-8", [5, 25, 0.5, 6.25, 10]],
    ["claude-opus-5", [5, 25, 0.5, 6.25, 10]],
    ["claude-opus-5-5", [4, 20, 0.2, 5, 8]],
    ["claude-fable-5", [10, 50, 1, 12.5, 20]],
    ["claude-fable-5-1", [10, 50, 0.25, 12.5, 20]],
    ["claude-fable-5-2", [8, 40, 0.2, 10, 16]],
    ["claude-haiku-4-5", [1, 5, 0.1, 1.25, 2]],
  ])("%s costs the same whatever its prompt's length", (model, five) => {
    expect(ratesOf(model)).toEqual({ base: rate(five), bands: [] });
  });

  test.each<[string, Five, bigint, Five]>([
    ["claude-sonnet-4-5", [3, 15, 0.3, 3.75, 6], 200_000n, [6, 22.5, 0.6, 7.5, 12]],
    ["claude-haiku-5-5", [0.1, 0.5, 0.01, 0.125, 0.2], 100_000n, [0.5, 2.5, 0.05, 0.625, 1]],
  ])("%s costs more for a long prompt", (model, base, above, long) => {
    expect(ratesOf(model)).toEqual({ base: rate(base), bands: [{ above, rate: rate(long) }] });
  });
});

describe("OpenAI", () => {
  test.each([
    ["gpt-5", 1.25, 0.125, 10],
    ["gpt-5.1", 1.25, 0.125, 10],
    ["gpt-5.2", 1.75, 0.175, 14],
    ["gpt-5.3-codex", 1.75, 0.175, 14],
    ["gpt-5.4", 2.5, 0.25, 15],
    ["gpt-5.5", 5, 0.5, 30],
  ])("%s", (model, input, cacheRead, output) => {
    const { base } = ratesOf(model);
    expect([base.input, base.cacheRead, base.output]).toEqual([input, cacheRead, output].map(nanoFromUsd));
  });

  test.each([
    ["gpt-5.6", 4, 0.4, 20, 5],
    ["gpt-5.6-sol", 4, 0.4, 20, 5],
    ["gpt-5.6-terra", 2, 0.2, 12, 2.5],
    ["gpt-5.6-luna", 0.2, 0.02, 1.2, 0.25],
    ["gpt-6-sol", 2, 0.2, 10, 2.5],
    ["gpt-6-luna", 0.1, 0.01, 0.5, 0.125],
    ["gpt-6-astra", 10, 1, 50, 12.5],
    ["gpt-6.1-sol", 2, 0.1, 10, 2.5],
    ["gpt-6.2-sol", 2, 0.1, 10, 2.5],
  ])("%s, and above 272,000 input and cache double, output by a half more", (model, input, read, output, write) => {
    const { base, bands } = ratesOf(model);
    const listed = [input, read, write, output].map(nanoFromUsd);
    expect([base.input, base.cacheRead, base.cacheWrite, base.output]).toEqual(listed);
    expect(bands).toHaveLength(1);
    const long = bands[0]?.rate;
    const factors = [20n, 20n, 20n, 15n];
    expect([long?.input, long?.cacheRead, long?.cacheWrite, long?.output]).toEqual(
      listed.map((nano, i) => (nano * (factors[i] ?? 0n)) / 10n),
    );
  });

  test("GPT-6.2's writes kept for twelve hours cost $5", () => {
    expect(ratesOf("gpt-6.2-sol").base.cacheWrite1h).toBe(nanoFromUsd(5));
  });
});

describe("Google", () => {
  test.each([
    ["gemini-2.5-flash", 0.3, 0.03, 2.5],
    ["gemini-3.5-flash", 1.5, 0.15, 9],
  ])("%s", (model, input, cacheRead, output) => {
    const { base, bands } = ratesOf(model);
    expect([base.input, base.cacheRead, base.output]).toEqual([input, cacheRead, output].map(nanoFromUsd));
    expect(bands).toEqual([]);
  });

  test.each([
    ["gemini-2.5-pro", [1.25, 0.125, 10], [2.5, 0.25, 15]],
    ["gemini-3-pro-preview", [2, 0.2, 12], [4, 0.4, 18]],
    ["gemini-3.1-pro-preview", [2, 0.2, 12], [4, 0.4, 18]],
  ])("%s costs more above 200,000", (model, low, high) => {
    const { base, bands } = ratesOf(model);
    expect([base.input, base.cacheRead, base.output]).toEqual(low.map(nanoFromUsd));
    expect(bands.map(({ above }) => above)).toEqual([200_000n]);
    const long = bands[0]?.rate;
    expect([long?.input, long?.cacheRead, long?.output]).toEqual(high.map(nanoFromUsd));
  });
});
