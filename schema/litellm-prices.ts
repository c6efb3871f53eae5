// Prints schema/litellm-prices.json, the second list of `prices check`, from a copy of LiteLLM's
// model_prices_and_context_window.json: `node schema/litellm-prices.ts FILE COMMIT DAY > schema/litellm-prices.json`.
import { readFileSync } from "node:fs";
import { scaleDecimal, usdFromNano } from "../src/core/money.ts";
import { isCurrentModel, undatedId } from "../src/price-names.ts";
import type { Figures, SecondList } from "../src/price-second-list.ts";

type Entry = Readonly<Record<string, unknown>>;

/** LiteLLM's provider: whose models they are, by the prices library's name. */
const PROVIDERS: Readonly<Record<string, string>> = { anthropic: "anthropic", openai: "openai", gemini: "google" };
const MODES: readonly unknown[] = ["chat", "responses"];
/** From dollars per token to nano-dollars per million tokens: 10^9 times 10^6. */
const NANO_PER_MILLION_DIGITS = 15;

const RATES = {
  input: "input_cost_per_token",
  output: "output_cost_per_token",
  cache_read: "cache_read_input_token_cost",
  cache_write: "cache_creation_input_token_cost",
  cache_write_1h: "cache_creation_input_token_cost_above_1hr",
} as const;

function figuresOf(entry: Entry): Figures {
  const threshold = Object.keys(entry)
    .map((key) => /^input_cost_per_token_above_(\d+)k_tokens$/.exec(key)?.[1])
    .find((thousands) => thousands !== undefined);
  const rates = Object.entries(RATES).flatMap(([figure, key]) => [
    [figure, perMillion(entry[key])],
    [`long_${figure}`, threshold === undefined ? undefined : perMillion(entry[`${key}_above_${threshold}k_tokens`])],
  ]);
  const factors = (entry.provider_specific_entry ?? {}) as Entry;
  const searches = (entry.search_context_cost_per_query ?? {}) as Entry;
  const figures: Record<string, number | undefined> = {
    ...Object.fromEntries(rates),
    long_above: threshold === undefined ? undefined : Number(threshold) * 1000,
    web_search: searches.search_context_size_medium as number | undefined,
    fast_percent: percent(factors.fast),
    region_percent: percent(factors.us ?? entry.regional_processing_uplift_multiplier_us),
  };
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined));
}

const perMillion = (usd: unknown): number | undefined =>
  typeof usd === "number" ? usdFromNano(scaleDecimal(String(usd), NANO_PER_MILLION_DIGITS)) : undefined;

const percent = (factor: unknown): number | undefined =>
  typeof factor === "number" ? Number(scaleDecimal(String(factor), 2)) : undefined;

const [file = "", commit = "", day = ""] = process.argv.slice(2);
const entries = Object.entries(JSON.parse(readFileSync(file, "utf8")) as Record<string, Entry>);
const models = entries.flatMap(([id, entry]) => {
  const model = id.slice(id.lastIndexOf("/") + 1);
  const provider = PROVIDERS[String(entry.litellm_provider)];
  const isCurrent = isCurrentModel(model) && undatedId(model) === model && entry.deprecation_date === undefined;
  if (provider === undefined || !MODES.includes(entry.mode) || !isCurrent) return [];
  return [{ model, provider, figures: figuresOf(entry) }];
});
const list: SecondList = {
  source: "https://github.com/BerriAI/litellm, model_prices_and_context_window.json",
  commit,
  day,
  licence: "MIT, Copyright (c) 2023 Berri AI",
  models: models.sort((a, b) => (a.model < b.model ? -1 : 1)),
};
process.stdout.write(`${JSON.stringify(list, null, 2)}\n`);
