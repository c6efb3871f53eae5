// The dearest rates now known for a provider: what an unknown model is charged, so that nothing is ever free.
import type { ModelInfo, ModelPrice, Provider } from "@pydantic/genai-prices";
import type { Rate, Rates } from "./core/price.ts";
import { findProvider, LIBRARY_DATE, makesMedia, ratesOf, resells } from "./price-library.ts";
import { plainId } from "./price-names.ts";
import { bedrockRates, OVERRIDE_ROWS } from "./price-overrides.ts";

/** For an agent of no known provider. */
const USUAL_PROVIDERS = ["anthropic", "openai", "google"] as const;

/**
 * Models dearer than the rest of their vendor that the vendor has shut down; the library does not mark them.
 * From platform.claude.com (model deprecations) and developers.openai.com (deprecations), read 2026-11-22.
 */
const SHUT_DOWN: ReadonlyMap<string, string> = new Map([
  ["claude-3-opus", "2026-01-05"],
  ["claude-opus-4", "2026-06-15"],
  ["claude-opus-4-0", "2026-06-15"],
  ["claude-opus-4-1", "2026-08-05"],
  ["gpt-4", "2026-10-23"],
  ["gpt-4-32k", "2025-06-06"],
  ["gpt-4-5-preview", "2025-07-14"],
  ["gpt-4-turbo", "2026-10-23"],
  ["o1", "2026-10-23"],
  ["o1-preview", "2025-07-28"],
  ["o1-pro", "2026-10-23"],
  ["o3-deep-research", "2026-07-23"],
]);
/** Bedrock, Vertex and Azure keep models on schedules of their own. */
const FOLLOW_THE_VENDOR: ReadonlySet<string> = new Set(["anthropic", "openai", "openrouter"]);

/** The field-wise maximum over the provider's models on sale; over the usual three when it has none or is unknown. */
export function worstRates(provider: Provider | null): Rates {
  const own = provider === null ? [] : currentRates(provider);
  if (own.length > 0) return dearest(own);
  return dearest(USUAL_PROVIDERS.map(findProvider).flatMap((usual) => (usual === null ? [] : currentRates(usual))));
}

/** Every rate a model of the provider has now or is known to get, ours included. */
function currentRates(provider: Provider): Rates[] {
  const vendors = [provider, ...(provider.fallback_model_providers ?? []).map(findProvider)];
  const listed = vendors.flatMap((vendor) =>
    (vendor?.models ?? [])
      .filter((model) => vendor !== null && isOnSale(vendor, model))
      .flatMap((model) => currentPrices(model).map((prices) => readsAsStated(model, prices)))
      .filter((rates) => rates !== null),
  );
  const latest = OVERRIDE_ROWS.filter((row) => row === OVERRIDE_ROWS.findLast(({ model }) => model === row.model));
  if (provider.id === "aws") return [...listed, ...latest.map((row) => bedrockRates(row.model, row.rates))];
  return [...listed, ...latest.filter((row) => resells(provider, row.vendor)).map((row) => row.rates)];
}

function isOnSale(vendor: Provider, model: ModelInfo): boolean {
  if (model.deprecated) return false;
  const name = plainId(model.id.slice(model.id.lastIndexOf("/") + 1));
  return !(FOLLOW_THE_VENDOR.has(vendor.id) && SHUT_DOWN.has(name));
}

/** The rows not yet superseded when the data was published, with announced ones; none of models that make media. */
function currentPrices(model: ModelInfo): ModelPrice[] {
  if (!Array.isArray(model.prices)) return makesMedia(model.prices) ? [] : [model.prices];
  const started = model.prices.findLastIndex(
    ({ constraint }) => constraint?.type === "start_date" && constraint.start_date <= LIBRARY_DATE,
  );
  return model.prices
    .slice(Math.max(started, 0))
    .map((row) => row.prices)
    .filter((prices) => !makesMedia(prices));
}

/** A model without a price for cache reads has no cache: its input price must not become the provider's read price. */
function readsAsStated(model: ModelInfo, prices: ModelPrice): Rates | null {
  return ratesOf(model, { cache_read_mtok: 0, ...prices });
}

function dearest(all: readonly Rates[]): Rates {
  const at = (above: bigint) => {
    const rate = all
      .map(({ base, bands }) => bands.findLast((band) => band.above <= above)?.rate ?? base)
      .reduce(fieldMax);
    return rate.cacheRead === 0n ? { ...rate, cacheRead: rate.input } : rate;
  };
  const base = at(-1n);
  const steps = [...new Set(all.flatMap(({ bands }) => bands.map((band) => band.above)))].sort((a, b) => Number(a - b));
  const bands: { above: bigint; rate: Rate }[] = [];
  for (const above of steps) {
    const rate = at(above);
    const before = bands.at(-1)?.rate ?? base;
    if (FIELDS.some((field) => rate[field] !== before[field])) bands.push({ above, rate });
  }
  return { base, bands };
}

const FIELDS = ["input", "output", "cacheRead", "cacheWrite", "cacheWrite1h"] as const satisfies (keyof Rate)[];

function fieldMax(a: Rate, b: Rate): Rate {
  const dearer = (field: keyof Rate) => (a[field] < b[field] ? b : a)[field];
  return {
    input: dearer("input"),
    output: dearer("output"),
    cacheRead: dearer("cacheRead"),
    cacheWrite: dearer("cacheWrite"),
    cacheWrite1h: dearer("cacheWrite1h"),
  };
}
