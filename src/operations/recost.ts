// recost: what was priced by the price list is priced again by the list of today, page by page.
import { z } from "zod";
import { callerId } from "../core/id.ts";
import { type Nano, usdFromNano } from "../core/money.ts";
import { type InForce, inForce, pricedCharges } from "../ledger/corrections.ts";
import type { Work } from "../ledger/statement.ts";
import type { ChargesView, CostSource } from "../ledger/tables.ts";
import { recordChange } from "./audit.ts";
import { correctTo, lockCharges } from "./correct.ts";
import { date, MOST_NANO, reason } from "./input.ts";
import { type Context, defineOperation, type Principal } from "./operation.ts";
import { usdOutput } from "./output.ts";
import { wrongCursor } from "./page.ts";
import { servedBy, serviceIn } from "./price-response.ts";
import { priceTokens } from "./pricing.ts";

/** Charges of one call: one transaction. */
const PAGE = 500;

const input = z.strictObject({
  since: date.describe("YYYY-MM-DD: charges of this local day and later."),
  until: date.optional().describe("YYYY-MM-DD, inclusive."),
  model: callerId.optional().describe("Only charges of this model."),
  dry_run: z
    .boolean({ error: "expected true or false" })
    .default(false)
    .describe("Say what would change; write nothing."),
  reason: reason.optional().describe("Why; for the audit."),
  cursor: z
    .string()
    .regex(/^\d{1,19}$/, { error: "expected next_cursor of the page before" })
    .optional()
    .describe("next_cursor of the page before."),
});

const output = z.looseObject({
  examined: z.number(),
  changed: z.number(),
  /** Charges that would come to more than one charge may: for `charge correct`, if they are right. */
  too_dear: z.array(z.string()),
  before_usd: usdOutput,
  after_usd: usdOutput,
  by_model: z.array(z.looseObject({ model: z.string(), changed: z.number() })),
  next_cursor: z.string().nullable(),
});

type Input = z.output<typeof input>;
type Change = { readonly model: string; readonly before: Nano; readonly after: Nano };
type Changes = { readonly changes: readonly Change[]; readonly tooDear: readonly string[] };

export const recost = defineOperation({
  name: "recost",
  title: "Price history again",
  description: `Prices charges again that the price list priced, by the prices of now, and books the differences as corrections; ${PAGE} charges a call. Reported and corrected costs stay.`,
  input,
  output,
  access: "operator",
  effect: "write",
  run: async (context, principal, args) => {
    // Found without the lock: to look for a page may take a while, to write it may not.
    const page = await context.ledger.read(() => pricedCharges(filterOf(context, args), cursorOf(args), PAGE));
    const changes = args.dry_run
      ? await context.ledger.read(() => planned(context, page))
      : await context.ledger.write(() => booked(context, principal, args, page));
    return answer(page, changes);
  },
});

const filterOf = (context: Context, args: Input) => ({
  workspaceId: context.policy.workspace.id,
  fromDay: args.since,
  toDay: args.until ?? "9999-12-31",
  model: args.model ?? null,
});

function cursorOf({ cursor }: Input): bigint {
  const seq = BigInt(cursor ?? 0);
  if (seq >= 1n << 63n) throw wrongCursor();
  return seq;
}

type Price = { cost: Nano; source: CostSource; priced: Nano; priceList: string | null };

/** What a charge costs by today's prices; null where it stays as it is. What its tools cost stays. */
function priceNow(context: Context, charge: ChargesView, now: InForce): Price | null {
  if (now.costSource === "corrected" || now.costSource === "reported") return null;
  // Of a response whose account was replaced: it has the whole cost, but only the tokens that were new.
  const isOfPart = charge.metered_by !== null && charge.priced_nano_usd === null && charge.cost_source !== "unpriced";
  if (isOfPart) return null;
  const tokens = {
    input: charge.input_tokens,
    output: charge.output_tokens,
    cacheRead: charge.cache_read_tokens,
    cacheWrite: charge.cache_write_tokens,
    cacheWrite1h: charge.cache_write_1h_tokens,
  };
  const service = serviceIn(charge.price_list);
  const price = priceTokens(context, tokens, charge.model, charge.provider, Number(charge.occurred_at), service);
  if (price.cost === null) return null;
  const cost = charge.cost_nano_usd - (charge.priced_nano_usd ?? 0n) + price.cost;
  if (cost === now.cost && price.costSource === now.costSource) return null;
  return { cost, source: price.costSource, priced: price.cost, priceList: servedBy(price.priceList, service) };
}

function* planned(context: Context, page: readonly ChargesView[]): Work<Changes> {
  const changes: Change[] = [];
  const tooDear: string[] = [];
  for (const charge of page) {
    const now = yield* inForce(charge);
    const price = priceNow(context, charge, now);
    if (price && price.cost > MOST_NANO) tooDear.push(charge.id);
    else if (price) changes.push({ model: charge.model ?? "(none)", before: now.cost, after: price.cost });
  }
  return { changes, tooDear };
}

function* booked(context: Context, principal: Principal, args: Input, page: readonly ChargesView[]): Work<Changes> {
  const changes: Change[] = [];
  const tooDear: string[] = [];
  // A charge never changes; what it counts for is read under the locks.
  for (const { charge, session } of yield* lockCharges(context, page)) {
    const now = yield* inForce(charge);
    const price = priceNow(context, charge, now);
    if (!price) continue;
    if (price.cost > MOST_NANO) {
      tooDear.push(charge.id);
      continue;
    }
    yield* correctTo(context, charge, session, now, price);
    changes.push({ model: charge.model ?? "(none)", before: now.cost, after: price.cost });
  }
  if (changes.length > 0) {
    yield* recordChange(context, principal, {
      action: "recost",
      target: `charges since ${args.since}`,
      before: { cost_usd: usdFromNano(sum(changes, "before")) },
      after: { cost_usd: usdFromNano(sum(changes, "after")), charges: changes.length, model: args.model ?? null },
      why: args.reason,
    });
  }
  return { changes, tooDear };
}

const sum = (changes: readonly Change[], of: "before" | "after"): Nano =>
  changes.reduce((total, change) => total + change[of], 0n);

function answer(page: readonly ChargesView[], { changes, tooDear }: Changes): z.input<typeof output> {
  const models = [...new Set(changes.map(({ model }) => model))].sort();
  return {
    examined: page.length,
    changed: changes.length,
    too_dear: [...tooDear],
    before_usd: usdFromNano(sum(changes, "before")),
    after_usd: usdFromNano(sum(changes, "after")),
    by_model: models.map((model) => {
      const own = changes.filter((change) => change.model === model);
      return {
        model,
        changed: own.length,
        before_usd: usdFromNano(sum(own, "before")),
        after_usd: usdFromNano(sum(own, "after")),
      };
    }),
    next_cursor: page.length < PAGE ? null : String(page.at(-1)?.seq),
  };
}
