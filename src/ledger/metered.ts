// Responses of models as they are booked: each once, with the account of it that counts.
import { METERS, type Meter } from "../core/metered.ts";
import type { Nano } from "../core/money.ts";
import { findBook } from "./books.ts";
import { numbersOf } from "./names.ts";
import { type Arguments, all, family, pieces, placed, rowsOf, statement, valuesOf, type Work } from "./statement.ts";
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

const byHash = family((count) =>
  statement((db, args: Arguments) =>
    db
      .selectFrom("metered_responses as r")
      .innerJoin("names as n", "n.no", "r.session_no")
      .selectAll("r")
      .select("n.name as session_id")
      .where("r.response_hash", "in", valuesOf<bigint>(args, count))
      .where("r.book_no", "=", args[count] as bigint),
  ),
);

/** What is booked for each of the responses, by the 64-bit hashes of their ids; those that are new are not in it. */
export function* findAccounts(workspaceId: string, hashes: readonly bigint[]): Work<Map<bigint, StoredAccount>> {
  const found = new Map<bigint, StoredAccount>();
  const book = yield* findBook(workspaceId);
  if (!book) return found;
  for (const some of pieces(hashes))
    for (const row of yield* all(byHash(some.length), placed([some, [book.no]])))
      found.set(row.response_hash, { ...toAccount(row), sessionId: row.session_id, chargeNo: row.charge_no });
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

/** What another account of a response changes. */
const FIGURES = [
  "session_no",
  "charge_no",
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
const COLUMNS = ["book_no", "response_hash", ...FIGURES] as const;

const put = family((count) =>
  statement((db, args: Arguments) =>
    db
      .insertInto("metered_responses")
      .values(rowsOf<MeteredResponsesTable>(args, COLUMNS, count))
      .onConflict((oc) =>
        oc
          .columns(["book_no", "response_hash"])
          .doUpdateSet((eb) => Object.fromEntries(FIGURES.map((column) => [column, eb.ref(`excluded.${column}`)]))),
      ),
  ),
);

/** Writes down the accounts that count from now on. */
export function* putAccounts(
  workspaceId: string,
  accounts: readonly (StoredAccount & { readonly hash: bigint })[],
): Work<void> {
  const book = yield* findBook(workspaceId);
  const sessions = yield* numbersOf(accounts.map(({ sessionId }) => sessionId));
  // In the order of COLUMNS.
  const rows = accounts.map((each) => [
    book?.no ?? 0n,
    each.hash,
    sessions.get(each.sessionId) ?? 0n,
    each.chargeNo,
    BigInt(METERS.indexOf(each.meter)),
    each.inputTokens,
    each.outputTokens,
    each.cacheReadTokens,
    each.cacheWriteTokens,
    each.cacheWrite1hTokens,
    each.webSearches,
    each.toolCalls,
    each.cost,
  ]);
  for (const some of pieces(rows)) yield* all(put(some.length), placed(some));
}
