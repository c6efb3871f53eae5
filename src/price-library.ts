// The prices library (genai-prices) turned into exact rates; loaded at the first question, never updated over the network.
import { createRequire } from "node:module";
import type { MatchLogic, ModelInfo, ModelPrice, Provider } from "@pydantic/genai-prices";
import { type Nano, nanoFromUsd } from "./core/money.ts";
import type { Rate, Rates } from "./core/price.ts";
import { plainId, spellings } from "./price-names.ts";

type Library = typeof import("@pydantic/genai-prices");

/** The package does not export its package.json; a test compares this with the installed one. */
export const LIBRARY_VERSION = "0.1.8";
/** The day the library's data was published. */
export const LIBRARY_DATE = "2026-09-23";

/** Providers' names in astra.yml and in meters that the library does not resolve itself, or resolves wrongly. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["azure-openai", "azure"],
  ["chatgpt", "openai"],
  ["claude", "anthropic"],
  ["claude-code", "anthropic"],
  ["codex", "openai"],
  ["grok", "x-ai"],
  ["kimi", "moonshotai"],
]);

/** Prices of sound and pictures made; only models that make them have one. */
const MEDIA_OUTPUT = ["output_audio_mtok", "output_image_mtok", "output_video_mtok"] as const;
const MEDIA_INPUT = ["input_audio_mtok", "input_image_mtok", "input_video_mtok"] as const;
const MEDIA_READ = ["cache_audio_read_mtok", "cache_image_read_mtok"] as const;

const FREE: Rates = {
  base: { input: 0n, output: 0n, cacheRead: 0n, cacheWrite: 0n, cacheWrite1h: 0n },
  bands: [],
};

let loaded: Library | undefined;

/** Synchronous and lazy: loading costs some 50 ms, which a server's start and a client's handshake need not pay. */
function library(): Library {
  loaded ??= createRequire(import.meta.url)("@pydantic/genai-prices") as Library;
  return loaded;
}

/** The library's provider for a caller's name ("claude", "bedrock", "vertex_ai"); null = none given or unknown. */
export function findProvider(name: string | null): Provider | null {
  if (!name) return null;
  const id = name.trim().toLowerCase();
  return library().findProvider({ providerId: ALIASES.get(id.replaceAll("_", "-")) ?? id }) ?? null;
}

/** Whether the provider sells this vendor's models at the vendor's own prices. */
export function resells(provider: Provider, vendor: string): boolean {
  return provider.id === vendor || (provider.fallback_model_providers?.includes(vendor) ?? false);
}

/** `model`: the list's own id of its row; `webSearch`: nano-dollars of one search, null where the row has no price. */
type LibraryRates = {
  readonly rates: Rates;
  readonly named: boolean;
  readonly model: string;
  readonly provider: string;
  readonly webSearch: Nano | null;
};

/**
 * The rates valid at a time; `named` tells whether the list means this very model. False = an older sibling
 * caught by a prefix, or a model that makes sound or pictures, whose tokens a usage does not tell apart.
 * Null = unknown, or known without a price per token. Provider null = the library chooses it by the model.
 */
export function libraryRates(id: string, provider: Provider | null, atMs: number): LibraryRates | null {
  let near: LibraryRates | null = null;
  for (const spelling of spellings(id)) {
    const timestamp = new Date(atMs);
    const result = library().calcPrice({}, spelling, provider ? { providerId: provider.id, timestamp } : { timestamp });
    if (result === null) continue;
    const rates = ratesOf(result.model, result.model_price);
    if (rates === null) continue;
    const named = !makesMedia(result.model_price) && isNamed(result.model, spelling);
    const found = {
      rates,
      named,
      model: result.model.id,
      provider: result.provider.id,
      webSearch: searchPrice(result.model_price),
    };
    if (named) return found;
    near ??= found;
  }
  return near;
}

function searchPrice({ web_searches_kcount: thousand }: ModelPrice): Nano | null {
  return typeof thousand === "number" ? nanoFromUsd(thousand / 1000) : null;
}

/** Whether the list's entry is for this id: by its own id, or by an alias, a date pattern or a full stem it states. */
function isNamed(model: ModelInfo, id: string): boolean {
  return plainId(model.id) === plainId(id) || states(model.match, id);
}

function states(match: MatchLogic, id: string): boolean {
  if ("or" in match) return match.or.some((clause) => states(clause, id));
  // A pattern beside a prefix only excludes ("not the speech models").
  if ("and" in match) return match.and.some((clause) => !("regex" in clause) && states(clause, id));
  if ("regex" in match) return new RegExp(match.regex).test(id);
  const literal = Object.values(match)[0] as string;
  return literal.toLowerCase() === id || plainId(literal.toLowerCase()) === plainId(id);
}

/** Whether the model answers with sound or pictures. */
export function makesMedia(prices: ModelPrice): boolean {
  return MEDIA_OUTPUT.some((key) => prices[key] !== undefined);
}

/** Exact rates from one row of the list; null when it has no price per input token and is not marked free. */
export function ratesOf(model: ModelInfo, prices: ModelPrice): Rates | null {
  const base = rateAt(prices, -1);
  if (base === null) return model.id.endsWith(":free") ? FREE : null;
  const starts = new Set<number>();
  for (const price of Object.values(prices)) {
    if (typeof price === "object") for (const tier of price.tiers) starts.add(tier.start);
  }
  const bands = [...starts]
    .sort((a, b) => a - b)
    .map((start) => ({ above: BigInt(start), rate: rateAt(prices, start) ?? base }));
  return { base, bands };
}

/**
 * The rates of a request longer than `start` tokens (-1 = of any). What the list leaves out is never cheaper
 * than the input: cache reads, cache writes and output cost as much as input. One-hour writes cost 1.6 times
 * a stated write (2 : 1.25, Anthropic's ratio), where the library itself would price them as short ones.
 */
function rateAt(prices: ModelPrice, start: number): Rate | null {
  const media = makesMedia(prices);
  const dearest = (...keys: readonly string[]) =>
    keys.reduce<bigint | null>((max, key) => {
      const nano = nanoAt(prices[key], start);
      return nano !== null && (max === null || nano > max) ? nano : max;
    }, null);
  const input = dearest("input_mtok", ...(media ? MEDIA_INPUT : []));
  if (input === null) return null;
  const write = dearest("cache_write_mtok");
  const longWrite = write === null ? input : (write * 8n + 4n) / 5n;
  return {
    input,
    output: dearest("output_mtok", "output_reasoning_mtok", ...MEDIA_OUTPUT) ?? input,
    cacheRead: dearest("cache_read_mtok", ...(media ? MEDIA_READ : [])) ?? input,
    cacheWrite: write ?? input,
    cacheWrite1h: dearest("cache_write_1h_mtok") ?? (longWrite > input ? longWrite : input),
  };
}

function nanoAt(price: ModelPrice[string], start: number): bigint | null {
  if (price === undefined) return null;
  if (typeof price === "number") return nanoFromUsd(price);
  const reached = price.tiers.filter((tier) => tier.start <= start);
  return nanoFromUsd(reached.reduce((a, b) => (b.start >= a.start ? b : a), { start: -1, price: price.base }).price);
}
