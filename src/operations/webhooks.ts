// Webhook deliveries: listed and restarted by operators, leased and settled by whoever sends them.
import { z } from "zod";
import { AstraError } from "../core/error.ts";
import type { Policy } from "../core/policy.ts";
import { type Attempt, afterAttempt, DROP_AFTER_MS } from "../core/webhook-retry.ts";
import { findIncident, type Incident } from "../ledger/incidents.ts";
import type { Work } from "../ledger/statement.ts";
import {
  type Delivery,
  deliveriesBelow,
  dueDeliveries,
  findDelivery,
  leaseDelivery,
  restartDelivery,
  settleDelivery,
  waitingWebhooks,
} from "../ledger/webhook-deliveries.ts";
import { recordChange } from "./audit.ts";
import { ourId, why } from "./input.ts";
import { type Context, defineOperation } from "./operation.ts";
import { instantOut } from "./output.ts";
import { idIn, nextCursor, pageFrom, pageInput } from "./page.ts";

const STATES = ["pending", "delivered", "failed", "dropped"] as const;

const output = z.looseObject({
  delivery_id: z.string(),
  webhook_id: z.string(),
  incident_id: z.string(),
  state: z.enum(STATES),
  attempts: z.number(),
});

export const listDeliveries = defineOperation({
  name: "list_webhook_deliveries",
  title: "List webhook deliveries",
  description: "Which incidents were sent to which webhook, the newest first, and what came of it.",
  input: z.strictObject({
    state: z
      .enum(STATES, { error: `expected one of ${STATES.join(", ")}` })
      .optional()
      .describe("pending, delivered, failed (tried too often) or dropped (no such webhook any more) only."),
    ...pageInput(50),
  }),
  output: z.looseObject({ deliveries: z.array(output), next_cursor: nextCursor }),
  access: "viewer",
  effect: "read",
  run: (context, _principal, args) =>
    context.ledger.read(function* () {
      const below = args.cursor === undefined ? undefined : idIn(args.cursor);
      const found = yield* deliveriesBelow(context.policy.workspace.id, args.state ?? null, args.limit + 1, below);
      const { items, next_cursor } = pageFrom(found, args.limit, (last) => last.id);
      return { deliveries: items.map(deliveryOut), next_cursor };
    }),
});

export const redeliver = defineOperation({
  name: "redeliver_webhook",
  title: "Send a webhook message again",
  description: "Makes a delivery due again at once, whatever came of it before; its id stays the same.",
  input: z.strictObject({ delivery_id: ourId("delivery"), reason: why }),
  output,
  access: "operator",
  effect: "write",
  run: (context, principal, args) =>
    context.ledger.write(function* (): Work<z.input<typeof output>> {
      const workspaceId = context.policy.workspace.id;
      const before = yield* findDelivery(workspaceId, args.delivery_id);
      const again = before && (yield* restartDelivery(workspaceId, before.id, context.now()));
      if (!again)
        throw new AstraError("not_found", "There is no such delivery.", "list_webhook_deliveries shows them.");
      yield* recordChange(context, principal, {
        action: "redeliver_webhook",
        target: `delivery ${again.id}`,
        before: { state: before.state, attempts: before.attempts },
        after: { state: again.state, webhook_id: again.webhookId, incident_id: again.incidentId },
        why: args.reason,
      });
      return deliveryOut(again);
    }),
});

function deliveryOut(delivery: Delivery): z.input<typeof output> {
  return {
    delivery_id: delivery.id,
    webhook_id: delivery.webhookId,
    incident_id: delivery.incidentId,
    state: delivery.state,
    attempts: delivery.attempts,
    last_result: delivery.lastResult,
    next_attempt_at: delivery.state === "pending" ? instantOut(delivery.nextAt) : null,
    created_at: instantOut(delivery.createdAt),
    updated_at: instantOut(delivery.updatedAt),
  };
}

/** A delivery that is ours to send until its lease ends, with what it tells of. */
export type Leased = { readonly delivery: Delivery; readonly incident: Incident };

/**
 * Leases what is due, at most so many for each webhook. `room`: the webhooks that this process can sign for. Messages
 * for one that the policy does not know are dropped once they are long due: another process may know it.
 */
export async function leaseDue(
  context: Context,
  room: ReadonlyMap<string, number>,
  leaseMs: number,
): Promise<readonly Leased[]> {
  const now = context.now();
  const { policy } = context;
  // Mostly nothing is due: to see that, nobody is kept from writing.
  const seen = await context.ledger.read(() => duePerWebhook(policy, room, now));
  if (seen.length === 0) return [];
  return await context.ledger.write(function* () {
    const leased: Leased[] = [];
    for (const due of yield* duePerWebhook(policy, room, now)) {
      const delivery = yield* leaseDelivery(due.id, now, now + leaseMs);
      if (!delivery) continue;
      const incident = yield* findIncident(delivery.workspaceId, delivery.incidentId);
      if (incident && policy.webhooks.has(delivery.webhookId)) leased.push({ delivery, incident });
      else yield* settleDelivery(delivery, { ...delivery, state: "dropped" }, now);
    }
    return leased;
  });
}

/** Of each webhook what it has room for; of those that the policy does not know what is long due. */
function* duePerWebhook(policy: Policy, room: ReadonlyMap<string, number>, now: number): Work<Delivery[]> {
  const { id } = policy.workspace;
  const due: Delivery[] = [];
  for (const webhook of yield* waitingWebhooks(id)) {
    const isKnown = policy.webhooks.has(webhook);
    const places = isKnown ? (room.get(webhook) ?? 0) : MOST_DROPPED;
    if (places > 0) due.push(...(yield* dueDeliveries(id, webhook, isKnown ? now : now - DROP_AFTER_MS, now, places)));
  }
  return due;
}

/** At one time; there may be many. */
const MOST_DROPPED = 100;

/** Writes what came of an attempt. `jitter` is a random number from 0 to 1. */
export async function settle(context: Context, { delivery }: Leased, attempt: Attempt, jitter: number): Promise<void> {
  const now = context.now();
  await context.ledger.write(() => settleDelivery(delivery, afterAttempt(delivery, attempt, now, jitter), now));
}
