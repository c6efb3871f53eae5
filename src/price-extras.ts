// What vendors charge beside their rates per token: fast mode, processing in one country, web searches.
import { type Nano, nanoFromUsd } from "./core/money.ts";
import type { Extras } from "./core/price.ts";
import { bareId, plainId } from "./price-names.ts";
import { CLAUDE_CODE, OPENAI_PAGES, type Origin } from "./price-overrides.ts";

type FastRow = { readonly model: string; readonly percent: bigint; readonly origin: Origin };

const FAST_PAGE: Origin = { text: "platform.claude.com (fast mode)", date: "2026-11-22" };
const OPUS_5_FAST: Origin = { text: "openrouter.ai (Claude Opus 5 Fast), citing Anthropic", date: "2026-11-22" };

/** Fast mode in percent of a model's own rates. */
export const FAST_ROWS: readonly FastRow[] = [
  { model: "claude-opus-4-6", percent: 600n, origin: FAST_PAGE },
  { model: "claude-opus-4-7", percent: 600n, origin: FAST_PAGE },
  { model: "claude-opus-4-8", percent: 200n, origin: FAST_PAGE },
  { model: "claude-opus-5", percent: 200n, origin: OPUS_5_FAST },
  { model: "claude-opus-5-5", percent: 200n, origin: CLAUDE_CODE },
  { model: "gpt-6.1-sol", percent: 200n, origin: OPENAI_PAGES },
  { model: "gpt-6.2-sol", percent: 200n, origin: OPENAI_PAGES },
];
/** Of a model that answers fast without a row: what those on sale now ask. */
const USUAL_FAST_PERCENT = 200n;
/** Anthropic's `inference_geo: "us"`, whichever cloud it is asked on, and OpenAI's regional processing. */
const REGION_PERCENT = 110n;
/** Ten dollars a thousand: Anthropic's and OpenAI's price, and the dearest that the library states for anyone. */
const USUAL_WEB_SEARCH = nanoFromUsd(0.01);
/**
 * Google's, which the library leaves out; by ai.google.dev (pricing) and LiteLLM's list, read 2026-11-22. Gemini 2.5
 * asks its price once a prompt, however often it searched: by the search is the dearer reading.
 */
const GEMINI_3_SEARCH = nanoFromUsd(0.014);
const OLDER_GEMINI_SEARCH = nanoFromUsd(0.035);

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
    regionPercent: REGION_PERCENT,
    webSearch: webSearch ?? (provider === "google" ? googleSearch(model) : USUAL_WEB_SEARCH),
  };
}

/** The dearer one for a model that nobody knows. */
function googleSearch(model: string | null): Nano {
  const id = bareId(model ?? "gemini");
  if (!id.startsWith("gemini")) return USUAL_WEB_SEARCH;
  return /^gemini-(?:[3-9]|\d\d)/.test(id) ? GEMINI_3_SEARCH : OLDER_GEMINI_SEARCH;
}
