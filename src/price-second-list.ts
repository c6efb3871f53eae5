// The second list of prices, LiteLLM's, as `schema/litellm-prices.json` keeps it: to compare with, never to charge by.
import json from "../schema/litellm-prices.json" with { type: "json" };

/**
 * What two lists are compared by: US dollars per million tokens; `long_…` those of a request whose prompt is longer than
 * `long_above` tokens; dollars of one web search; percents of a model's own rates.
 */
export const FIGURES = [
  "input",
  "output",
  "cache_read",
  "cache_write",
  "cache_write_1h",
  "long_above",
  "long_input",
  "long_output",
  "long_cache_read",
  "long_cache_write",
  "long_cache_write_1h",
  "web_search",
  "fast_percent",
  "region_percent",
] as const;
export type Figure = (typeof FIGURES)[number];
/** Only what the list states. */
export type Figures = { readonly [figure in Figure]?: number };

export type SecondList = {
  readonly source: string;
  readonly commit: string;
  /** The day (UTC) whose prices it has. */
  readonly day: string;
  readonly licence: string;
  readonly models: readonly { readonly model: string; readonly provider: string; readonly figures: Figures }[];
};

export const SECOND_LIST: SecondList = json as SecondList;
