// Raising: a finding becomes an incident once, is queued for the webhooks, and stops what it is about if the policy says so.
import type { Finding } from "../core/incident.ts";
import type { Notice, Refusal } from "../core/verdict.ts";
import { countOfAgent, type Incident, insertIncident } from "../ledger/incidents.ts";
import type { Work } from "../ledger/statement.ts";
import { insertStop, type Stop } from "../ledger/stops.ts";
import { insertDelivery } from "../ledger/webhook-deliveries.ts";
import { recordChange } from "./audit.ts";
import type { Context } from "./operation.ts";
import { type Standing, stopRefusal } from "./standing.ts";

/** What the incidents of one call do to its verdict. */
export type Raised = { readonly refusals: readonly Refusal[]; readonly notices: readonly Notice[] };

export const NOTHING_RAISED: Raised = { refusals: [], notices: [] };

/** The one who stops by itself, as the audit names it. */
const SELF = { kind: "owner", actor: "astra-budget" } as const;

/**
 * Raises what was not raised before, in the transaction of the call that showed it: incident, outbox and stop are there
 * together or not at all. `sessionId`: the session that caused it, null if it is not open.
 */
export function* raise(
  context: Context,
  findings: readonly Finding[],
  standing: Standing,
  sessionId: string | null,
): Work<Raised> {
  if (findings.length === 0) return NOTHING_RAISED;
  const refusals: Refusal[] = [];
  const notices: Notice[] = [];
  for (const finding of findings) {
    const stops = context.policy.incidents[finding.kind].stop && !isStopped(standing, finding);
    const incident = incidentOf(context, finding, standing, sessionId, stops ? context.newId("stop") : null);
    if (yield* isFlood(incident)) continue;
    if ((yield* insertIncident(incident)) === "was_raised") continue;
    yield* queue(context, incident);
    if (incident.stopId !== null) {
      const refusal = stopRefusal(
        yield* stopFor(context, incident, incident.stopId),
        standing.spend,
        standing.ancestors,
      );
      if (refusal) refusals.push(refusal);
    }
    if (finding.advice !== null) notices.push(noticeOf(finding, finding.advice));
  }
  return { refusals, notices };
}

/** It is stopped already: a second order would only have to be lifted as well. */
function isStopped({ refusals }: Standing, { scope, scopeId }: Finding): boolean {
  return refusals.some((each) => each.kind === "stop" && each.scope === scope && each.scopeId === scopeId);
}

/** An agent can open sessions as it likes: more of one kind in a day would only hide what else there is. */
const MOST_OF_AGENT = 20;

function* isFlood({ workspaceId, kind, scope, agentId, windowKey }: NewIncident): Work<boolean> {
  if (scope !== "session" || agentId === null) return false;
  return (yield* countOfAgent(workspaceId, kind, agentId, windowKey)) >= MOST_OF_AGENT;
}

type NewIncident = Omit<Incident, "acknowledged">;

function incidentOf(
  context: Context,
  finding: Finding,
  { spend }: Standing,
  sessionId: string | null,
  stopId: string | null,
): NewIncident {
  return {
    id: context.newId("incident"),
    workspaceId: spend.workspaceId,
    kind: finding.kind,
    scope: finding.scope,
    scopeId: finding.scopeId,
    windowKey: finding.windowKey,
    sessionId,
    agentId: spend.agentId,
    teamId: spend.teamId,
    taskId: spend.taskId,
    message: finding.message,
    evidence: finding.evidence,
    stopId,
    raisedAt: context.now(),
  };
}

/** One message for each webhook that wants the kind; whoever sends them does it after this transaction. */
function* queue(context: Context, incident: NewIncident): Work<void> {
  for (const { id, kinds } of context.policy.webhooks.values()) {
    if (kinds !== null && !kinds.has(incident.kind)) continue;
    yield* insertDelivery({
      id: context.newId("delivery"),
      workspaceId: incident.workspaceId,
      webhookId: id,
      incidentId: incident.id,
      createdAt: incident.raisedAt,
    });
  }
}

/** An order like an operator's: it was the operator who wrote that this kind stops. */
function* stopFor(context: Context, incident: NewIncident, id: string): Work<Stop> {
  const { workspaceId, scope, scopeId, raisedAt } = incident;
  const reason = `the policy stops on ${incident.kind}. ${incident.message}`;
  const made: Stop = { id, workspaceId, scope, scopeId, reason, createdAt: raisedAt };
  yield* insertStop(made);
  yield* recordChange(context, SELF, {
    action: "stop",
    target: `${scope} ${scopeId}`,
    before: null,
    after: { stop_id: id, reason, incident_id: incident.id },
    why: reason,
  });
  return made;
}

function noticeOf({ kind, scope, scopeId, message }: Finding, advice: string): Notice {
  return { kind, scope, scopeId, window: null, measure: null, text: `${message} ${advice}` };
}
