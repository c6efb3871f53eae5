// Sessions, charges and holds as the ledger takes them, each with any part changed.

import { createHash } from "node:crypto";
import { type Attribution, balanceKeys } from "../../src/core/balance-key.ts";
import { BUILT_IN_HARD_CAPS } from "../../src/core/budget.ts";
import { hash64 } from "../../src/core/hash64.ts";
import { type Amounts, NO_USAGE, NOTHING } from "../../src/core/usage.ts";
import { windowAt } from "../../src/core/window.ts";
import { addToBalances } from "../../src/ledger/balances.ts";
import type { ChargeKey, NewCharge } from "../../src/ledger/charges.ts";
import type { Ending } from "../../src/ledger/executions.ts";
import { type Hold, insertHold } from "../../src/ledger/holds.ts";
import { NO_TOTALS, type Session } from "../../src/ledger/session-row.ts";
import { insertSession } from "../../src/ledger/sessions.ts";
import type { Work } from "../../src/ledger/statement.ts";
import { START } from "../world.ts";

let count = 0;
const nextId = (kind: string) => `${kind}_${String(++count).padStart(6, "0")}`;

/** What a key is kept as, with itself as its request. */
export const keyOf = (key: string): ChargeKey => {
  const hash = hash64(createHash("sha256").update(key).digest("hex"));
  return { hash, request: hash };
};

/** Past 2^53: an engine that hands out doubles anywhere cannot keep it. */
export const HUGE = 9_007_199_254_740_993n;

export const WORKSPACE = "default";

export function aSession(changes: Partial<Session> & { parent?: Session } = {}): Session {
  const { parent, ...rest } = changes;
  const id = rest.id ?? nextId("ses");
  return {
    id,
    workspaceId: WORKSPACE,
    agentId: "ada",
    role: null,
    teamId: null,
    taskId: null,
    userId: null,
    model: null,
    provider: null,
    parentSessionId: parent?.id ?? null,
    parentAgentId: parent?.agentId ?? null,
    chain: [...(parent?.chain ?? []), id],
    depth: parent ? parent.depth + 1 : 0,
    budget: BUILT_IN_HARD_CAPS,
    tools: { allow: null, deny: [] },
    memory: {},
    clamped: [],
    status: "open",
    error: null,
    openedAt: START,
    expiresAt: START + 300_000,
    endedAt: null,
    execution: null,
    idempotencyKey: null,
    request: null,
    totals: NO_TOTALS,
    ...rest,
  };
}

export const hourOf = (at: number): string => windowAt("hour", at, "UTC").key;

export function aCharge(session: Session, changes: Partial<NewCharge> = {}): NewCharge {
  const occurredAt = changes.occurredAt ?? START;
  return {
    session,
    model: session.model,
    provider: session.provider,
    tool: null,
    occurredAt,
    recordedAt: occurredAt,
    hour: hourOf(occurredAt),
    usage: { ...NO_USAGE, inputTokens: 100n, outputTokens: 20n },
    cost: 1_000_000n,
    reported: null,
    priced: 1_000_000n,
    costSource: "exact",
    priceList: "test",
    source: "self_reported",
    meter: "self_reported",
    late: "in_time",
    latencyMs: null,
    error: null,
    holdId: null,
    key: null,
    corrects: null,
    lines: [],
    ...changes,
  };
}

export function aHold(session: Session, changes: Partial<Hold> = {}): Hold {
  return {
    id: nextId("hld"),
    workspaceId: session.workspaceId,
    sessionId: session.id,
    state: "held",
    createdAt: START,
    expiresAt: START + 60_000,
    hour: hourOf(START),
    amounts: amounts(5_000_000n),
    ...changes,
  };
}

export const amounts = (cost: bigint, changes: Partial<Amounts> = {}): Amounts => ({ ...NOTHING, cost, ...changes });

/** A success at the start of time, or what is changed about that. */
export function anEnding(changes: Partial<Ending> = {}): Ending {
  const atMs = changes.atMs ?? START;
  const status = changes.status ?? "success";
  return { status, outcome: status, error: null, atMs, hour: hourOf(atMs), ...changes };
}

/** Writes a session and answers it. */
export function* seeded(session: Session): Work<Session> {
  yield* insertSession(session);
  return session;
}

/** Writes a hold together with what it holds. */
export function* held(session: Session, hold: Hold): Work<Hold> {
  yield* insertHold(hold);
  const spend: Attribution = { ...session, hour: hold.hour };
  yield* addToBalances(session.workspaceId, balanceKeys(spend), NOTHING, hold.amounts);
  return hold;
}
