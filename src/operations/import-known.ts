// Which charges of an import are here already: by the id they have in the file, whoever booked them and when.
import { AstraError } from "../core/error.ts";
import { hash64 } from "../core/hash64.ts";
import { importedCharge, ownCharges } from "../ledger/charge-import.ts";
import type { ChargeKey } from "../ledger/charges.ts";
import type { Work } from "../ledger/statement.ts";
import type { ChargesView } from "../ledger/tables.ts";
import type { ReadRecord } from "./charge-record.ts";
import type { Context } from "./operation.ts";

const numberOf = (chargeId: string): bigint => BigInt(chargeId.slice(chargeId.lastIndexOf("-") + 1));

/** Finds charges by the ids that they have in the file. */
export class KnownCharges {
  readonly #context: Context;
  readonly #numbers = new Map<string, { from: bigint; to: bigint }>();
  readonly #own = new Map<string, Map<bigint, ChargesView>>();

  constructor(context: Context, charges: readonly ReadRecord[]) {
    this.#context = context;
    for (const { session_id, charge_id, corrects } of charges) {
      for (const id of corrects === null ? [charge_id] : [charge_id, corrects]) {
        const no = numberOf(id);
        const { from, to } = this.#numbers.get(session_id) ?? { from: no, to: no };
        this.#numbers.set(session_id, { from: no < from ? no : from, to: no > to ? no : to });
      }
    }
  }

  /** What an import's charge is booked under. Nobody else can make such a key: an agent's has no space in it. */
  keyOf(chargeId: string): ChargeKey {
    const hash = hash64(this.#context.sha256(`import ${chargeId}`));
    return { hash, request: hash };
  }

  *find(sessionId: string, chargeId: string): Work<ChargesView | undefined> {
    const imported = yield* importedCharge(sessionId, this.keyOf(chargeId).hash);
    return imported ?? (yield* this.#ownOf(sessionId)).get(numberOf(chargeId));
  }

  /** Charges that were reported here: an id of this ledger, or of one that this is a copy of, is theirs. */
  *#ownOf(sessionId: string): Work<Map<bigint, ChargesView>> {
    const read = this.#own.get(sessionId);
    if (read) return read;
    const { from, to } = this.#numbers.get(sessionId) ?? { from: 1n, to: 0n };
    const own = new Map((yield* ownCharges(sessionId, from, to)).map((charge) => [charge.no, charge]));
    this.#own.set(sessionId, own);
    return own;
  }
}

/** Is the charge here already? A charge never changes: another one under its id is a mistake. */
export function* isKnown(known: KnownCharges, record: ReadRecord, path: string): Work<boolean> {
  const found = yield* known.find(record.session_id, record.charge_id);
  if (!found) return false;
  const difference = differenceOf(record, found);
  if (difference === null) return true;
  const fault = {
    path: `${path}.${difference}`,
    message: `expected what charge ${record.charge_id} has in this ledger; a charge is never changed`,
  };
  throw new AstraError(
    "id_reused",
    "The ledger has another charge of this id.",
    "Correct a charge with `astra-budget charge correct`, not in a file.",
    [fault],
  );
}

/** What is told of a charge, but for what an import changes: who says so, and the numbers in the session. */
const FACTS = [
  "model",
  "provider",
  "tool",
  "occurred_at",
  "recorded_at",
  "hour",
  "input_tokens",
  "output_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "cache_write_1h_tokens",
  "tool_calls",
  "cost_usd",
  "reported_usd",
  "priced_usd",
  "cost_source",
  "price_list",
  "metered_by",
  "late",
  "latency_ms",
  "error",
  "hold_id",
] as const satisfies readonly (keyof ReadRecord)[];

/** The first column in which a record is not the charge that is here. */
function differenceOf(record: ReadRecord, charge: ChargesView): keyof ReadRecord | null {
  const here: { readonly [Column in (typeof FACTS)[number]]: ReadRecord[Column] } = {
    ...charge,
    occurred_at: Number(charge.occurred_at),
    recorded_at: Number(charge.recorded_at),
    cost_usd: charge.cost_nano_usd,
    reported_usd: charge.reported_nano_usd,
    priced_usd: charge.priced_nano_usd,
    late: charge.late === 1n,
    latency_ms: charge.latency_ms === null ? null : Number(charge.latency_ms),
  };
  return FACTS.find((column) => record[column] !== here[column]) ?? null;
}
