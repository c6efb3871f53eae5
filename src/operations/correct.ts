// Corrections of what charges cost: one by hand, or many by the prices of today. Each is a further row; none is edited.
import { z } from "zod";
import { balanceKeys, sortKeys } from "../core/balance-key.ts";
import { AstraError } from "../core/error.ts";
import { METERS } from "../core/metered.ts";
import { type Nano, usdFromNano } from "../core/money.ts";
import { NO_USAGE } from "../core/usage.ts";
import { findBook } from "../ledger/books.ts";
import { recordCharge } from "../ledger/charges.ts";
import { findCharge, type InForce, inForce } from "../ledger/corrections.ts";
import type { Session } from "../ledger/session-row.ts";
import { findSession } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import type { ChargesView, CostSource, ShownSource } from "../ledger/tables.ts";
import { recordChange } from "./audit.ts";
import { lockAndExpire } from "./expiry.ts";
import { once } from "./idempotency.ts";
import { idempotencyKey, reason, usd } from "./input.ts";
import { actorOf, type Context, defineOperation, invalidInput } from "./operation.ts";
import { usdOutput } from "./output.ts";

const correctInput = z.strictObject({
  charge_id: z
    .string({ error: "expected the charge_id that report_usage returned" })
    .regex(/^chg_[a-z0-9_]{1,16}-\d{1,12}$/, { error: "expected the charge_id that report_usage returned" }),
  cost_usd: usd.describe("What it should have cost in all."),
  reason: reason.describe("Why; for the audit."),
  idempotency_key: idempotencyKey.optional(),
});

const correctOutput = z.looseObject({
  charge_id: z.string(),
  correction_id: z.string().nullable(),
  before_usd: usdOutput,
  after_usd: usdOutput,
});

export const correctCharge = defineOperation({
  name: "correct_charge",
  title: "Correct a charge",
  description:
    "Books what a charge should have cost besides, as a further row in the same hour: costs, balances and caps follow. The charge itself stays as it was reported.",
  input: correctInput,
  output: correctOutput,
  access: "operator",
  effect: "write",
  run: (context, principal, args) =>
    context.ledger.write(() =>
      once(context, actorOf(principal), "correct_charge", args, function* (): Work<z.input<typeof correctOutput>> {
        const charge = yield* findCharge(context.policy.workspace.id, args.charge_id);
        if (!charge) throw chargeNotFound();
        if (!CORRECTABLE.has(charge.source))
          throw invalidInput("charge_id", `expected a charge that was reported; this one is a ${charge.source} charge`);
        const [locked] = yield* lockCharges(context, [charge]);
        if (!locked) throw chargeNotFound();
        const { session } = locked;
        const now = yield* inForce(charge);
        if (args.cost_usd < now.toolCost)
          throw invalidInput("cost_usd", `expected at least ${usdFromNano(now.toolCost)}, what its tools cost`);
        const correction = yield* correctTo(context, charge, session, now, {
          cost: args.cost_usd,
          source: "corrected",
        });
        const [before, after] = [usdFromNano(now.cost), usdFromNano(args.cost_usd)];
        yield* recordChange(context, principal, {
          action: "correct_charge",
          target: `charge ${args.charge_id}`,
          before: { cost_usd: before },
          after: { cost_usd: after },
          why: args.reason,
        });
        return { charge_id: args.charge_id, correction_id: correction, before_usd: before, after_usd: after };
      }),
    ),
});

/** What says what was used; the rest follows from that. */
const CORRECTABLE: ReadonlySet<ShownSource> = new Set(["imported", ...METERS]);

function chargeNotFound(): AstraError {
  return new AstraError(
    "not_found",
    "There is no such charge, or it was pruned.",
    "Use the charge_id that report_usage returned, or one of `astra-budget export`.",
  );
}

export type Locked = { readonly charge: ChargesView; readonly session: Session };

/** Charges with their sessions, under every lock that correcting them needs; without those of days that are pruned. */
export function* lockCharges(context: Context, charges: readonly ChargesView[]): Work<Locked[]> {
  const locked: Locked[] = [];
  const prunedBefore = (yield* findBook(context.policy.workspace.id))?.prunedBefore ?? "";
  for (const charge of charges) {
    if (charge.hour < prunedBefore) continue;
    const session = yield* findSession(charge.workspace_id, charge.session_id);
    if (session) locked.push({ charge, session });
  }
  const keys = locked.flatMap(({ charge, session }) => balanceKeys({ ...session, hour: charge.hour }));
  yield* lockAndExpire(context, sortKeys(keys), context.now());
  return locked;
}

/** Books the difference, where there is one or the cost comes from elsewhere; answers the correction's id. */
export function* correctTo(
  context: Context,
  charge: ChargesView,
  session: Session,
  now: InForce,
  to: { readonly cost: Nano; readonly source: CostSource; readonly priced?: Nano; readonly priceList?: string | null },
): Work<string | null> {
  if (to.cost === now.cost && to.source === now.costSource) return null;
  const { id } = yield* recordCharge({
    session,
    model: charge.model,
    provider: charge.provider,
    tool: charge.tool,
    occurredAt: Number(charge.occurred_at),
    recordedAt: context.now(),
    hour: charge.hour,
    usage: NO_USAGE,
    cost: to.cost - now.cost,
    reported: null,
    priced: to.priced ?? null,
    costSource: to.source,
    priceList: to.priceList ?? null,
    source: "correction",
    meter: charge.metered_by ?? "self_reported",
    late: "in_time",
    latencyMs: null,
    error: null,
    holdId: null,
    key: null,
    corrects: { no: charge.no, was: now.costSource },
    lines: [],
  });
  return id;
}
