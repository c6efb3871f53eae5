// stop and resume: the kill switch. Every later open, check and report on what a stop covers is denied, at once.
import { z } from "zod";
import { AstraError } from "../core/error.ts";
import { callerId } from "../core/id.ts";
import { findSession, listSessions } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { insertStop, liftStops, stopsInForce } from "../ledger/stops.ts";
import { freeText, ourId } from "./input.ts";
import { type Context, defineOperation, invalidInput, sessionNotFound } from "./operation.ts";
import { instantOut } from "./output.ts";
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
  reason: freeText(300).refine((reason) => reason.trim() !== "", { error: "expected a reason: agents are told it" }),
});
const resumeInput = z.strictObject(target);

type Target = { readonly scope: "session" | "agent" | "task" | "team" | "workspace"; readonly scopeId: string };

/** Exactly one thing to stop or resume. */
function targetOf(context: Context, args: z.output<typeof resumeInput>): Target {
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
function* countReached(workspaceId: string, stop: Target): Work<number> {
  if (stop.scope === "session" && !(yield* findSession(workspaceId, stop.scopeId))) throw sessionNotFound();
  const open = yield* listSessions(workspaceId, "open", Number.MAX_SAFE_INTEGER);
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
  run: (context, _principal, args) =>
    context.ledger.write(function* (): Work<z.input<typeof stopOutput>> {
      const { scope, scopeId } = targetOf(context, args);
      const workspaceId = context.policy.workspace.id;
      const open = yield* countReached(workspaceId, { scope, scopeId });
      // One sentence in front of "Stop now": it must end like one.
      const reason = /[.!?]$/.test(args.reason.trim()) ? args.reason.trim() : `${args.reason.trim()}.`;
      const id = context.newId("stop");
      yield* insertStop({ id, workspaceId, scope, scopeId, reason, createdAt: context.now() });
      return { stop_id: id, scope, scope_id: scopeId, reason, open_sessions: open };
    }),
});

export const resume = defineOperation({
  name: "resume",
  title: "Lift a stop",
  description: "Lifts every stop on exactly that session, agent, task, team or workspace.",
  input: resumeInput,
  output: z.looseObject({ scope: z.string(), scope_id: z.string(), lifted: z.number() }),
  access: "operator",
  effect: "idempotent",
  run: (context, _principal, args) =>
    context.ledger.write(function* (): Work<{ scope: string; scope_id: string; lifted: number }> {
      const { scope, scopeId } = targetOf(context, args);
      const lifted = yield* liftStops(context.policy.workspace.id, scope, scopeId, context.now());
      if (lifted.length === 0)
        throw new AstraError(
          "not_found",
          `No stop is in force on that ${scope}.`,
          "`astra-budget stops` shows the stops in force.",
        );
      return { scope, scope_id: scopeId, lifted: lifted.length };
    }),
});

export const listStops = defineOperation({
  name: "list_stops",
  title: "List stops in force",
  description: "The operator's orders that deny spending now.",
  input: z.strictObject({}),
  output: z.looseObject({ stops: z.array(z.looseObject({})) }),
  access: "viewer",
  effect: "read",
  run: async (context) => {
    const stops = await context.ledger.read(() => stopsInForce(context.policy.workspace.id));
    return {
      stops: stops.map((each) => ({
        stop_id: each.id,
        scope: each.scope,
        scope_id: each.scopeId,
        reason: each.reason,
        created_at: instantOut(each.createdAt),
      })),
    };
  },
});
