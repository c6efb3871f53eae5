// export_charges: charges as records, page by page, with everything that import_charges needs to book them elsewhere.
import { z } from "zod";
import { chargesAfter } from "../ledger/charge-list.ts";
import type { Session } from "../ledger/session-row.ts";
import { findSession } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { type ChargeRecord, recordOf } from "./charge-record.ts";
import { costFilterInput, filterOf, mustSeeSession, whole } from "./cost-filter.ts";
import { bookCursor, bookPlace } from "./list-charges.ts";
import { type Context, defineOperation, type Principal } from "./operation.ts";
import { nextCursor, pageInput } from "./page.ts";

const input = z.strictObject({
  ...costFilterInput,
  months: whole("months", 1, 120).optional().describe("Calendar months back, this one included (all there are)."),
  ...pageInput(500),
});

type Input = z.output<typeof input>;

export const exportCharges = defineOperation({
  name: "export_charges",
  title: "Export charges",
  description:
    "Charges in the order in which they were recorded, as records with exact amounts that import_charges takes. Without a range: all. A page may be short or empty; go on until next_cursor is null.",
  input,
  output: z.looseObject({ charges: z.array(z.looseObject({})), next_cursor: nextCursor }),
  access: "operator",
  effect: "read",
  run: (context, principal, args) => context.ledger.read(() => page(context, principal, args)),
});

/** All there are, where no range is named: whoever keeps a copy would not see that something is missing. */
const EVERYTHING = { start_date: "0000-01-01", end_date: "9999-12-31" } as const;

function* page(
  context: Context,
  principal: Principal,
  { months, ...args }: Input,
): Work<{ charges: ChargeRecord[]; next_cursor: string | null }> {
  const { days, start_date, end_date } = args;
  const isAll = [months, days, start_date, end_date].every((each) => each === undefined);
  const filter = filterOf(context, principal, { ...args, months: months ?? 1, ...(isAll ? EVERYTHING : {}) });
  yield* mustSeeSession(context, principal, filter);
  const { charges, next } = yield* chargesAfter(filter, bookPlace(args.cursor), args.limit);
  const sessions = new Map<string, Session>();
  const records = [];
  for (const charge of charges) {
    const ancestors = [];
    for (const id of charge.path.split("/").slice(0, -1)) {
      const session = sessions.get(id) ?? (yield* findSession(filter.workspaceId, id));
      if (!session) continue;
      sessions.set(id, session);
      ancestors.push(session);
    }
    records.push(recordOf(charge, ancestors));
  }
  return { charges: records, next_cursor: bookCursor(next) };
}
