// What vendors charge beside their rates per token: fast mode, processing in one country, web searches.
import { type Nano, nanoFromUsd } from "./core/money.ts";
import type { Extras } from "./core/price.ts";
import { bareId, plainId } from "./price-names.ts";
import { CLAUDE_CODE, OPENAI_PAGES, type Origin } from "./price-overrides.ts";

type FastRow = { readonly model: string; readonly percent: bigint; readonly origin: Origin };

const FAST_PAGE: Origin = { text: "platform.claude.com (fast mode)", date: "2026-11-22" };

/** Fast mode in percent of a model's own rates. */
export const FAST_ROWS: readonly FastRow[] = [
  { model: "claude-opus-4-6", percent: 600n, origin: FAST_PAGE },
  { model: "claude-opus-4-7", percent: 600n, origin: FAST_PAGE },
  { model: "claude-opus-4-8", percent: 200n, origin: FAST_PAGE },
  { model: "claude-opus-5", percent: 200n, origin: FAST_PAGE },
  { model: "claude-opus-5-5", percent: 200n, origin: CLAUDE_CODE },
  { model: "gpt-6.1-sol", percent: 200n, origin: OPENAI_PAGES },
  { model: "gpt-6.2-sol", percent: 200n, origin: OPENAI_PAGES },
];
/** Of a model that answers fast without a row: what every model on sale with a fast mode asks. */
const USUAL_FAST_PERCENT = 200n;
/** Anthropic's `inference_geo: "us"`, and OpenAI's regional processing. */
const REGION_PERCENT = 110n;
/** Bedrock's rates hold its regional premium already. */
const NO_SURCHARGE_PERCENT = 100n;
/** Ten dollars a thousand: Anthropic's and OpenAI's price, and the dearest that the library states for anyone. */
const USUAL_WEB_SEARCH = nanoFromUsd(0.01);

/** The row of fast mode for a model in any spelling, whoever sells it; null = the usual percent is taken. */
export function fastRow(model: string): FastRow | null {
  const id = bareId(model);
  const plain = plainId(id.slice(id.lastIndexOf("/") + 1));
  return FAST_ROWS.find((row) => plainId(row.model) === plain) ?? null;
}

/** `webSearch`: one search by the library, null where it states none. Model null = one that nobody knows. */
export function extrasOf(model: string | null, provider: string | null, webSearch: Nano | null): Extras {
  return {
    fastPercent: (model === null ? null : fastRow(model))?.percent ?? USUAL_FAST_PERCENT,
    regionPercent: provider === "aws" ? NO_SURCHARGE_PERCENT : REGION_PERCENT,
    webSearch: webSearch ?? USUAL_WEB_SEARCH,
  };
}
