// What an import would book: the same looking, without writing anything.
import { hash64 } from "../core/hash64.ts";
import { findAccounts } from "../ledger/metered.ts";
import type { Work } from "../ledger/statement.ts";
import { accountOf, changeOf } from "./meter-account.ts";
import type { Importing, PastBooked, PastConversation } from "./meter-past.ts";
import type { Context } from "./operation.ts";

/** A response that several conversations repeat is counted with the first; only its hash is kept in memory. */
export async function* previewPast(
  context: Context,
  importing: Importing,
  conversations: AsyncIterable<PastConversation>,
): AsyncGenerator<PastBooked> {
  const seen = new Set<bigint>();
  for await (const { threads } of conversations)
    yield await context.ledger.read(() => preview(context, importing, threads, seen));
}

function* preview(
  context: Context,
  { meter }: Importing,
  threads: PastConversation["threads"],
  seen: Set<bigint>,
): Work<PastBooked> {
  const responses = threads.flatMap((thread) => thread.responses);
  const hashes = responses.map(({ responseId }) => hash64(context.sha256(responseId)));
  const known = yield* findAccounts(context.policy.workspace.id, hashes);
  let booked = 0;
  let cost = 0n;
  for (const [i, response] of responses.entries()) {
    const hash = hashes[i] ?? 0n;
    const account = known.get(hash);
    const change = changeOf(account, accountOf(context, response, meter));
    if (change === null || seen.has(hash)) continue;
    seen.add(hash);
    booked += 1;
    cost += change.account.cost - (account?.cost ?? 0n);
  }
  return { responses: responses.length, booked, cost };
}
