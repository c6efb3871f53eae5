// What a metered response costs: its tokens as it was served, and apart from them the searches the provider ran for it.
import type { MeteredResponse } from "../core/metered.ts";
import type { Nano } from "../core/money.ts";
import type { Service } from "../core/price.ts";
import type { Context } from "./operation.ts";
import { type PricedUsage, priceTokens } from "./pricing.ts";

/** `cost` is that of the tokens alone: the searches are booked as a line of their own. */
export type PricedResponse = PricedUsage & { readonly searchCost: Nano };

/** Unknown models are priced by the policy, as in a report; their searches at the usual price. */
export function priceResponse(context: Context, response: MeteredResponse): PricedResponse {
  const { model, provider, occurredAt } = response;
  const tokens = {
    input: BigInt(response.inputTokens),
    output: BigInt(response.outputTokens),
    cacheRead: BigInt(response.cacheReadTokens),
    cacheWrite: BigInt(response.cacheWriteTokens),
    cacheWrite1h: BigInt(response.cacheWrite1hTokens),
  };
  const price = context.prices.find(model, provider, occurredAt) ?? context.prices.worst(provider);
  return {
    ...priceTokens(context, tokens, model, provider, occurredAt, response),
    // A search costs whole nano-dollars, so the response as a whole is rounded once, with its tokens.
    searchCost: BigInt(response.webSearches) * price.extras.webSearch,
  };
}

const SURCHARGES = { fast: ", fast", region: ", us" } as const;

/** A price list's name with how the response was served, so that a recost prices it so again. */
export function servedBy(priceList: string | null, { speed, region }: Service): string | null {
  if (priceList === null) return null;
  return priceList + (speed === "fast" ? SURCHARGES.fast : "") + (region === null ? "" : SURCHARGES.region);
}

/** The reverse: how what was priced by this list was served. */
export function serviceIn(priceList: string | null): Service {
  const region = priceList?.endsWith(SURCHARGES.region) ? "us" : null;
  const before = region === null ? priceList : priceList?.slice(0, -SURCHARGES.region.length);
  return { speed: before?.endsWith(SURCHARGES.fast) ? "fast" : "standard", region };
}
