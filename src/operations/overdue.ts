// Sessions that nobody ended: closed long after their deadline, inside a transaction that is made anyway.
import { endOpenSession } from "../ledger/executions.ts";
import { overdueSessions } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { type Context, hourAt } from "./operation.ts";

/** A report may be this late (see `report-charge.ts`), so somebody may still be there. */
const GRACE_MS = 3_600_000;
/** Of many that crashed each opening closes some, so that none takes long. */
const MOST = 10;

/**
 * Closes open sessions an hour after their deadline, as of the deadline: an agent that crashed must not leave its
 * failures uncounted. Children's deadlines are never later than their parents'. What holds something is left for when
 * its hold has expired.
 */
export function* closeOverdue(context: Context, nowMs: number): Work<void> {
  for (const session of yield* overdueSessions(context.policy.workspace.id, nowMs - GRACE_MS, MOST)) {
    const hour = hourAt(context, session.expiresAt);
    yield* endOpenSession(session, {
      status: "cancelled",
      outcome: "expired",
      error: null,
      atMs: session.expiresAt,
      hour,
    });
  }
}
