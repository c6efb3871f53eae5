// What a usage costs by the policy: reported, priced, or by the rule for unknown models; never silently zero.
import type { Nano } from "../core/money.ts";
import { costOf, type Price, type PricedTokens, percentsOf, type Service, STANDARD_SERVICE } from "../core/price.ts";
import type { Refusal } from "../core/verdict.ts";
import type { CostSource } from "../ledger/tables.ts";
import type { Context } from "./operation.ts";

export type PricedUsage = {
  /** By the price list; null = unknown model and the policy prices no unknown ones. */
  readonly cost: Nano | null;
  readonly costSource: Exclude<CostSource, "reported" | "estimate" | "corrected">;
  readonly priceList: string | null;
  /** Who sells the model, where the caller did not say and the list knows. */
  readonly provider: string | null;
  /** Set when the policy denies unknown models and this is one. */
  readonly refusal: Refusal | null;
};

/** The price of tokens of a model at an instant (epoch ms). No tokens cost nothing, whatever the model. */
export function priceTokens(
  context: Context,
  tokens: PricedTokens,
  model: string | null,
  provider: string | null,
  atMs: number,
  service: Service = STANDARD_SERVICE,
): PricedUsage {
  const costBy = ({ rates, extras }: Price) => costOf(tokens, rates, percentsOf(extras, service));
  const isNothing = tokens.input + tokens.output + tokens.cacheRead + tokens.cacheWrite === 0n;
  if (isNothing) return { cost: 0n, costSource: "exact", priceList: null, provider, refusal: null };
  const price = model === null ? null : context.prices.find(model, provider, atMs);
  if (price)
    return {
      cost: costBy(price),
      costSource: price.basis,
      priceList: price.source,
      provider: provider ?? price.provider,
      refusal: null,
    };
  const { unknownModel } = context.policy;
  if (unknownModel === "unpriced")
    return { cost: null, costSource: "unpriced", priceList: null, provider, refusal: null };
  // The money is spent, whatever the policy thinks of the model: what is denied is going on.
  const worst = context.prices.worst(provider);
  return {
    cost: costBy(worst),
    costSource: "worst_known",
    priceList: worst.source,
    provider,
    refusal: unknownModel === "deny" ? unknownModelRefusal(model) : null,
  };
}

/** Null when a model may be used: it is priced, unnamed, or the policy admits unknown ones. */
export function modelRefusal(
  context: Context,
  model: string | null,
  provider: string | null,
  atMs: number,
): Refusal | null {
  if (model === null || context.policy.unknownModel !== "deny") return null;
  return context.prices.find(model, provider, atMs) ? null : unknownModelRefusal(model);
}

function unknownModelRefusal(model: string | null): Refusal {
  return {
    kind: "unknown_model",
    scope: "workspace",
    scopeId: "",
    text: `No price is known for ${model === null ? "a usage without a model" : `model ${model}`}, and the policy denies unknown models. Stop and ask a human to add it under prices in astra.yml.`,
  };
}
