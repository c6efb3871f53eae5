// A metered response as an account: what it used and costs, and what it adds to the account that is booked already.
import { METERS, type Meter, type MeteredResponse } from "../core/metered.ts";
import type { Usage } from "../core/usage.ts";
import type { ToolLine } from "../ledger/charges.ts";
import type { Account } from "../ledger/metered.ts";
import type { Context } from "./operation.ts";
import { type PricedResponse, priceResponse } from "./price-response.ts";

/** As which tool the searches that a provider ran are booked. */
const WEB_SEARCH = "web_search";

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
    cost: (price.cost ?? 0n) + price.searchCost,
  };
  return { response, price, account };
}

/** What is to be booked besides what is; `lowers`: by how much the booked cost is too high (nano-dollars). */
export type Addition = { readonly usage: Usage; readonly cost: bigint; readonly lines: readonly ToolLine[] };
export type Change = { readonly adds: Addition | null; readonly lowers: bigint };

/**
 * A better source replaces a weaker one's account; of one source the larger account is the later. A weaker one changes
 * nothing. Counts never fall: where the better account is smaller, only the cost is taken back.
 */
export function changeOf(known: Account | undefined, found: PricedAccount): Change {
  const { account } = found;
  const more = (count: keyof Omit<Account, "meter">) => over(account[count], known?.[count] ?? 0n);
  if (known && METERS.indexOf(account.meter) < METERS.indexOf(known.meter)) return { adds: null, lowers: 0n };
  const cacheWriteTokens = more("cacheWriteTokens");
  const written = more("cacheWrite1hTokens");
  const usage: Usage = {
    inputTokens: more("inputTokens"),
    outputTokens: more("outputTokens"),
    cacheReadTokens: more("cacheReadTokens"),
    cacheWriteTokens,
    cacheWrite1hTokens: written < cacheWriteTokens ? written : cacheWriteTokens,
    toolCalls: more("toolCalls") + more("webSearches"),
  };
  const cost = more("cost");
  const isNews = known === undefined || cost > 0n || Object.values(usage).some((count) => count > 0n);
  return {
    adds: isNews
      ? { usage, cost, lines: linesOf(found, usage.toolCalls - more("webSearches"), more("webSearches"), cost) }
      : null,
    lowers: known && account.meter !== known.meter ? over(known.cost, account.cost) : 0n,
  };
}

/** What is booked after that change. Were a count kept that fell, the account before would add it once more. */
export function bookedAccount(known: Account | undefined, { account }: PricedAccount): Account {
  if (!known) return account;
  const most = (count: keyof Omit<Account, "meter">) => (known[count] > account[count] ? known[count] : account[count]);
  return {
    meter: account.meter,
    inputTokens: most("inputTokens"),
    outputTokens: most("outputTokens"),
    cacheReadTokens: most("cacheReadTokens"),
    cacheWriteTokens: most("cacheWriteTokens"),
    cacheWrite1hTokens: most("cacheWrite1hTokens"),
    webSearches: most("webSearches"),
    toolCalls: most("toolCalls"),
    cost: account.meter === known.meter ? most("cost") : account.cost,
  };
}

const over = (a: bigint, b: bigint): bigint => (a > b ? a - b : 0n);

/** The last calls of the response by tool, at no cost of their own, and its searches at theirs. */
function linesOf({ response, price }: PricedAccount, calls: bigint, searches: bigint, cost: bigint): ToolLine[] {
  const tools = response.toolCalls.slice(response.toolCalls.length - Number(calls)).map(({ tool }) => tool);
  const lines = [...Map.groupBy(tools, (tool) => tool)].map(([tool, each]) => ({
    tool,
    calls: BigInt(each.length),
    cost: 0n,
  }));
  if (searches === 0n) return lines;
  const searchCost = (price.searchCost * searches) / BigInt(response.webSearches);
  const known = lines.find(({ tool }) => tool === WEB_SEARCH)?.calls ?? 0n;
  const line = { tool: WEB_SEARCH, calls: known + searches, cost: searchCost < cost ? searchCost : cost };
  return [...lines.filter(({ tool }) => tool !== WEB_SEARCH), line];
}
