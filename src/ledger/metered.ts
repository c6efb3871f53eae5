// Responses of models as they are booked: each once, with the account of it that counts.
import { METERS, type Meter } from "../core/metered.ts";
import type { Nano } from "../core/money.ts";
import { findBook } from "./books.ts";
import { numberOf } from "./names.ts";
import { type Arguments, all, first, statement, type Work } from "./statement.ts";
import type { MeteredResponsesTable } from "./tables.ts";

/** What a response used, by the account that counts. */
export type Account = {
  readonly meter: Meter;
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  readonly cacheReadTokens: bigint;
  readonly cacheWriteTokens: bigint;
  readonly cacheWrite1hTokens: bigint;
  readonly webSearches: bigint;
  readonly toolCalls: bigint;
  readonly cost: Nano;
};

/** With the charge that carries its cost: the last one booked for it. */
export type StoredAccount = Account & { readonly sessionId: string; readonly chargeNo: bigint };

const byHash = statement((db, args: { book: bigint; hash: bigint }) =>
  db
    .selectFrom("metered_responses as r")
    .innerJoin("names as n", "n.no", "r.session_no")
    .selectAll("r")
    .select("n.name as session_id")
    .where("r.book_no", "=", args.book)
    .where("r.response_hash", "=", args.hash),
);

/** What is booked for each of the responses, by the 64-bit hashes of their ids; those that are new are not in it. */
export function* findAccounts(workspaceId: string, hashes: readonly bigint[]): Work<Map<bigint, StoredAccount>> {
  const found = new Map<bigint, StoredAccount>();
  const book = yield* findBook(workspaceId);
  if (!book) return found;
  for (const hash of hashes) {
    const row = yield* first(byHash, { book: book.no, hash });
    if (row) found.set(hash, { ...toAccount(row), sessionId: row.session_id, chargeNo: row.charge_no });
  }
  return found;
}

const toAccount = (row: MeteredResponsesTable): Account => ({
  meter: METERS[Number(row.meter)] as Meter,
  inputTokens: row.input_tokens,
  outputTokens: row.output_tokens,
  cacheReadTokens: row.cache_read_tokens,
  cacheWriteTokens: row.cache_write_tokens,
  cacheWrite1hTokens: row.cache_write_1h_tokens,
  webSearches: row.web_searches,
  toolCalls: row.tool_calls,
  cost: row.cost_nano_usd,
});

const put = statement((db, args: Arguments) =>
  db
    .insertInto("metered_responses")
    .values({
      book_no: args.book,
      response_hash: args.hash,
      ...figures(args),
    } as unknown as MeteredResponsesTable)
    .onConflict((oc) =>
      oc.columns(["book_no", "response_hash"]).doUpdateSet(figures(args) as Partial<MeteredResponsesTable>),
    ),
);

const FIGURES = [
  "meter",
  "input_tokens",
  "output_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "cache_write_1h_tokens",
  "web_searches",
  "tool_calls",
  "cost_nano_usd",
] as const;
const figures = (args: Arguments): object => ({
  session_no: numberOf(args.session as string),
  charge_no: args.charge,
  ...Object.fromEntries(FIGURES.map((column) => [column, args[column]])),
});

/** Writes down the accounts that count from now on. */
export function* putAccounts(
  workspaceId: string,
  accounts: readonly (StoredAccount & { readonly hash: bigint })[],
): Work<void> {
  const book = yield* findBook(workspaceId);
  for (const each of accounts)
    yield* all(put, {
      book: book?.no ?? 0n,
      hash: each.hash,
      session: each.sessionId,
      charge: each.chargeNo,
      meter: BigInt(METERS.indexOf(each.meter)),
      input_tokens: each.inputTokens,
      output_tokens: each.outputTokens,
      cache_read_tokens: each.cacheReadTokens,
      cache_write_tokens: each.cacheWriteTokens,
      cache_write_1h_tokens: each.cacheWrite1hTokens,
      web_searches: each.webSearches,
      tool_calls: each.toolCalls,
      cost_nano_usd: each.cost,
    });
}
