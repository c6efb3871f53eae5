// import_charges: books charges of another ledger, or of a copy of this one, each once, however often they come.
import { z } from "zod";
import { balanceKeys, dayOf, sortKeys } from "../core/balance-key.ts";
import type { AstraError } from "../core/error.ts";
import { lockBalances } from "../ledger/balances.ts";
import { findBook } from "../ledger/books.ts";
import { recordCharge } from "../ledger/charges.ts";
import type { Work } from "../ledger/statement.ts";
import { recordChange } from "./audit.ts";
import { chargeRecord, type ReadRecord } from "./charge-record.ts";
import { bookedAs } from "./import-booking.ts";
import { checkRecord } from "./import-check.ts";
import { isKnown, KnownCharges } from "./import-known.ts";
import { chainOf, ImportedSessions } from "./import-session.ts";
import { type Context, defineOperation, invalidInput, type Principal } from "./operation.ts";

/** Charges of one call: one transaction, in which nobody else can report. */
export const MOST_IMPORTED = 500;

const input = z.strictObject({
  charges: z
    .array(chargeRecord, { error: `expected a list of 1 to ${MOST_IMPORTED} charges` })
    .min(1, { error: "expected at least one charge" })
    .max(MOST_IMPORTED, { error: `expected at most ${MOST_IMPORTED} charges` })
    .describe("Records of export_charges, in their order."),
  dry_run: z
    .boolean({ error: "expected true or false" })
    .default(false)
    .describe("Say what would be booked; write nothing."),
});

const output = z.looseObject({
  imported: z.number(),
  known: z.number(),
  sessions: z.number(),
  /** Of a dry run: corrections and reversals of charges that may stand earlier in the file. */
  unchecked: z.number(),
});

type Input = z.output<typeof input>;
type Answer = z.input<typeof output>;

export const importCharges = defineOperation({
  name: "import_charges",
  title: "Import charges",
  description: `Books records of export_charges, ${MOST_IMPORTED} a call, all or none of a call. A charge is known by its id and booked once; sessions that are not here are made as ended ones.`,
  input,
  output,
  access: "operator",
  effect: "idempotent",
  run: async (context, principal, args) => {
    try {
      return await context.ledger.write(() => importAll(context, principal, args));
    } catch (error) {
      if (error instanceof DryRun) return error.answer;
      throw error;
    }
  },
});

/** Ends the transaction of a dry run: all was done as it would be, and nothing of it is written. */
class DryRun extends Error {
  readonly answer: Answer;
  constructor(answer: Answer) {
    super("dry run");
    this.answer = answer;
  }
}

function* importAll(context: Context, principal: Principal, args: Input): Work<Answer> {
  const { charges } = args;
  for (const [i, record] of charges.entries()) checkRecord(record, `charges.${i}`, context.now());
  const { workspace } = context.policy;
  // No limit is asked, so no forgotten hold need make room: an import of what is known changes nothing at all.
  yield* lockBalances(workspace.id, keysOf(context, charges));
  const prunedBefore = (yield* findBook(workspace.id))?.prunedBefore ?? "";
  const sessions = new ImportedSessions(context);
  const known = new KnownCharges(context, charges);
  const answer = { imported: 0, known: 0, sessions: 0, unchecked: 0 };
  for (const [i, record] of charges.entries()) {
    const path = `charges.${i}`;
    const session = yield* sessions.sessionOf(record, path);
    if (yield* isKnown(known, record, path)) {
      answer.known += 1;
      continue;
    }
    if (dayOf(record.hour) < prunedBefore)
      throw invalidInput(
        `${path}.hour`,
        `expected ${prunedBefore} or later: of earlier days charges were pruned here, and this may be one of them`,
      );
    const charge = yield* bookedAs(record, session, known, path);
    if (charge === "unchecked" && !args.dry_run) throw notThere(record, path);
    if (charge === "unchecked") answer.unchecked += 1;
    else yield* recordCharge(charge);
    answer.imported += 1;
  }
  answer.sessions = sessions.made;
  if (args.dry_run) throw new DryRun(answer);
  if (answer.imported > 0) yield* noteImport(context, principal, charges, answer);
  return answer;
}

/** All that the charges count in, whether they are known or not: that may be asked only under these locks. */
function keysOf(context: Context, charges: readonly ReadRecord[]) {
  const workspaceId = context.policy.workspace.id;
  return sortKeys(
    charges.flatMap((record) =>
      balanceKeys({
        workspaceId,
        chain: chainOf(record),
        agentId: record.agent_id,
        teamId: record.team_id,
        taskId: record.task_id,
        hour: record.hour,
      }),
    ),
  );
}

function notThere(record: ReadRecord, path: string): AstraError {
  return record.corrects === null
    ? invalidInput(`${path}.hold_id`, "expected a hold whose estimate was booked and not yet taken back, further up")
    : invalidInput(`${path}.corrects`, "expected a charge that is in the ledger, or stands further up in the file");
}

function* noteImport(
  context: Context,
  principal: Principal,
  charges: readonly ReadRecord[],
  answer: Answer,
): Work<void> {
  yield* recordChange(context, principal, {
    action: "import_charges",
    target: `workspace ${context.policy.workspace.id}`,
    before: null,
    after: {
      imported: answer.imported,
      known: answer.known,
      sessions: answer.sessions,
      first: charges[0]?.charge_id,
      last: charges.at(-1)?.charge_id,
    },
  });
}
