// The sessions that a client's threads are booked to: one opens with its thread, another follows when it is over.
import { lookup, remainingBudget } from "../core/limits.ts";
import type { MeteredResponse } from "../core/metered.ts";
import type { Verdict } from "../core/verdict.ts";
import { readBalances } from "../ledger/balances.ts";
import { grantsInForce } from "../ledger/grants.ts";
import { findThread, putThread, type ThreadKey } from "../ledger/meter-threads.ts";
import type { Session } from "../ledger/session-row.ts";
import { findSession, insertSession } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { admit } from "./admission.ts";
import type { Context } from "./operation.ts";
import { insertPastSession } from "./past-session.ts";

/** A conversation of a client, or a sub-agent in it, with what it used since it was last looked at. */
export type MeteredThread = {
  readonly threadId: string;
  /** The thread that started it; null = a person did. */
  readonly parentId: string | null;
  readonly responses: readonly MeteredResponse[];
};

/** A file may say anything: nothing is spent tomorrow. */
export const notInFuture = (thread: MeteredThread, now: number): MeteredThread => ({
  ...thread,
  responses: thread.responses.map((each) => (each.occurredAt > now ? { ...each, occurredAt: now } : each)),
});

/** From the first response to the last (epoch ms). */
export type Span = { readonly from: number; readonly to: number };

export function spanOf(responses: readonly MeteredResponse[]): Span {
  const span = { from: Number.POSITIVE_INFINITY, to: 0 };
  for (const { occurredAt } of responses) {
    if (occurredAt < span.from) span.from = occurredAt;
    if (occurredAt > span.to) span.to = occurredAt;
  }
  return span;
}

/** `renew`: a person asks for more, so what is over is followed by a new session. */
export type Renewal = "renew" | "keep";

/** The session of a thread as it stands; undefined where one must be opened. */
export function* standingSession(key: ThreadKey, renewal: Renewal, now: number): Work<Session | undefined> {
  const thread = yield* findThread(key);
  const session = thread && (yield* findSession(key.workspaceId, thread.sessionId));
  if (!session) return undefined;
  const isOver = session.status !== "open" || session.expiresAt <= now;
  return isOver && renewal === "renew" ? undefined : session;
}

/**
 * Opens a session for a thread, whatever the verdict: its usage must be booked somewhere. One that goes on where
 * another ended before its time gets what that had left, so that restarting a client buys nothing.
 */
export function* openThread(
  context: Context,
  key: ThreadKey,
  agentId: string,
  parentId: string | null,
  now: number,
): Work<{ session: Session; verdict: Verdict }> {
  const parent = parentId === null ? undefined : yield* findThread({ ...key, threadId: parentId });
  const before = yield* endedBeforeItsTime(key, now);
  const opening = {
    agentId,
    parent: (parent && (yield* findSession(key.workspaceId, parent.sessionId))) ?? null,
    taskId: null,
    userId: null,
    role: null,
    model: null,
    provider: null,
    budget: before ? yield* leftOver(context, before.session, now) : {},
    tools: { allow: null, deny: [] },
    key: null,
  };
  const admitted = yield* admit(context, { kind: "agent", agentId }, opening, now);
  yield* insertSession(admitted.session);
  // What was used while no session stood is spent from what is left, as was what a sub-agent used before it was heard of.
  const since = before?.since ?? parent?.since ?? now;
  yield* putThread(key, { sessionId: admitted.session.id, since, warned: [] });
  return admitted;
}

/** The session that a thread goes on from. */
function* endedBeforeItsTime(key: ThreadKey, now: number): Work<{ session: Session; since: number } | null> {
  const thread = yield* findThread(key);
  const session = thread && (yield* findSession(key.workspaceId, thread.sessionId));
  return session && session.expiresAt > now ? { session, since: thread.since } : null;
}

function* leftOver(context: Context, before: Session, now: number) {
  const { id, workspaceId } = before;
  const own = { scope: "session", scopeId: id, window: "session", windowKey: "" } as const;
  const balance = lookup(yield* readBalances(workspaceId, [own]))(own);
  return remainingBudget(before, balance, context.policy.hardCaps, yield* grantsInForce(workspaceId, now), now);
}

/** Clocks of one machine, and lines written while a session opened. */
const SLACK_MS = 60_000;

/** What was used before `since`: an earlier run that nothing metered. */
export const isEarlier = (since: number, { occurredAt }: MeteredResponse): boolean => occurredAt < since - SLACK_MS;

/**
 * Since when (epoch ms) a thread's usage belongs to its session. A sub-agent that is heard of late spent from its
 * parent's budget all the same: since the session at the root was open.
 */
export function* sinceOf(key: ThreadKey, parentId: string | null, now: number): Work<number> {
  const thread =
    (yield* findThread(key)) ?? (parentId === null ? undefined : yield* findThread({ ...key, threadId: parentId }));
  return thread?.since ?? now;
}

const pastKey = (key: ThreadKey): ThreadKey => ({ ...key, threadId: `past/${key.threadId}` });

/** The ended session for what a thread used before it was metered; made when it is first needed. */
export function* pastOf(
  context: Context,
  key: ThreadKey,
  agentId: string,
  parentId: string | null,
  { from, to }: Span,
): Work<Session> {
  const known = yield* findThread(pastKey(key));
  const session = known && (yield* findSession(key.workspaceId, known.sessionId));
  if (session) return session;
  const parentPast = parentId === null ? undefined : yield* findThread(pastKey({ ...key, threadId: parentId }));
  const made = yield* insertPastSession(context, {
    id: context.newId("session"),
    agentId,
    role: null,
    teamId: context.policy.agents.get(agentId)?.team ?? null,
    taskId: null,
    userId: null,
    parent: (parentPast && (yield* findSession(key.workspaceId, parentPast.sessionId))) ?? null,
    openedAt: from,
    endedAt: to,
    status: "success",
  });
  yield* putThread(pastKey(key), { sessionId: made.id, since: from, warned: [] });
  return made;
}
