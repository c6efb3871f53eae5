// Several accounts of one response made into one: files repeat it line by line, subagents and resumed sessions copy it.
import { type MeteredResponse, tokensOf } from "../core/metered.ts";

export type Account = { readonly response: MeteredResponse; readonly isSidechain: boolean };

/** By the response's id, across all files. */
export type Collected = Map<string, Account>;

/**
 * Adds an account; true if it told something new. In whatever order accounts come, and however often one is read, the
 * outcome is the same: of two the one later in `rankOf` holds, and the tool calls of both are united.
 */
export function collect(into: Collected, account: Account): boolean {
  const before = into.get(account.response.responseId);
  const known = before?.response.toolCalls ?? [];
  const toolCalls = united(known, account.response.toolCalls);
  const wins = !before || isAfter(rankOf(account), rankOf(before));
  if (!wins && toolCalls.every((call, i) => call.id === known[i]?.id && call.tool === known[i]?.tool)) return false;
  const { response, isSidechain } = wins ? account : before;
  into.set(response.responseId, { response: { ...response, toolCalls }, isSidechain });
  return true;
}

/**
 * What decides between two accounts, in this order: more tokens (written later while the answer grew), the main
 * conversation's own line before a copy in a subagent's, the later time. The rest only makes the order complete.
 */
function rankOf({ response, isSidechain }: Account): readonly (number | string)[] {
  return [
    tokensOf(response),
    isSidechain ? 0 : 1,
    response.occurredAt,
    response.cacheWrite1hTokens,
    response.webSearches,
    response.outputTokens,
    response.cacheWriteTokens,
    response.inputTokens,
    response.speed,
    response.region ?? "",
    response.model,
    response.provider ?? "",
  ];
}

function isAfter(rank: readonly (number | string)[], other: readonly (number | string)[]): boolean {
  const i = rank.findIndex((part, at) => part !== other[at]);
  const [ours, theirs] = [rank[i], other[i]];
  return ours !== undefined && theirs !== undefined && ours > theirs;
}

type Calls = MeteredResponse["toolCalls"];

/** Each call once, in the order of ids; should a damaged file name two tools for one call, the same one always holds. */
function united(some: Calls, more: Calls): Calls {
  const tools = new Map<string, string>();
  for (const { id, tool } of [...some, ...more]) {
    const known = tools.get(id);
    if (known === undefined || tool < known) tools.set(id, tool);
  }
  return [...tools].map(([id, tool]) => ({ id, tool })).sort((a, b) => (a.id < b.id ? -1 : 1));
}
