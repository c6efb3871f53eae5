// The price list: the operator's prices, then our own table, then the prices library; null for a model nobody knows.
import type { Provider } from "@pydantic/genai-prices";
import type { Price, PriceList, Rates } from "./core/price.ts";
import { extrasOf } from "./price-extras.ts";
import { findProvider, LIBRARY_VERSION, libraryRates, resells } from "./price-library.ts";
import { bareId, isBedrockId, undatedId } from "./price-names.ts";
import { bedrockRates, overrideRow, TABLE_DATE } from "./price-overrides.ts";
import { worstRates } from "./price-worst.ts";

/** What a charge records as the source of its price. */
export const PRICE_SOURCES = {
  policy: "astra.yml",
  table: `astra-budget ${TABLE_DATE}`,
  library: `genai-prices ${LIBRARY_VERSION}`,
} as const;

/** Answers kept, the oldest going first: far more than the models in use, and a bound on what callers can fill. */
const CACHE_SIZE = 1024;
/** Every change of price in the lists is on a quarter of an hour (days begin, and DeepSeek's nights at 16:30 UTC). */
const VALIDITY_MS = 15 * 60 * 1000;
/** Longer than any model's or provider's name, Bedrock's resource names included; nothing longer is kept. */
const MAX_NAME_LENGTH = 256;

/** One question to the lists. `sure`: the seller is the caller's own, so an answer may count as exact. */
type Try = { readonly id: string; readonly provider: Provider | null; readonly sure: boolean };

/** The list with the policy's prices (by model id, with or without the model's date) in front. */
export function openPriceList(overrides: ReadonlyMap<string, Rates>): PriceList {
  const own = new Map([...overrides].map(([model, rates]) => [model.trim().toLowerCase(), rates]));
  const answers = new Map<string, Price | null>();
  const worst = new Map<string, Price>();

  return {
    find(model, provider, atMs) {
      if (model.length > MAX_NAME_LENGTH || (provider?.length ?? 0) > MAX_NAME_LENGTH) return null;
      const key = `${model}\n${provider ?? ""}\n${Math.floor(atMs / VALIDITY_MS)}`;
      const known = answers.get(key);
      if (known !== undefined) return known;
      const price = ownPrice(own, model) ?? search(model, provider, atMs);
      const [oldest] = answers.size < CACHE_SIZE ? [] : answers.keys();
      if (oldest !== undefined) answers.delete(oldest);
      answers.set(key, price);
      return price;
    },

    worst(name) {
      const provider = findProvider(name);
      const key = provider?.id ?? "";
      const price = worst.get(key) ?? {
        rates: worstRates(provider),
        extras: extrasOf(null, provider?.id ?? null, null),
        basis: "worst_known",
        source: PRICE_SOURCES.library,
        row: null,
        provider: provider?.id ?? null,
      };
      worst.set(key, price);
      return price;
    },
  };
}

function ownPrice(own: ReadonlyMap<string, Rates>, model: string): Price | null {
  const id = bareId(model);
  for (const row of [model.trim().toLowerCase(), id, undatedId(id)]) {
    const rates = own.get(row);
    if (rates === undefined) continue;
    const extras = extrasOf(row, null, null);
    return { rates, extras, basis: "override", source: PRICE_SOURCES.policy, row, provider: null };
  }
  return null;
}

/** The first sure answer, else the first approximate one. */
function search(model: string, providerName: string | null, atMs: number): Price | null {
  let near: Price | null = null;
  for (const attempt of triesFor(bareId(model), providerName)) {
    const found = fromTable(attempt, atMs) ?? fromLibrary(attempt, atMs);
    if (found === null) continue;
    if (attempt.sure && found.basis !== "approximate") return found;
    // "Free" is believed of the very model only, never of a relative.
    if (found.rates.base.input > 0n) near ??= { ...found, basis: "approximate" };
  }
  return near;
}

/**
 * Whom to ask for what. A Bedrock id tells its seller whatever the caller says; "vendor/model" is OpenRouter's
 * form, and LiteLLM's, where the first part is the seller. Last, the model's own vendor, as an approximation.
 */
function triesFor(id: string, providerName: string | null): readonly Try[] {
  const home = findProvider(isBedrockId(id) ? "aws" : providerName);
  const slash = id.indexOf("/");
  const tries: Try[] = [{ id, provider: slash > 0 ? (home ?? findProvider("openrouter")) : home, sure: true }];
  const prefix = slash > 0 ? findProvider(id.slice(0, slash)) : null;
  if (prefix !== null) {
    tries.push({ id: id.slice(slash + 1), provider: prefix, sure: home === null || home.id === prefix.id });
  }
  // The library finds a vendor by a model's family name only, hence no embeddings.
  const vendors = home === null ? ["openai", "google"].map(findProvider) : [null];
  return [...tries, ...vendors.map((provider) => ({ id, provider, sure: false }))];
}

function fromTable({ id, provider }: Try, atMs: number): Price | null {
  const row = overrideRow(id, atMs);
  if (row === null) return null;
  const seller = provider?.id ?? row.vendor;
  const price = {
    extras: extrasOf(row.model, seller, null),
    source: PRICE_SOURCES.table,
    row: row.model,
    provider: seller,
  };
  if (seller === "aws") return { ...price, rates: bedrockRates(id, row.rates), basis: "approximate" };
  if (provider !== null && !resells(provider, row.vendor)) return null;
  return { ...price, rates: row.rates, basis: "override" };
}

function fromLibrary({ id, provider }: Try, atMs: number): Price | null {
  const found = libraryRates(id, provider, atMs);
  if (found === null) return null;
  const { rates, model, provider: seller } = found;
  return {
    rates,
    extras: extrasOf(id, seller, found.webSearch),
    basis: found.named ? "exact" : "approximate",
    source: PRICE_SOURCES.library,
    row: model,
    provider: seller,
  };
}
