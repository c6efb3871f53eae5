// stop and resume: the kill switch. Every later open, check and report on what a stop covers is denied, at once.
import { z } from "zod";
import { AstraError } from "../core/error.ts";
import { callerId } from "../core/id.ts";
import { spendingSessions } from "../ledger/session-lists.ts";
import { findSession } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { findStop, insertStop, liftStop, liftStops, type Stop, stopsInForce } from "../ledger/stops.ts";
import { recordChange } from "./audit.ts";
import { once } from "./idempotency.ts";
import { idempotencyKey, ourId, reason, why } from "./input.ts";
import { actorOf, type Context, defineOperation, invalidInput, type Principal, sessionNotFound } from "./operation.ts";
import { instantOut } from "./output.ts";
import { livePageOf, nextCursor, pageInput } from "./page.ts";
import { names } from "./standing.ts";

const target = {
  session_id: ourId("session").optional(),
  agent_id: callerId.optional(),
  task_id: callerId.optional(),
  team_id: callerId.optional(),
  all: z.literal(true, { error: "expected true" }).optional().describe("The whole workspace."),
};

const stopInput = z.strictObject({
  ...target,
  idempotency_key: idempotencyKey.optional(),
  reason: reason.describe("Agents are told it."),
});
const resumeInput = z.strictObject({
  ...target,
  stop_id: ourId("stop").optional().describe("Or one stop by its id."),
  reason: why,
});

type Target = { readonly scope: "session" | "agent" | "task" | "team" | "workspace"; readonly scopeId: string };

/** Exactly one thing to stop or resume. */
function targetOf(context: Context, args: Omit<z.output<typeof resumeInput>, "stop_id" | "reason">): Target {
  const { id } = context.policy.workspace;
  const named = [
    args.session_id === undefined ? null : { scope: "session" as const, scopeId: args.session_id },
    args.agent_id === undefined ? null : { scope: "agent" as const, scopeId: args.agent_id },
    args.task_id === undefined ? null : { scope: "task" as const, scopeId: args.task_id },
    args.team_id === undefined ? null : { scope: "team" as const, scopeId: args.team_id },
    args.all === undefined ? null : { scope: "workspace" as const, scopeId: id },
  ].filter((each) => each !== null);
  const [first] = named;
  if (!first || named.length > 1)
    throw invalidInput("", "expected exactly one of session_id, agent_id, task_id, team_id, all");
  return first;
}

const stopOutput = z.looseObject({
  stop_id: z.string(),
  scope: z.string(),
  scope_id: z.string(),
  reason: z.string(),
  /** How many sessions it halts now: none may mean a misspelt id. */
  open_sessions: z.number(),
});

/** Open sessions that a stop reaches: those it names and all below them. What is above an open one is open too. */
function* countReached(workspaceId: string, stop: Target, nowMs: number): Work<number> {
  if (stop.scope === "session" && !(yield* findSession(workspaceId, stop.scopeId))) throw sessionNotFound();
  const open = yield* spendingSessions(workspaceId, nowMs);
  const named = new Set(open.filter((session) => names(stop, session)).map((session) => session.id));
  return open.filter((session) => session.chain.some((id) => named.has(id))).length;
}

export const stop = defineOperation({
  name: "stop",
  title: "Stop spending",
  description:
    "The kill switch: from now on every open, check and report on the session, agent, task, team or workspace is denied with the reason.",
  input: stopInput,
  output: stopOutput,
  access: "operator",
  effect: "write",
  run: (context, principal, args) =>
    context.ledger.write(() =>
      once(context, actorOf(principal), "stop", args, function* (): Work<z.input<typeof stopOutput>> {
        const { scope, scopeId } = targetOf(context, args);
        const workspaceId = context.policy.workspace.id;
        const open = yield* countReached(workspaceId, { scope, scopeId }, context.now());
        // One sentence in front of "Stop now": it must end like one.
        const reason = /[.!?]$/.test(args.reason.trim()) ? args.reason.trim() : `${args.reason.trim()}.`;
        const made: Stop = { id: context.newId("stop"), workspaceId, scope, scopeId, reason, createdAt: context.now() };
        yield* insertStop(made);
        yield* recordStop(context, principal, "stop", made, reason);
        return { stop_id: made.id, scope, scope_id: scopeId, reason, open_sessions: open };
      }),
    ),
});

/** In the audit a stop is what it names; only its making and lifting are noted. */
function recordStop(context: Context, principal: Principal, action: "stop" | "resume", stop: Stop, reason?: string) {
  const target = `${stop.scope} ${stop.scopeId}`;
  const state = { stop_id: stop.id, reason: stop.reason };
  const [before, after] = action === "stop" ? [null, state] : [state, null];
  return recordChange(context, principal, { action, target, before, after, why: reason });
}

export const resume = defineOperation({
  name: "resume",
  title: "Lift a stop",
  description: "Lifts one stop by its id, or every stop on exactly that session, agent, task, team or workspace.",
  input: resumeInput,
  output: z.looseObject({ scope: z.string(), scope_id: z.string(), lifted: z.number() }),
  access: "operator",
  effect: "idempotent",
  run: (context, principal, args) =>
    context.ledger.write(function* (): Work<{ scope: string; scope_id: string; lifted: number }> {
      const workspaceId = context.policy.workspace.id;
      const now = context.now();
      const { stop_id: id, reason, ...named } = args;
      if (id !== undefined && Object.keys(named).length > 0)
        throw invalidInput("stop_id", "expected nothing beside it");
      const target = id === undefined ? targetOf(context, named) : null;
      const lifted =
        target === null
          ? yield* liftStop(workspaceId, id ?? "", now)
          : yield* liftStops(workspaceId, target.scope, target.scopeId, now);
      const [first] = lifted;
      if (!first) throw notStopped(target?.scope ?? "id");
      for (const each of lifted) yield* recordStop(context, principal, "resume", each, reason);
      return { scope: first.scope, scope_id: first.scopeId, lifted: lifted.length };
    }),
});

function notStopped(scope: string): AstraError {
  return new AstraError(
    "not_found",
    `No stop is in force on that ${scope}.`,
    "`astra-budget stops` shows the stops in force.",
  );
}

export const listStops = defineOperation({
  name: "list_stops",
  title: "List stops in force",
  description: "The operator's orders that deny spending now.",
  input: z.strictObject(pageInput(50)),
  output: z.looseObject({ stops: z.array(z.looseObject({})), next_cursor: nextCursor }),
  access: "viewer",
  effect: "read",
  run: (context, _principal, args) =>
    context.ledger.read(function* () {
      const workspaceId = context.policy.workspace.id;
      const newestFirst = (yield* stopsInForce(workspaceId)).toSorted((a, b) => (a.id < b.id ? 1 : -1));
      const find = (id: string) => findStop(workspaceId, id);
      const { items, next_cursor } = yield* livePageOf(newestFirst, (each) => each.id, args, find);
      return { stops: items.map(stopOut), next_cursor };
    }),
});

export function stopOut(each: Stop): Record<string, unknown> {
  return {
    stop_id: each.id,
    scope: each.scope,
    scope_id: each.scopeId,
    reason: each.reason,
    created_at: instantOut(each.createdAt),
  };
}
