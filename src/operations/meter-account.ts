// A metered response as an account: what it used and costs, and how that changes what is booked for it already.
import { max } from "../core/limits.ts";
import { METERS, type Meter, type MeteredResponse } from "../core/metered.ts";
import type { Usage } from "../core/usage.ts";
import type { ToolLine } from "../ledger/charges.ts";
import type { Account } from "../ledger/metered.ts";
import type { Context } from "./operation.ts";
import { type PricedResponse, priceResponse } from "./price-response.ts";

/** As which tool the searches that a provider ran are booked. */
export const WEB_SEARCH = "web_search";

export type PricedAccount = {
  readonly response: MeteredResponse;
  readonly price: PricedResponse;
  readonly account: Account;
};

export function accountOf(context: Context, response: MeteredResponse, meter: Meter): PricedAccount {
  const price = priceResponse(context, response);
  const account: Account = {
    meter,
    inputTokens: BigInt(response.inputTokens),
    outputTokens: BigInt(response.outputTokens),
    cacheReadTokens: BigInt(response.cacheReadTokens),
    cacheWriteTokens: BigInt(response.cacheWriteTokens),
    cacheWrite1hTokens: BigInt(response.cacheWrite1hTokens),
    webSearches: BigInt(response.webSearches),
    toolCalls: BigInt(response.toolCalls.length),
    cost: response.cost ?? (price.cost ?? 0n) + price.searchCost,
  };
  return { response, price, account };
}

export type Change = {
  /** What counts from now on. */
  readonly account: Account;
  /** What was not counted before, and of it the part of single tools. */
  readonly usage: Usage;
  readonly lines: readonly ToolLine[];
};

/**
 * What a found account changes; null = nothing. A better source's cost replaces a weaker one's, be it more or less; of
 * one source the larger account is the later; a weaker one changes nothing. Counts never fall.
 */
export function changeOf(known: Account | undefined, found: PricedAccount): Change | null {
  const { account } = found;
  const isBetter = known !== undefined && METERS.indexOf(account.meter) > METERS.indexOf(known.meter);
  if (known && !isBetter && account.meter !== known.meter) return null;
  const larger = largerOf(known ?? { ...account, ...NO_COUNTS }, account);
  const more = (count: Count) => larger[count] - (known?.[count] ?? 0n);
  const cacheWriteTokens = more("cacheWriteTokens");
  const writtenFor1h = more("cacheWrite1hTokens");
  const usage: Usage = {
    inputTokens: more("inputTokens"),
    outputTokens: more("outputTokens"),
    cacheReadTokens: more("cacheReadTokens"),
    cacheWriteTokens,
    // Found out to be kept longer than was thought: that is in the cost, but no further token.
    cacheWrite1hTokens: writtenFor1h < cacheWriteTokens ? writtenFor1h : cacheWriteTokens,
    toolCalls: more("toolCalls") + more("webSearches"),
  };
  const cost = known && !isBetter ? max(known.cost, account.cost) : account.cost;
  const isNews = !known || isBetter || cost > known.cost || Object.values(usage).some((count) => count > 0n);
  if (!isNews) return null;
  const lines = linesOf(found, more("toolCalls"), more("webSearches"));
  return { account: { ...larger, meter: account.meter, cost }, usage, lines };
}

const NO_COUNTS = {
  inputTokens: 0n,
  outputTokens: 0n,
  cacheReadTokens: 0n,
  cacheWriteTokens: 0n,
  cacheWrite1hTokens: 0n,
  webSearches: 0n,
  toolCalls: 0n,
};
type Count = keyof typeof NO_COUNTS;

/** Of each count the larger one. */
function largerOf(known: Account, found: Account): Account {
  const counts = (Object.keys(NO_COUNTS) as Count[]).map((count) => [count, max(known[count], found[count])]);
  return { ...found, ...Object.fromEntries(counts) };
}

/** The last calls of the response by tool, at no cost of their own, and its last searches at theirs. */
function linesOf({ response, price }: PricedAccount, calls: bigint, searches: bigint): ToolLine[] {
  const tools = response.toolCalls.slice(response.toolCalls.length - Number(calls)).map(({ tool }) => tool);
  const lines = [...Map.groupBy(tools, (tool) => tool)].map(([tool, each]) => ({
    tool,
    calls: BigInt(each.length),
    cost: 0n,
  }));
  if (searches === 0n) return lines;
  const known = lines.find(({ tool }) => tool === WEB_SEARCH)?.calls ?? 0n;
  const cost = (price.searchCost * searches) / BigInt(response.webSearches);
  return [...lines.filter(({ tool }) => tool !== WEB_SEARCH), { tool: WEB_SEARCH, calls: known + searches, cost }];
}
