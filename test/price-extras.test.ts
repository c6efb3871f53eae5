// What is charged beside the rates: by model and seller, and never cheaper where nothing is known.
import { describe, expect, test } from "vitest";
import { nanoFromUsd } from "../src/core/money.ts";
import { FAST_ROWS, fastRow } from "../src/price-extras.ts";
import { openPriceList } from "../src/prices.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const prices = openPriceList(new Map());
const extras = (model: string, provider: string | null = null) => prices.find(model, provider, NOW)?.extras;

describe("fast mode", () => {
  test.each([
    ["claude-opus-5-5", null, 200n],
    ["claude-opus-5-5-20260901[1m]", "claude", 200n],
    ["claude-opus-4-6", "anthropic", 600n],
    ["anthropic/claude-opus-4.7", "openrouter", 600n],
    ["gpt-6.1-sol", "openai", 200n],
    // Nothing is known of a fast mode of these; an answer that says it was fast costs double all the same.
    ["claude-haiku-4-5", "anthropic", 200n],
    ["gemini-2.5-pro", "google", 200n],
  ])("of %s at %s", (model, provider, percent) => {
    expect(extras(model, provider)?.fastPercent).toBe(percent);
  });

  test("of a model in the operator's own prices is the vendor's", () => {
    const one = nanoFromUsd(1);
    const rates = {
      base: { input: one, output: one, cacheRead: one, cacheWrite: one, cacheWrite1h: one },
      bands: [],
    };
    const own = openPriceList(new Map([["claude-opus-4-6", rates]]));
    expect(own.find("claude-opus-4-6", null, NOW)).toMatchObject({ basis: "override", extras: { fastPercent: 600n } });
  });

  test("of an unknown model doubles the dearest rates", () => {
    expect(prices.worst("anthropic").extras).toEqual({
      fastPercent: 200n,
      regionPercent: 110n,
      webSearch: nanoFromUsd(0.01),
    });
  });

  test("is a row with a source and a day, for a model of the lists, and never cheaper than standard speed", () => {
    for (const { model, percent, origin } of FAST_ROWS) {
      expect(prices.find(model, null, NOW)?.basis).toMatch(/exact|override/);
      expect(percent).toBeGreaterThan(100n);
      expect(origin.text).not.toBe("");
      expect(origin.date).toMatch(/^2026-\d\d-\d\d$/);
    }
    expect(fastRow("claude-sonnet-5")).toBeNull();
  });
});

describe("a region", () => {
  test("adds a tenth", () => {
    for (const provider of [null, "anthropic", "aws"])
      expect(extras("claude-opus-5-5", provider)?.regionPercent).toBe(110n);
  });
});

describe("a web search", () => {
  test.each([
    ["claude-opus-5-5", "anthropic", 0.01],
    ["claude-sonnet-5-5", "anthropic", 0.01],
    ["gpt-5.6", "openai", 0.01],
    ["gemini-3.1-pro-preview", "google", 0.014],
    ["models/gemini-2.5-pro", "google", 0.035],
    ["claude-opus-5", "vertex", 0.01],
    ["sonar-deep-research", "perplexity", 0.005],
    ["llama-3.3-70b-versatile", "groq", 0.01],
  ])("of %s at %s costs what the library states, else the usual", (model, provider, usd) => {
    expect(extras(model, provider)?.webSearch).toBe(nanoFromUsd(usd));
  });

  test("of an unknown model is the dearest of its provider", () => {
    expect(prices.worst("google").extras.webSearch).toBe(nanoFromUsd(0.035));
  });
});
