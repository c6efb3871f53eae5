// The world of a running server: clock, random ids, prices, and a policy that follows its file.
import { randomBytes } from "node:crypto";
import type { IdKind } from "./core/id.ts";
import type { Policy } from "./core/policy.ts";
import type { PriceList } from "./core/price.ts";
import type { Ledger } from "./ledger/ledger.ts";
import type { Context } from "./operations/operation.ts";
import { openPriceList } from "./prices.ts";

const PREFIX: Record<IdKind, string> = { session: "ses", charge: "chg", hold: "hld", stop: "stp" };
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** 48 bits of milliseconds and 100 random bits in Crockford's base 32: sortable by time, not to be guessed. */
export function newId(kind: IdKind, nowMs: number): string {
  let time = "";
  for (let rest = nowMs, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = ALPHABET[rest % 32] + time;
  const random = [...randomBytes(20)].map((byte) => ALPHABET[byte % 32]).join("");
  return `${PREFIX[kind]}_${time}${random}`;
}

/** A context over a ledger; `policy` is asked at every decision, so an edited file takes effect at once. */
export function contextOver(ledger: Ledger, policy: () => Policy): Context {
  let pricedBy: Policy | null = null;
  let prices: PriceList | null = null;
  return {
    ledger,
    get policy() {
      return policy();
    },
    get prices() {
      const current = policy();
      if (prices === null || pricedBy !== current) {
        prices = openPriceList(current.prices);
        pricedBy = current;
      }
      return prices;
    },
    now: () => Date.now(),
    newId: (kind) => newId(kind, Date.now()),
  };
}
