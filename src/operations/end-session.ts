// end_session: close a session and everything open below it, and let go of what they hold.
import { z } from "zod";
import { balanceKeys, sortKeys } from "../core/balance-key.ts";
import { type Outcome, outcomeOf } from "../core/execution.ts";
import { lookup, sessionLimits } from "../core/limits.ts";
import type { Balance } from "../core/usage.ts";
import { readBalances } from "../ledger/balances.ts";
import { endOpenSession } from "../ledger/executions.ts";
import { grantsInForce } from "../ledger/grants.ts";
import { type Hold, openHolds } from "../ledger/holds.ts";
import type { Session } from "../ledger/session-row.ts";
import { findSession, openDescendants } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { recordChange } from "./audit.ts";
import { freeHold, keysOfHold, lockAndExpire } from "./expiry.ts";
import { freeText, ourId } from "./input.ts";
import { type Context, defineOperation, hourAt, mayTouch, type Principal, sessionNotFound } from "./operation.ts";
import { instantOut, totalsOut, totalsOutput } from "./output.ts";

const input = z.strictObject({
  session_id: ourId("session"),
  status: z.enum(["success", "error", "cancelled"]).default("success").describe("How the work went."),
  error: freeText(500).optional().describe("What went wrong, if it did."),
});

const output = z.looseObject({
  session_id: z.string(),
  status: z.string(),
  already_ended: z.boolean(),
  ended_at: z.string(),
  duration_ms: z.number(),
  ended_children: z.number(),
  released_holds: z.number(),
  totals: totalsOutput,
});

export const endSession = defineOperation({
  name: "end_session",
  title: "End a budget session",
  description:
    "End a session when its work is done or given up. Open sessions of sub-agents below it end too, holds are released. Ending twice changes nothing and returns the same totals.",
  input,
  output,
  access: "agent",
  effect: "idempotent",
  run: (context, principal, args) => context.ledger.write(() => end(context, principal, args)),
});

function* end(context: Context, principal: Principal, args: z.output<typeof input>): Work<z.input<typeof output>> {
  const now = context.now();
  const session = yield* findSession(context.policy.workspace.id, args.session_id);
  if (!session || !mayTouch(principal, session.agentId)) throw sessionNotFound();
  if (session.status !== "open") return yield* answer(context, session, { already: true, children: 0, holds: 0 });
  const children = yield* openDescendants(session);
  const held: { hold: Hold; session: Session }[] = [];
  for (const each of [session, ...children]) {
    for (const hold of yield* openHolds(each.id)) held.push({ hold, session: each });
  }
  const keys = [
    ...balanceKeys({ ...session, hour: hourAt(context, now) }),
    ...held.flatMap((each) => keysOfHold(each.hold, each.session)),
  ];
  yield* lockAndExpire(context, sortKeys(keys), now);
  let released = 0;
  for (const each of held) {
    if ((yield* freeHold(each.hold, each.session, "released")) === "closed") released += 1;
  }
  const ending = { atMs: now, hour: hourAt(context, now) };
  for (const child of children)
    yield* endOpenSession(child, { status: "cancelled", outcome: "cancelled", error: null, ...ending });
  const outcome = yield* outcomeAt(context, session, args.status, now);
  yield* endOpenSession(session, { status: args.status, outcome, error: args.error ?? null, ...ending });
  if (principal.kind !== "agent") {
    yield* recordChange(context, principal, {
      action: "end_session",
      target: `session ${session.id}`,
      before: { status: session.status },
      after: { status: args.status, ended_children: children.length },
      why: args.error,
    });
  }
  const ended = (yield* findSession(session.workspaceId, session.id)) ?? session;
  return yield* answer(context, ended, { already: false, children: children.length, holds: released });
}

/** What the session comes to; its holds and those below it must be let go of. */
function* outcomeAt(
  context: Context,
  session: Session,
  status: "success" | "error" | "cancelled",
  now: number,
): Work<Outcome> {
  const raises = yield* grantsInForce(session.workspaceId, now);
  const balance = yield* treeBalance(session);
  return outcomeOf(status, sessionLimits(session, "session", balance, context.policy.hardCaps, raises, now));
}

/** What the session and everything below it used. */
function* treeBalance(session: Session): Work<Balance> {
  const key = { scope: "session", scopeId: session.id, window: "session", windowKey: "" } as const;
  return lookup(yield* readBalances(session.workspaceId, [key]))(key);
}

function* answer(
  context: Context,
  session: Session,
  done: { already: boolean; children: number; holds: number },
): Work<z.input<typeof output>> {
  const tree = (yield* treeBalance(session)).spent.cost;
  const endedAt = session.endedAt ?? context.now();
  return {
    session_id: session.id,
    status: session.status,
    outcome: session.execution?.outcome ?? null,
    already_ended: done.already,
    started_at: instantOut(session.openedAt),
    ended_at: instantOut(endedAt),
    duration_ms: endedAt - session.openedAt,
    ended_children: done.children,
    released_holds: done.holds,
    totals: totalsOut(session, tree),
  };
}
