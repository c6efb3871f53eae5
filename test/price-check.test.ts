// Two price lists side by side: which differences are found, which are known, and how the second list is made.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { comparePrices } from "../src/price-check.ts";
import { comparisonText, isAlike } from "../src/price-check-text.ts";
import { type Figures, SECOND_LIST, type SecondList } from "../src/price-second-list.ts";
import { openPriceList } from "../src/prices.ts";

const prices = openPriceList(new Map());

const listOf = (models: Readonly<Record<string, Figures>>): SecondList => ({
  ...SECOND_LIST,
  models: Object.entries(models).map(([model, figures]) => ({ model, provider: "anthropic", figures })),
});

test("the lists agree on every figure that both state, but for what is known", () => {
  const comparison = comparePrices(prices, SECOND_LIST);
  expect(comparison.differences.filter(({ known }) => known === null)).toEqual([]);
  expect(comparison.onlyTheirs).toEqual([]);
  expect(comparison.compared.length).toBeGreaterThan(35);
});

test.each<[string, Figures, object]>([
  ["claude-opus-4-8", { input: 5, cache_read: 0.25 }, { figure: "cache_read", ours: 0.5, theirs: 0.25 }],
  ["claude-opus-4-8", { fast_percent: 600 }, { figure: "fast_percent", ours: 200, theirs: 600 }],
  ["claude-opus-4-8", { web_search: 0.02 }, { figure: "web_search", ours: 0.01, theirs: 0.02 }],
  // Long prompts are told apart by one side only.
  ["claude-opus-4-8", { long_above: 200_000, long_input: 10 }, { figure: "long_above", ours: null, theirs: 200_000 }],
  ["claude-sonnet-4-5", { input: 3 }, { figure: "long_above", ours: 200_000, theirs: null }],
])("%s with %j differs in one figure", (model, figures, difference) => {
  const second = listOf({ [model]: figures });
  const comparison = comparePrices(prices, second);
  expect(comparison.differences).toEqual([{ model, known: null, ...difference }]);
  expect(isAlike(comparison)).toBe(false);
  expect(comparisonText(comparison, second)).toMatch(/ no\n.*1 difference to look into\.$/s);
});

test("a known difference explains its own values only", () => {
  const changed = SECOND_LIST.models
    .filter(({ model }) => model === "gpt-5.4-pro")
    .map((row) => ({ ...row, figures: { ...row.figures, cache_read: 1 } }));
  const { differences } = comparePrices(prices, { ...SECOND_LIST, models: changed });
  expect(differences.filter(({ known }) => known === null)).toMatchObject([{ figure: "cache_read", theirs: 1 }]);
});

test("a model that our list knows only by a relative counts as unknown to us", () => {
  const { compared, onlyTheirs, onlyOurs } = comparePrices(prices, listOf({ "claude-sonnet-5-9": { input: 2 } }));
  expect([compared, onlyTheirs]).toEqual([[], ["claude-sonnet-5-9"]]);
  expect(onlyOurs).toContain("claude-opus-5");
});

test("the second list is made from LiteLLM's: current models, per million tokens, exactly", () => {
  const folder = mkdtempSync(join(tmpdir(), "astra-budget-litellm-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const entry = { litellm_provider: "gemini", mode: "chat", input_cost_per_token: 1.25e-7 };
  const theirs = {
    sample_spec: { litellm_provider: "one of many", mode: "chat" },
    "gemini/gemini-3.9-pro": {
      ...entry,
      output_cost_per_token: 1.5e-5,
      cache_creation_input_token_cost_above_1hr: 6e-6,
      input_cost_per_token_above_200k_tokens: 2.5e-7,
      cache_creation_input_token_cost_above_1hr_above_200k_tokens: 1.2e-5,
      provider_specific_entry: { us: 1.1, fast: 2.5 },
      search_context_cost_per_query: { search_context_size_medium: 0.014 },
    },
    "gpt-7": { ...entry, litellm_provider: "openai", regional_processing_uplift_multiplier_us: 1.1 },
    "gpt-7-2027-01-01": { ...entry, litellm_provider: "openai" },
    "gemini/gemini-3.9-pro-image": entry,
    "gemini/gemini-3-old": { ...entry, deprecation_date: "2026-01-01" },
    "azure/gpt-7": { ...entry, litellm_provider: "azure" },
    "gpt-7-embed": { ...entry, litellm_provider: "openai", mode: "embedding" },
  };
  writeFileSync(join(folder, "litellm.json"), JSON.stringify(theirs));
  const script = fileURLToPath(new URL("../schema/litellm-prices.ts", import.meta.url));
  const args = [script, join(folder, "litellm.json"), "abc", "2027-01-01"];
  const made = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
  expect(made).toMatchObject({ commit: "abc", day: "2027-01-01", licence: SECOND_LIST.licence });
  expect(made.models).toEqual([
    {
      model: "gemini-3.9-pro",
      provider: "google",
      figures: {
        input: 0.125,
        output: 15,
        cache_write_1h: 6,
        long_above: 200_000,
        long_input: 0.25,
        long_cache_write_1h: 12,
        web_search: 0.014,
        fast_percent: 250,
        region_percent: 110,
      },
    },
    { model: "gpt-7", provider: "openai", figures: { input: 0.125, region_percent: 110 } },
  ]);
});
