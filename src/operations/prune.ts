// prune_charges and vacuum: a ledger that need not grow for ever, while servers run on it.
import { z } from "zod";
import { firstDayOf, windowAt } from "../core/window.ts";
import { findBook } from "../ledger/books.ts";
import { beginPruning, findPrunable, prune, pruneCostsOfADay } from "../ledger/prune.ts";
import type { Work } from "../ledger/statement.ts";
import { recordChange } from "./audit.ts";
import { date, reason } from "./input.ts";
import { type Context, defineOperation, invalidInput, type Principal } from "./operation.ts";
import { wrongCursor } from "./page.ts";

/** Charges of one transaction: short enough that nobody waits for it. */
const AT_ONCE = 2_000;
/** A report that is repeated later than this is no longer known by its key. */
const LEAST_DAYS = 31;

const input = z.strictObject({
  before: date.describe(`YYYY-MM-DD: charges of earlier local days go; at least ${LEAST_DAYS} days ago.`),
  keep_rollups: z
    .boolean({ error: "expected true or false" })
    .default(false)
    .describe("Keep what they cost by day and by every attribution."),
  reason: reason.optional().describe("Why; for the audit."),
  cursor: z
    .string()
    .regex(/^(\d{1,13}|costs)$/, { error: "expected next_cursor of the call before" })
    .optional()
    .describe("next_cursor of the call before."),
});
type Input = z.output<typeof input>;

const output = z.looseObject({
  pruned_charges: z.number(),
  pruned_days: z.number(),
  next_cursor: z.string().nullable(),
});

export const pruneCharges = defineOperation({
  name: "prune_charges",
  title: "Prune old charges",
  description: `Deletes the charges of old days, ${AT_ONCE} a call: repeat it with next_cursor. Balances, sessions and the audit stay. Pruned charges can no longer be corrected, exported or known by their idempotency_key.`,
  input,
  output,
  access: "owner",
  effect: "write",
  run: async (context, principal, args) => {
    checkDay(context, args);
    if (args.cursor === undefined) await context.ledger.write(() => begin(context, principal, args));
    if (args.cursor === "costs") return await context.ledger.write(() => pruneCosts(context, args));
    return await deleteSome(context, args);
  },
});

function checkDay({ now, policy }: Context, { before }: Input): void {
  const today = windowAt("day", now(), policy.workspace.timezone).key;
  if (before > firstDayOf(LEAST_DAYS + 1, today))
    throw invalidInput("before", `expected a day at least ${LEAST_DAYS} days ago`);
}

/** Marks and notes it: from here on nobody corrects what is about to go. */
function* begin(context: Context, principal: Principal, args: Input): Work<void> {
  yield* beginPruning(context.policy.workspace.id, args.before);
  yield* recordChange(context, principal, {
    action: "prune_charges",
    target: `charges before ${args.before}`,
    before: null,
    after: { keep_rollups: args.keep_rollups },
    why: args.reason,
  });
}

/** Found without the lock: to look for the last of them takes a while. */
async function deleteSome(context: Context, args: Input): Promise<z.input<typeof output>> {
  const { id } = context.policy.workspace;
  const found = await context.ledger.read(function* () {
    yield* mustHaveBegun(context, args);
    return yield* findPrunable(id, args.before, BigInt(args.cursor ?? 0), AT_ONCE);
  });
  const pruned = found ? await context.ledger.write(() => prune(found, args.before)) : 0;
  const then = args.keep_rollups ? null : "costs";
  return { pruned_charges: pruned, pruned_days: 0, next_cursor: found?.next ? String(found.next) : then };
}

/** A cursor goes on with what was begun: a made-up one would skip the mark and the audit. */
function* mustHaveBegun(context: Context, { before, keep_rollups, cursor }: Input): Work<void> {
  if (cursor === "costs" && keep_rollups) throw wrongCursor();
  const book = yield* findBook(context.policy.workspace.id);
  if ((book?.prunedBefore ?? "") < before) throw wrongCursor();
}

function* pruneCosts(context: Context, args: Input): Work<z.input<typeof output>> {
  yield* mustHaveBegun(context, args);
  const day = yield* pruneCostsOfADay(context.policy.workspace.id, args.before);
  return { pruned_charges: 0, pruned_days: day === null ? 0 : 1, next_cursor: day === null ? null : "costs" };
}

export const vacuumLedger = defineOperation({
  name: "vacuum_ledger",
  title: "Give free space back",
  description: "Gives the space of what was pruned back to the disk, in small steps between other writers.",
  input: z.strictObject({}),
  output: z.looseObject({ freed_bytes: z.number() }),
  access: "owner",
  effect: "idempotent",
  run: async (context) => ({ freed_bytes: await context.ledger.vacuum() }),
});
