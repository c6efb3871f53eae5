// A price as a person reads it and as JSON: rates per million tokens by the prompt's length, surcharges, an example.
import { formatUsd, type Nano, usdFromNano } from "./core/money.ts";
import { grouped } from "./core/plain-text.ts";
import { costOf, type PricedTokens, type Rate, type Rates } from "./core/price.ts";
import { type Column, shownText, table } from "./faces/table.ts";
import type { ExplainedPrice, Question } from "./price-explained.ts";
import type { Origin } from "./price-overrides.ts";

/** One turn of a coding agent, with a search. */
const EXAMPLE: PricedTokens = {
  input: 2_000n,
  cacheRead: 40_000n,
  cacheWrite: 3_000n,
  cacheWrite1h: 1_000n,
  output: 800n,
};
const EXAMPLE_TEXT =
  "2,000 tokens in, 40,000 read from the cache, 2,000 written to it for 5 minutes and 1,000 for an hour, 800 out, one web search";

const WHOLE_REQUEST = "The prompt is all input, cached or not; its length prices the whole request.";

const KINDS: readonly { readonly title: string; readonly key: keyof Rate; readonly json: string }[] = [
  { title: "input", key: "input", json: "input_usd" },
  { title: "output", key: "output", json: "output_usd" },
  { title: "cache read", key: "cacheRead", json: "cache_read_usd" },
  { title: "cache write, 5 minutes", key: "cacheWrite", json: "cache_write_usd" },
  { title: "cache write, 1 hour", key: "cacheWrite1h", json: "cache_write_1h_usd" },
];

export function explainedText(question: Question, explained: ExplainedPrice): string {
  const { price, why } = explained;
  const seller = price?.provider ?? question.provider;
  const basis = price?.basis ?? "unpriced";
  const head = `${question.model}${seller === null ? "" : ` of ${seller}`}, ${dayOf(question)}: ${basis}${price ? ` (${price.source})` : ""}`;
  if (price === null) return `${shownText(head)}\n${shownText(why)}`;
  const { fastPercent, regionPercent, webSearch } = price.extras;
  const surcharges = [
    `fast mode: ${times(fastPercent)} (${fastText(explained.fastOrigin)})`,
    `processed in one country: ${times(regionPercent)}`,
    `web search: ${formatUsd(webSearch)} each, ${formatUsd(webSearch * 1000n)} a thousand`,
  ];
  const example = `Example: ${EXAMPLE_TEXT}: ${formatUsd(costOf(EXAMPLE, price.rates) + webSearch)}; as an answer that was fast ${formatUsd(costOf(EXAMPLE, price.rates, [fastPercent]) + webSearch)}.`;
  const rule = price.rates.bands.length > 0 ? [WHOLE_REQUEST] : [];
  return [shownText(head), shownText(why), "", ratesTable(price.rates), ...rule, "", ...surcharges, "", example].join(
    "\n",
  );
}

/** A column for each length of prompt: the whole request is priced by its own. */
function ratesTable({ base, bands }: Rates): string {
  const lengths = [{ above: 0n, rate: base }, ...bands];
  const titleOf = (above: bigint, next: bigint | undefined): string => {
    if (above > 0n) return `prompt above ${grouped(above)}`;
    return next === undefined ? "any prompt" : `prompt up to ${grouped(next)}`;
  };
  const columns: Column<(typeof KINDS)[number]>[] = [
    { title: "USD per million tokens", align: "left", cell: ({ title }) => title },
    ...lengths.map(({ above, rate }, i) => ({
      title: titleOf(above, lengths[i + 1]?.above),
      align: "right" as const,
      cell: ({ key }: (typeof KINDS)[number]) => formatUsd(rate[key]),
    })),
  ];
  return table(KINDS, columns, "");
}

/** 110 as "1.1x". */
const times = (percent: bigint): string => `${Number(percent) / 100}x`;

const fastText = (origin: Origin | null): string =>
  origin === null ? "nothing is known of one: an answer that says it was fast costs double" : originText(origin);

const originText = ({ text, date }: Origin): string => `${text}, read ${date}`;

const dayOf = ({ atMs }: Question): string => new Date(atMs).toISOString().slice(0, 10);

export function explainedOut(question: Question, explained: ExplainedPrice): Record<string, unknown> {
  const { price, origin, why, fastOrigin } = explained;
  return {
    model: question.model,
    provider: price?.provider ?? question.provider,
    date: dayOf(question),
    basis: price?.basis ?? "unpriced",
    price_list: price?.source ?? null,
    row: price?.row ?? null,
    origin,
    why,
    rates: price === null ? [] : [{ above: 0n, rate: price.rates.base }, ...price.rates.bands].map(rateOut),
    extras: price && {
      fast_percent: Number(price.extras.fastPercent),
      fast_origin: fastOrigin,
      region_percent: Number(price.extras.regionPercent),
      web_search_usd: usdFromNano(price.extras.webSearch),
    },
  };
}

function rateOut({ above, rate }: { above: bigint; rate: Rate }): Record<string, number> {
  const prices = KINDS.map(({ key, json }) => [json, usdFromNano(rate[key] satisfies Nano)]);
  return { above_tokens: Number(above), ...Object.fromEntries(prices) };
}
