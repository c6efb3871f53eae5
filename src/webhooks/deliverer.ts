// The deliverer: sends what the outbox has for one workspace, beside everything else and never in a call's way.
import type { Context } from "../operations/operation.ts";
import { type Leased, leaseDue, settle } from "../operations/webhooks.ts";
import { send } from "./send.ts";
import { keyOf } from "./signature.ts";

export type Deliverer = {
  /** Breaks off what is under way and gives it back, so that another process may send it at once. */
  close(): Promise<void>;
};

export type DelivererOptions = {
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: (text: string) => void;
  /** May the ledger be looked at yet? A server that nobody uses opens none. */
  readonly isReady?: () => boolean;
};

/** How often the outbox is looked at: microseconds each time. */
const TICK_MS = 500;
/** Longer than an attempt takes. A dead process's messages are another's after this. */
const LEASE_MS = 30_000;
/** Messages to one webhook at a time: one that hangs keeps these busy, and no other webhook waits for it. */
const MOST_AT_ONCE = 4;

/** Sends until it is closed. */
export function startDeliverer(context: Context, options: DelivererOptions): Deliverer {
  const sender = senderOf(context, options);
  let isClosed = false;
  let isFailing = false;
  let isBusy = false;
  let looking: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    if (isBusy || isClosed || options.isReady?.() === false) return;
    isBusy = true;
    looking = sender
      .begin()
      .then(() => {
        isFailing = false;
      })
      .catch((error) => {
        // Once, not twice a second: whatever it is, other parts of the server meet it too.
        if (!isFailing && !isClosed) options.log(`webhooks are not sent: ${error}`);
        isFailing = true;
      })
      .finally(() => {
        isBusy = false;
      });
  }, TICK_MS).unref();
  return {
    close: async () => {
      isClosed = true;
      clearInterval(timer);
      await looking;
      await sender.abort();
    },
  };
}

/** Sends what is due now, until nothing is; answers how many attempts were made. For `webhooks deliver`. */
export async function deliverOnce(context: Context, options: DelivererOptions): Promise<number> {
  const sender = senderOf(context, options);
  let attempts = 0;
  for (;;) {
    const begun = await sender.begin();
    await sender.finished();
    if (begun === 0) return attempts;
    attempts += begun;
  }
}

function senderOf(context: Context, { version, env, log }: DelivererOptions) {
  const underWay = new Map<Promise<void>, string>();
  const abort = new AbortController();
  const told = new Set<string>();

  /** The webhooks whose secret is here, each with the places it has left. */
  const ready = () => {
    const keys = new Map<string, Buffer>();
    const room = new Map<string, number>();
    for (const { id, secretEnv } of context.policy.webhooks.values()) {
      const secret = env[secretEnv];
      const key = secret ? keyOf(secret) : null;
      if (key) {
        keys.set(id, key);
        room.set(id, MOST_AT_ONCE - [...underWay.values()].filter((each) => each === id).length);
      } else if (!told.has(id)) {
        told.add(id);
        const what = secret ? "is too short: at least 24 bytes, or whsec_ and base64 of them" : "is not set";
        log(`webhook ${id} is not sent from here: ${secretEnv} ${what}.`);
      }
    }
    return { keys, room };
  };

  const deliver = async (leased: Leased, key: Buffer): Promise<void> => {
    const webhook = context.policy.webhooks.get(leased.delivery.webhookId);
    if (!webhook) return;
    const sending = { webhook, key, leased, version, nowMs: context.now(), signal: abort.signal };
    await settle(context, leased, await send(sending), Math.random());
  };

  return {
    /** Leases what is due and begins to send it; answers how many messages. */
    async begin(): Promise<number> {
      const { keys, room } = ready();
      const leased = await leaseDue(context, room, LEASE_MS);
      for (const each of leased) {
        const key = keys.get(each.delivery.webhookId);
        if (!key) continue;
        const done: Promise<void> = deliver(each, key)
          .catch((error) => log(`a webhook message was not noted: ${error}`))
          .finally(() => underWay.delete(done));
        underWay.set(done, each.delivery.webhookId);
      }
      return leased.length;
    },
    async finished(): Promise<void> {
      await Promise.all(underWay.keys());
    },
    async abort(): Promise<void> {
      abort.abort();
      await Promise.all(underWay.keys());
    },
  };
}
