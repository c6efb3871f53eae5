// Incidents as operators read and acknowledge them; an agent sees its own, without what they say of others.
import { z } from "zod";
import { AstraError } from "../core/error.ts";
import { callerId } from "../core/id.ts";
import { INCIDENT_KINDS, INCIDENT_SCOPES } from "../core/incident.ts";
import {
  acknowledgeIncident as acknowledge,
  findIncident,
  type Incident,
  incidentsBelow,
} from "../ledger/incidents.ts";
import type { Work } from "../ledger/statement.ts";
import { recordChange } from "./audit.ts";
import { freeText, ourId } from "./input.ts";
import { actorOf, callingAgent, defineOperation, forbidden, mayTouch, type Principal } from "./operation.ts";
import { instantOut } from "./output.ts";
import { idIn, nextCursor, pageFrom, pageInput } from "./page.ts";

const output = z.looseObject({
  incident_id: z.string(),
  kind: z.string(),
  scope: z.string(),
  scope_id: z.string(),
  message: z.string(),
  evidence: z.looseObject({}),
  state: z.enum(["open", "acknowledged"]),
  raised_at: z.string(),
});

type IncidentOut = z.input<typeof output>;

const words = <const Words extends readonly [string, ...string[]]>(list: Words) =>
  z.enum(list, { error: `expected one of ${list.join(", ")}` });

export const listIncidents = defineOperation({
  name: "list_incidents",
  title: "List incidents",
  description:
    "What an operator should look at, the newest first: tasks and teams past their red flag, spikes of tokens, retry loops, too much output, work done twice, spend outside hours, caps about to be hit.",
  input: z.strictObject({
    kind: words(INCIDENT_KINDS).optional().describe("One kind only."),
    scope: words(INCIDENT_SCOPES).optional().describe("About such a thing only."),
    scope_id: callerId.optional().describe("About this session, task, agent, team or workspace only."),
    agent_id: callerId.optional().describe("Caused by one agent only."),
    state: words(["open", "acknowledged"]).optional().describe("Only those not yet, or already, acknowledged."),
    ...pageInput(50),
  }),
  output: z.looseObject({ incidents: z.array(output), next_cursor: nextCursor }),
  access: "anyone",
  effect: "read",
  run: (context, principal, args) => {
    const agentId = callerOf(principal, args.agent_id);
    return context.ledger.read(function* () {
      const below = args.cursor === undefined ? undefined : idIn(args.cursor);
      const filter = {
        workspaceId: context.policy.workspace.id,
        kind: args.kind ?? null,
        scope: args.scope ?? null,
        scopeId: args.scope_id ?? null,
        agentId,
        state: args.state ?? null,
      };
      const found = yield* incidentsBelow(filter, args.limit + 1, below);
      const { items, next_cursor } = pageFrom(found, args.limit, (last) => last.id);
      return { incidents: items.map((incident) => incidentOut(incident, principal)), next_cursor };
    });
  },
});

export const getIncident = defineOperation({
  name: "get_incident",
  title: "Get an incident",
  description: "One incident with the numbers that it was raised for.",
  input: z.strictObject({ incident_id: ourId("incident") }),
  output,
  access: "anyone",
  effect: "read",
  run: (context, principal, args) => {
    callerOf(principal, undefined);
    return context.ledger.read(function* () {
      const incident = yield* findIncident(context.policy.workspace.id, args.incident_id);
      if (!incident || !mayTouch(principal, incident.agentId ?? "")) throw incidentNotFound();
      return incidentOut(incident, principal);
    });
  },
});

export const acknowledgeIncident = defineOperation({
  name: "acknowledge_incident",
  title: "Acknowledge an incident",
  description:
    "Notes that somebody looked at it, with a word for colleagues. Doing it again changes nothing. A stop that it made stays until it is resumed.",
  input: z.strictObject({
    incident_id: ourId("incident"),
    note: freeText(300).optional().describe("What came of it; for people, agents never see it."),
  }),
  output,
  access: "operator",
  effect: "idempotent",
  run: (context, principal, args) =>
    context.ledger.write(function* (): Work<IncidentOut> {
      const workspaceId = context.policy.workspace.id;
      const known = yield* findIncident(workspaceId, args.incident_id);
      if (!known) throw incidentNotFound();
      const by = { at: context.now(), by: actorOf(principal), note: args.note ?? null };
      const changed = yield* acknowledge(workspaceId, known.id, by);
      if (!changed) return incidentOut(known, principal);
      yield* recordChange(context, principal, {
        action: "acknowledge_incident",
        target: `incident ${known.id}`,
        before: { state: "open" },
        after: { state: "acknowledged", kind: known.kind, scope: known.scope, scope_id: known.scopeId },
        why: args.note,
      });
      return incidentOut(changed, principal);
    }),
});

/** The one agent whose incidents are asked for, null = all. Whoever is not pinned has none of its own. */
function callerOf(principal: Principal, named: string | undefined): string | null {
  if (principal.kind === "agent" && principal.agentId === null)
    throw forbidden("Incidents", "operators and agents with a key");
  return callingAgent(principal, named);
}

function incidentNotFound(): AstraError {
  return new AstraError("not_found", "There is no such incident.", "list_incidents shows them.");
}

/** What an incident is about and was raised for, as callers and webhooks read it. */
export function incidentFacts(incident: Incident) {
  return {
    incident_id: incident.id,
    kind: incident.kind,
    scope: incident.scope,
    scope_id: incident.scopeId,
    session_id: incident.sessionId,
    agent_id: incident.agentId,
    team_id: incident.teamId,
    task_id: incident.taskId,
    message: incident.message,
    evidence: incident.evidence,
    stop_id: incident.stopId,
  };
}

export function incidentOut(incident: Incident, principal: Principal): IncidentOut {
  const { acknowledged } = incident;
  // Others' sessions are handles, and what operators write to each other is not for agents.
  const { other_session_id, other_agent_id, ...own } = incident.evidence;
  const forAgent = principal.kind === "agent";
  return {
    ...incidentFacts(incident),
    ...(forAgent ? { evidence: own } : {}),
    state: acknowledged ? "acknowledged" : "open",
    raised_at: instantOut(incident.raisedAt),
    ...(forAgent
      ? {}
      : {
          acknowledged_at: acknowledged && instantOut(acknowledged.at),
          acknowledged_by: acknowledged?.by ?? null,
          note: acknowledged?.note ?? null,
        }),
  };
}
