// The outbox of webhooks: one row for each incident and webhook, leased by whoever sends it.
import { all, first, statement, type Work } from "./statement.ts";
import type { DeliveryState, WebhookDeliveriesTable } from "./tables.ts";

/** Instants are epoch ms. */
export type Delivery = {
  readonly id: string;
  readonly workspaceId: string;
  /** As astra.yml calls it; its URL is not kept here. */
  readonly webhookId: string;
  readonly incidentId: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  /** Due from then on. */
  readonly nextAt: number;
  readonly leasedUntil: number;
  /** In our words: "HTTP 500", "no answer in time". */
  readonly lastResult: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
};

const insert = statement(
  (db, args: { id: string; workspaceId: string; webhookId: string; incidentId: string; at: bigint }) =>
    db.insertInto("webhook_deliveries").values({
      id: args.id,
      workspace_id: args.workspaceId,
      webhook_id: args.webhookId,
      incident_id: args.incidentId,
      state: "pending",
      attempts: 0n,
      next_at: args.at,
      leased_until: 0n,
      last_result: null,
      created_at: args.at,
      updated_at: args.at,
    }),
);

/** Due at once. */
export function* insertDelivery(
  made: Pick<Delivery, "id" | "workspaceId" | "webhookId" | "incidentId" | "createdAt">,
): Work<void> {
  const { id, workspaceId, webhookId, incidentId, createdAt } = made;
  yield* all(insert, { id, workspaceId, webhookId, incidentId, at: BigInt(createdAt) });
}

const waiting = statement((db, args: { workspaceId: string }) =>
  db
    .selectFrom("webhook_deliveries")
    .select("webhook_id")
    .distinct()
    .where("workspace_id", "=", args.workspaceId)
    .where("state", "=", "pending"),
);

/** The webhooks that have messages to come, due or not. */
export function* waitingWebhooks(workspaceId: string): Work<string[]> {
  return (yield* all(waiting, { workspaceId })).map((row) => row.webhook_id);
}

const due = statement((db, args: { workspaceId: string; webhookId: string; at: bigint; now: bigint; limit: bigint }) =>
  db
    .selectFrom("webhook_deliveries")
    .selectAll()
    .where("workspace_id", "=", args.workspaceId)
    .where("state", "=", "pending")
    .where("webhook_id", "=", args.webhookId)
    .where("next_at", "<=", args.at)
    .where("leased_until", "<=", args.now)
    .orderBy("next_at")
    .orderBy("id")
    .limit(args.limit),
);

/** What of one webhook is due at an instant and nobody's, the longest due first; a look, no lock. */
export function* dueDeliveries(
  workspaceId: string,
  webhookId: string,
  atMs: number,
  nowMs: number,
  limit: number,
): Work<Delivery[]> {
  const args = { workspaceId, webhookId, at: BigInt(atMs), now: BigInt(nowMs), limit: BigInt(limit) };
  return (yield* all(due, args)).map(toDelivery);
}

const lease = statement((db, args: { id: string; now: bigint; until: bigint }) =>
  db
    .updateTable("webhook_deliveries")
    .set({ leased_until: args.until, updated_at: args.now })
    .where("id", "=", args.id)
    .where("state", "=", "pending")
    .where("next_at", "<=", args.now)
    .where("leased_until", "<=", args.now)
    .returningAll(),
);

/** Takes a due delivery for oneself; nothing where another was quicker. */
export function* leaseDelivery(id: string, nowMs: number, untilMs: number): Work<Delivery | undefined> {
  const row = yield* first(lease, { id, now: BigInt(nowMs), until: BigInt(untilMs) });
  return row && toDelivery(row);
}

type Outcome = Pick<Delivery, "state" | "attempts" | "nextAt" | "lastResult">;

const settle = statement(
  (
    db,
    args: {
      id: string;
      state: string;
      attempts: bigint;
      nextAt: bigint;
      result: string | null;
      now: bigint;
      lease: bigint;
    },
  ) =>
    db
      .updateTable("webhook_deliveries")
      .set({
        state: args.state as DeliveryState,
        attempts: args.attempts,
        next_at: args.nextAt,
        leased_until: 0n,
        last_result: args.result,
        updated_at: args.now,
      })
      .where("id", "=", args.id)
      .where("leased_until", "=", args.lease)
      .where("state", "=", "pending"),
);

/** Ends a lease with what came of it. A sender whose lease was over and taken by another changes nothing. */
export function* settleDelivery(leased: Delivery, outcome: Outcome, nowMs: number): Work<void> {
  yield* all(settle, {
    id: leased.id,
    state: outcome.state,
    attempts: BigInt(outcome.attempts),
    nextAt: BigInt(outcome.nextAt),
    result: outcome.lastResult,
    now: BigInt(nowMs),
    lease: BigInt(leased.leasedUntil),
  });
}

const byId = statement((db, args: { workspaceId: string; id: string }) =>
  db
    .selectFrom("webhook_deliveries")
    .selectAll()
    .where("id", "=", args.id)
    .where("workspace_id", "=", args.workspaceId),
);

export function* findDelivery(workspaceId: string, id: string): Work<Delivery | undefined> {
  const row = yield* first(byId, { workspaceId, id });
  return row && toDelivery(row);
}

const again = statement((db, args: { workspaceId: string; id: string; now: bigint }) =>
  db
    .updateTable("webhook_deliveries")
    .set({ state: "pending", attempts: 0n, next_at: args.now, leased_until: 0n, updated_at: args.now })
    .where("id", "=", args.id)
    .where("workspace_id", "=", args.workspaceId)
    .returningAll(),
);

/** Makes a delivery due again, from its first attempt on, whatever came of it before. */
export function* restartDelivery(workspaceId: string, id: string, nowMs: number): Work<Delivery | undefined> {
  const row = yield* first(again, { workspaceId, id, now: BigInt(nowMs) });
  return row && toDelivery(row);
}

const page = (filter: "every" | "state") =>
  statement((db, args: { workspaceId: string; state: string; below: string; limit: bigint }) =>
    db
      .selectFrom("webhook_deliveries")
      .selectAll()
      .where("workspace_id", "=", args.workspaceId)
      .where("id", "<", args.below)
      .$if(filter === "state", (query) => query.where("state", "=", args.state as DeliveryState))
      .orderBy("id", "desc")
      .limit(args.limit),
  );

/** Ids of ours come before it in every collation. */
const AFTER_ALL = "z";

const PAGES = { every: page("every"), state: page("state") };

/** The newest first, those before `below`; `state` null = in any. */
export function* deliveriesBelow(
  workspaceId: string,
  state: DeliveryState | null,
  limit: number,
  below = AFTER_ALL,
): Work<Delivery[]> {
  const args = { workspaceId, state: state ?? "", below, limit: BigInt(limit) };
  return (yield* all(PAGES[state === null ? "every" : "state"], args)).map(toDelivery);
}

function toDelivery(row: WebhookDeliveriesTable): Delivery {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    webhookId: row.webhook_id,
    incidentId: row.incident_id,
    state: row.state,
    attempts: Number(row.attempts),
    nextAt: Number(row.next_at),
    leasedUntil: Number(row.leased_until),
    lastResult: row.last_result,
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  };
}
