// Sessions of work that is over when it is first heard of: made as ended ones, so that nothing can be opened under them.
import type { Outcome } from "../core/execution.ts";
import { endOpenSession } from "../ledger/executions.ts";
import { NO_TOTALS, type Session } from "../ledger/session-row.ts";
import { findSession, insertSession } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { type Context, hourAt } from "./operation.ts";

/** Instants are epoch ms. */
export type PastSession = Pick<Session, "id" | "agentId" | "role" | "teamId" | "taskId" | "userId" | "openedAt"> & {
  readonly parent: Session | null;
  readonly endedAt: number;
  readonly status: Exclude<Session["status"], "open"> & Outcome;
};

/** Puts it into the ledger. It had no budget then: its limits are the hard caps of now. */
export function* insertPastSession(context: Context, past: PastSession): Work<Session> {
  const { policy } = context;
  const { parent, endedAt, status, ...facts } = past;
  const session: Session = {
    ...facts,
    workspaceId: policy.workspace.id,
    model: null,
    provider: null,
    parentSessionId: parent?.id ?? null,
    parentAgentId: parent?.agentId ?? null,
    chain: [...(parent?.chain ?? []), past.id],
    depth: parent ? parent.depth + 1 : 0,
    budget: policy.hardCaps,
    tools: { allow: [], deny: [] },
    memory: {},
    clamped: [],
    status: "open",
    error: null,
    expiresAt: past.openedAt + Number(policy.hardCaps.maxDuration),
    endedAt: null,
    execution: null,
    idempotencyKey: null,
    request: null,
    totals: NO_TOTALS,
  };
  yield* insertSession(session);
  const atMs = Math.max(past.openedAt, endedAt);
  yield* endOpenSession(session, { status, outcome: status, error: null, atMs, hour: hourAt(context, atMs) });
  return (yield* findSession(session.workspaceId, session.id)) ?? session;
}
