// Holds: money set aside before a call. Each reaches exactly one final state, whoever comes first.
import type { Amounts } from "../core/usage.ts";
import { all, first, statement, type Work } from "./statement.ts";
import type { HoldState, HoldsTable } from "./tables.ts";

export type Hold = {
  readonly id: string;
  readonly workspaceId: string;
  readonly sessionId: string;
  readonly state: HoldState;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly expiresAt: number;
  /** The local hour whose balances carry the hold. */
  readonly hour: string;
  readonly amounts: Amounts;
};

const insert = statement((db, args: { [Column in keyof HoldsTable]: HoldsTable[Column] }) =>
  db.insertInto("holds").values({
    id: args.id,
    workspace_id: args.workspace_id,
    session_id: args.session_id,
    state: args.state,
    created_at: args.created_at,
    expires_at: args.expires_at,
    hour: args.hour,
    cost_nano_usd: args.cost_nano_usd,
    prompt_tokens: args.prompt_tokens,
    completion_tokens: args.completion_tokens,
    tool_calls: args.tool_calls,
  }),
);

/** Writes an open hold; its amounts must be added to the balances in the same transaction. */
export function* insertHold(hold: Hold): Work<void> {
  yield* all(insert, {
    id: hold.id,
    workspace_id: hold.workspaceId,
    session_id: hold.sessionId,
    state: hold.state,
    created_at: BigInt(hold.createdAt),
    expires_at: BigInt(hold.expiresAt),
    hour: hold.hour,
    cost_nano_usd: hold.amounts.cost,
    prompt_tokens: hold.amounts.promptTokens,
    completion_tokens: hold.amounts.completionTokens,
    tool_calls: hold.amounts.toolCalls,
  });
}

const byId = statement((db, args: { workspaceId: string; id: string }) =>
  db.selectFrom("holds").selectAll().where("id", "=", args.id).where("workspace_id", "=", args.workspaceId),
);

export function* findHold(workspaceId: string, id: string): Work<Hold | undefined> {
  const row = yield* first(byId, { workspaceId, id });
  return row && toHold(row);
}

const close = statement((db, args: { id: string; state: string }) =>
  db
    .updateTable("holds")
    .set({ state: args.state as HoldState })
    .where("id", "=", args.id)
    .where("state", "=", "held")
    .returning("id"),
);

/** Takes an open hold to its final state; answers whether it was still open. */
export function* closeHold(id: string, state: Exclude<HoldState, "held">): Work<"closed" | "was_closed"> {
  return (yield* first(close, { id, state })) ? "closed" : "was_closed";
}

const due = statement((db, args: { workspaceId: string; now: bigint }) =>
  db
    .selectFrom("holds")
    .selectAll()
    .where("workspace_id", "=", args.workspaceId)
    .where("state", "=", "held")
    .where("expires_at", "<=", args.now),
);

/** Open holds whose time is over. */
export function* dueHolds(workspaceId: string, nowMs: number): Work<Hold[]> {
  // Sorted here: a sorter costs SQLite 10 us, and there are nearly never any.
  const rows = yield* all(due, { workspaceId, now: BigInt(nowMs) });
  return rows.map(toHold).sort((a, b) => a.expiresAt - b.expiresAt || (a.id < b.id ? -1 : 1));
}

const ofSession = statement((db, args: { sessionId: string }) =>
  db.selectFrom("holds").selectAll().where("session_id", "=", args.sessionId).where("state", "=", "held").orderBy("id"),
);

export function* openHolds(sessionId: string): Work<Hold[]> {
  return (yield* all(ofSession, { sessionId })).map(toHold);
}

function toHold(row: HoldsTable): Hold {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    sessionId: row.session_id,
    state: row.state,
    createdAt: Number(row.created_at),
    expiresAt: Number(row.expires_at),
    hour: row.hour,
    amounts: {
      cost: row.cost_nano_usd,
      promptTokens: row.prompt_tokens,
      completionTokens: row.completion_tokens,
      toolCalls: row.tool_calls,
    },
  };
}
