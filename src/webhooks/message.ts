// What a webhook is told of an incident: ids, numbers and our own words, the same in every attempt.
import { incidentFacts } from "../operations/incidents.ts";
import type { Leased } from "../operations/webhooks.ts";

export function messageOf(incident: Leased["incident"]): string {
  const { incident_id, ...facts } = incidentFacts(incident);
  return JSON.stringify({
    type: "incident.raised",
    timestamp: new Date(incident.raisedAt).toISOString(),
    data: { incident_id, workspace_id: incident.workspaceId, ...facts },
  });
}
