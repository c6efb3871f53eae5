// What one usage comes to: exact arithmetic on prices per million tokens.
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

/** `provider`: who sells the model by the list's name ("anthropic"); null where the list does not say. */
export type Price = {
  readonly rates: Rates;
  readonly basis: PriceBasis;
  readonly source: string;
  readonly provider: string | null;
};

/** The price list behind one function; null = the model is unknown. `atMs`: the usage's time (prices change). */
export type PriceList = {
  find(model: string, provider: string | null, atMs: number): Price | null;
  /** The dearest rates known for the provider (of all, when it is null or unknown). */
  worst(provider: string | null): Price;
};

const MILLION = 1_000_000n;

/** Nano-dollars for the tokens, rounded half up once for the whole. */
export function costOf(tokens: PricedTokens, rates: Rates): Nano {
  const prompt = tokens.input + tokens.cacheRead + tokens.cacheWrite;
  const rate = rates.bands.findLast((band) => prompt > band.above)?.rate ?? rates.base;
  const scaled =
    tokens.input * rate.input +
    tokens.output * rate.output +
    tokens.cacheRead * rate.cacheRead +
    (tokens.cacheWrite - tokens.cacheWrite1h) * rate.cacheWrite +
    tokens.cacheWrite1h * rate.cacheWrite1h;
  return (scaled * 2n + MILLION) / (MILLION * 2n);
}
