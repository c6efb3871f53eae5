// The world of a running server: clock, random ids, prices, and a policy that follows its file.
import { hash, randomBytes, randomFillSync } from "node:crypto";
import type { IdKind } from "./core/id.ts";
import type { Policy } from "./core/policy.ts";
import type { PriceList } from "./core/price.ts";
import type { Ledger } from "./ledger/ledger.ts";
import type { Context, PolicyFile } from "./operations/operation.ts";
import { openPriceList } from "./prices.ts";

const PREFIX: Record<IdKind, string> = {
  session: "ses",
  hold: "hld",
  stop: "stp",
  task: "tsk",
  grant: "grt",
  key: "key",
  incident: "inc",
  delivery: "msg",
};
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** 48 bits of milliseconds and 100 random bits in Crockford's base 32: sortable by time, not to be guessed. */
export function newId(kind: IdKind, nowMs: number): string {
  let time = "";
  for (let rest = nowMs, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = ALPHABET[rest % 32] + time;
  let random = "";
  for (const byte of randomness(20)) random += ALPHABET[byte % 32];
  return `${PREFIX[kind]}_${time}${random}`;
}

/** Hexadecimal. */
export const sha256 = (text: string): string => hash("sha256", text);

const POOL = new Uint8Array(4000);
let given = POOL.length;

/** Random bytes, each given out once: the system is asked for many at a time, as asking costs the most. */
function randomness(count: number): Uint8Array {
  if (given + count > POOL.length) {
    randomFillSync(POOL);
    given = 0;
  }
  given += count;
  return POOL.subarray(given - count, given);
}

/** A context over a ledger; `policy` is asked at every decision, so an edited file takes effect at once. */
export function contextOver(ledger: Ledger, policy: () => Policy, policyFile?: () => PolicyFile): Context {
  let pricedBy: Policy | null = null;
  let prices: PriceList | null = null;
  let current = policy();
  return {
    ledger,
    get policy() {
      current = policy();
      return current;
    },
    ...(policyFile ? { policyFile } : {}),
    /** By the policy that was read last: a call reads the policy first. */
    get prices() {
      if (prices === null || pricedBy !== current) {
        prices = openPriceList(current.prices);
        pricedBy = current;
      }
      return prices;
    },
    now: () => Date.now(),
    newId: (kind) => newId(kind, Date.now()),
    newSecret: () => randomBytes(32).toString("base64url"),
    randomBytes: randomness,
    sha256,
  };
}
