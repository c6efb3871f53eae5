// Corrections: finding an earlier charge, and what it counts for now with all that was corrected of it since.
import { sql } from "kysely";
import type { Nano } from "../core/money.ts";
import { findBook } from "./books.ts";
import { calendarNumber } from "./calendar.ts";
import { costSourceOf } from "./charges.ts";
import { numberOf } from "./names.ts";
import { all, first, type Statement, statement, type Work } from "./statement.ts";
import { type ChargesView, COST_SOURCES, type CostSource } from "./tables.ts";

const sessionsByHalf = statement((db, args: { workspaceId: string; from: string; to: string }) =>
  db
    .selectFrom("sessions")
    .select("id")
    .where("workspace_id", "=", args.workspaceId)
    .where("id", ">=", args.from)
    .where("id", "<", args.to),
);

const byNumber = statement((db, args: { sessionId: string; no: bigint }) =>
  db
    .selectFrom("charge_rows as r")
    .innerJoin("charges as c", "c.seq", "r.seq")
    .selectAll("c")
    .where("r.session_no", "=", numberOf(args.sessionId))
    .where("r.no", "=", args.no),
);

/** A charge by its id (see `chargeId`); undefined where there is none, or it was pruned. */
export function* findCharge(workspaceId: string, id: string): Work<ChargesView | undefined> {
  const [, half = "", no = "0"] = /^chg_(.+)-(\d+)$/.exec(id) ?? [];
  for (const session of yield* all(sessionsByHalf, { workspaceId, from: `ses_${half}`, to: `ses_${half}~` })) {
    const charge = yield* findChargeOf(session.id, BigInt(no));
    if (charge) return charge;
  }
  return undefined;
}

/** A charge by its number in its session; undefined as above. */
export function* findChargeOf(sessionId: string, no: bigint): Work<ChargesView | undefined> {
  return yield* first(byNumber, { sessionId, no });
}

/** What a charge counts for now. */
export type InForce = {
  readonly cost: Nano;
  readonly costSource: CostSource;
  /** The part of the cost that is its listed tools'. */
  readonly toolCost: Nano;
};

const correctionsOf = statement((db, args: { sessionId: string; no: bigint }) =>
  db
    .selectFrom("charge_rows")
    .select(["cost_nano_usd", "cost_source"])
    .where("session_no", "=", numberOf(args.sessionId))
    .where("corrects_no", "=", args.no)
    .orderBy("no"),
);

const toolCost = statement((db, args: { seq: bigint }) =>
  db
    .selectFrom("charge_tool_rows")
    .select(sql<bigint>`coalesce(sum(cost_nano_usd), 0)`.as("cost"))
    .where("seq", "=", args.seq),
);

/** Decide on it only under the locks of the charge's balances. */
export function* inForce(charge: ChargesView): Work<InForce> {
  const corrections = yield* all(correctionsOf, { sessionId: charge.session_id, no: charge.no });
  const last = corrections.at(-1);
  return {
    cost: corrections.reduce((sum, each) => sum + each.cost_nano_usd, charge.cost_nano_usd),
    costSource: last ? costSourceOf(last.cost_source) : charge.cost_source,
    toolCost: (yield* first(toolCost, { seq: charge.seq }))?.cost ?? 0n,
  };
}

/** Which charges to price anew: local days from and to ("YYYY-MM-DD", inclusive), of one model or of all. */
export type PricedFilter = {
  readonly workspaceId: string;
  readonly fromDay: string;
  readonly toDay: string;
  readonly model: string | null;
};

const REPORTED_BY_AGENT = sql.lit(COST_SOURCES.indexOf("reported"));

const pricedOf = (isOfModel: boolean): Statement<Record<string, string | bigint>, ChargesView> =>
  statement((db, args: Record<string, string | bigint>) => {
    const rows = db
      .selectFrom("charge_rows")
      .select("seq")
      .where("seq", ">", args.after as bigint)
      .where("seq", "<=", args.to as bigint)
      .where("hour", ">=", args.from_hour as bigint)
      .where("hour", "<=", args.to_hour as bigint)
      .where(sql<boolean>`source in (0, 4) and cost_source <> ${REPORTED_BY_AGENT}`)
      .orderBy("seq")
      .limit(args.limit as bigint);
    const page = isOfModel ? rows.where("model_no", "=", numberOf(args.model as string)) : rows;
    return db
      .selectFrom(page.as("p"))
      .innerJoin("charges as c", "c.seq", "p.seq")
      .selectAll("c")
      .orderBy("c.seq") as never;
  });

const priced = { ofModel: pricedOf(true), ofAll: pricedOf(false) };

/** Charges that were priced by us, oldest first, after a `seq` (0 = from the start). */
export function* pricedCharges(filter: PricedFilter, afterSeq: bigint, limit: number): Work<readonly ChargesView[]> {
  const book = yield* findBook(filter.workspaceId);
  if (!book) return [];
  return yield* all(filter.model === null ? priced.ofAll : priced.ofModel, {
    // A cursor of another workspace's book is no cursor here.
    after: afterSeq > book.startSeq ? afterSeq : book.startSeq,
    to: book.lastSeq,
    from_hour: calendarNumber(filter.fromDay) * 100n,
    to_hour: calendarNumber(filter.toDay) * 100n + 99n,
    model: filter.model ?? "",
    limit: BigInt(limit),
  });
}
