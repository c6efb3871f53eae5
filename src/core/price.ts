// What one usage comes to: exact arithmetic on prices per million tokens.
import type { MeteredResponse } from "./metered.ts";
import type { Nano } from "./money.ts";

/** Prices of one model in nano-dollars per million tokens. */
export type Rate = {
  readonly input: bigint;
  readonly output: bigint;
  readonly cacheRead: bigint;
  /** Cache writes kept five minutes. */
  readonly cacheWrite: bigint;
  /** Cache writes kept one hour. */
  readonly cacheWrite1h: bigint;
};

/** A model's rates: the base, and bands that reprice the **whole** request once its prompt exceeds `above` tokens. */
export type Rates = { readonly base: Rate; readonly bands: readonly { readonly above: bigint; readonly rate: Rate }[] };

/** The tokens that are priced; `cacheWrite1h` is a part of `cacheWrite`; `input` excludes both kinds of cache. */
export type PricedTokens = {
  readonly input: bigint;
  readonly output: bigint;
  readonly cacheRead: bigint;
  readonly cacheWrite: bigint;
  readonly cacheWrite1h: bigint;
};

/** Where a price came from: the list's own row, the policy or our table, a near relative, or the dearest known. */
export type PriceBasis = "exact" | "override" | "approximate" | "worst_known";

/** What a response costs beside its tokens' rates. The percents multiply its tokens' price: 200 doubles it. */
export type Extras = {
  /** Fast mode. */
  readonly fastPercent: bigint;
  /** Processing kept in one country. */
  readonly regionPercent: bigint;
  /** Nano-dollars of one web search that the provider ran. */
  readonly webSearch: Nano;
};

/** How a response was served, where that changes the price of its tokens. */
export type Service = Pick<MeteredResponse, "speed" | "region">;
export const STANDARD_SERVICE: Service = { speed: "standard", region: null };

/**
 * `row`: the list's own name of the model whose price it is, null for the dearest known; `provider`: who sells it by
 * the list's name ("anthropic"), null where the list does not say.
 */
export type Price = {
  readonly rates: Rates;
  readonly extras: Extras;
  readonly basis: PriceBasis;
  readonly source: string;
  readonly row: string | null;
  readonly provider: string | null;
};

/** The price list behind one function; null = the model is unknown. `atMs`: the usage's time (prices change). */
export type PriceList = {
  find(model: string, provider: string | null, atMs: number): Price | null;
  /** The dearest rates known for the provider (of all, when it is null or unknown). */
  worst(provider: string | null): Price;
};

const MILLION = 1_000_000n;

/** Nano-dollars for the tokens at their rates, times each percent, rounded half up once for the whole. */
export function costOf(tokens: PricedTokens, rates: Rates, percents: readonly bigint[] = []): Nano {
  const prompt = tokens.input + tokens.cacheRead + tokens.cacheWrite;
  const rate = rates.bands.findLast((band) => prompt > band.above)?.rate ?? rates.base;
  const scaled =
    tokens.input * rate.input +
    tokens.output * rate.output +
    tokens.cacheRead * rate.cacheRead +
    (tokens.cacheWrite - tokens.cacheWrite1h) * rate.cacheWrite +
    tokens.cacheWrite1h * rate.cacheWrite1h;
  const factor = percents.reduce((product, percent) => product * percent, 1n);
  const unit = MILLION * 100n ** BigInt(percents.length);
  return (scaled * factor * 2n + unit) / (unit * 2n);
}

/** What multiplies the price of a response served so; the two surcharges multiply each other. */
export function percentsOf({ fastPercent, regionPercent }: Extras, { speed, region }: Service): bigint[] {
  return [...(speed === "fast" ? [fastPercent] : []), ...(region === null ? [] : [regionPercent])];
}
