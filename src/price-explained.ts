// Why a model costs what it costs: the row of the list it leads to, where that is from, and what unknown models cost.
import type { Policy } from "./core/policy.ts";
import type { Price, PriceList } from "./core/price.ts";
import { fastRow } from "./price-extras.ts";
import { findProvider, LIBRARY_DATE } from "./price-library.ts";
import { plainId } from "./price-names.ts";
import { type Origin, overrideRow, TABLE_DATE } from "./price-overrides.ts";
import { PRICE_SOURCES } from "./prices.ts";

export type Question = { readonly model: string; readonly provider: string | null; readonly atMs: number };

export type ExplainedPrice = {
  /** Null = the policy prices no unknown models, and this is one. */
  readonly price: Price | null;
  readonly isKnown: boolean;
  /** Of a row of our own table. */
  readonly origin: Origin | null;
  readonly why: string;
  /** Where the percent of fast mode is from; null = nothing is known of one. */
  readonly fastOrigin: Origin | null;
};

export function explainedPrice(prices: PriceList, policy: Policy, question: Question): ExplainedPrice {
  const { model, provider, atMs } = question;
  const fastOrigin = fastRow(model)?.origin ?? null;
  const price = prices.find(model, provider, atMs);
  if (price === null) {
    const worst = policy.unknownModel === "unpriced" ? null : prices.worst(provider);
    return { price: worst, isKnown: false, origin: null, why: whyUnknown(policy, provider), fastOrigin };
  }
  const isOurs = price.source === PRICE_SOURCES.table;
  const origin = isOurs && price.row !== null ? (overrideRow(price.row, atMs)?.origin ?? null) : null;
  return { price, isKnown: true, origin, why: whyKnown(question, price, origin), fastOrigin };
}

function whyKnown({ model, provider }: Question, price: Price, origin: Origin | null): string {
  const row = price.row ?? "";
  if (price.source === PRICE_SOURCES.policy)
    return `The policy states it under prices (${row}), and that wins over every list.`;
  if (origin !== null) {
    const from = `Our own table has it (${row}): ${origin.text}, read ${origin.date}`;
    return price.basis === "override"
      ? `${from}. It wins over the prices library, which does not know the model or has it wrong.`
      : `${from}. That is the vendor's own price: what another seller asks is reckoned from it, and flagged approximate.`;
  }
  const library = `${PRICE_SOURCES.library} (data of ${LIBRARY_DATE})`;
  if (price.basis === "exact") return `${library} lists this very model: ${row} of ${price.provider}.`;
  const flagged = "It is charged, and flagged approximate: not trusted.";
  if (plainId(lastPart(row)) !== plainId(lastPart(model)))
    return `Asked was ${model}; ${library} only knows its relative ${row} of ${price.provider}. ${flagged} State the model under prices in astra.yml, or wait for a newer list.`;
  const asked = findProvider(provider);
  if (asked !== null && asked.id !== price.provider)
    return `${library} does not list it as sold by ${asked.id}; this is ${price.provider}'s price of ${row}. ${flagged}`;
  return `${library} has ${row} of ${price.provider}, but not a price of its text tokens alone. ${flagged}`;
}

function whyUnknown({ unknownModel }: Policy, provider: string | null): string {
  const none = `No list knows it: not the policy's prices, not our table of ${TABLE_DATE}, not ${PRICE_SOURCES.library}.`;
  if (unknownModel === "unpriced")
    return `${none} The policy says unknownModel: unpriced, so its tokens cost nothing here and no limit on cost sees them.`;
  const dearest = `the dearest rates now known of ${findProvider(provider)?.id ?? "Anthropic, OpenAI and Google"}`;
  return unknownModel === "deny"
    ? `${none} The policy says unknownModel: deny: whoever asks first is denied, and what is spent all the same costs ${dearest}.`
    : `${none} The policy says unknownModel: worst_known, so it costs ${dearest}: nothing is ever free.`;
}

const lastPart = (id: string): string => id.toLowerCase().slice(id.lastIndexOf("/") + 1);
