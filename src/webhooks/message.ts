// What a webhook is told of an incident: ids, numbers and our own words, the same in every attempt.
import type { Leased } from "../operations/webhooks.ts";

export function messageOf(incident: Leased["incident"]): string {
  return JSON.stringify({
    type: "incident.raised",
    timestamp: new Date(incident.raisedAt).toISOString(),
    data: {
      incident_id: incident.id,
      workspace_id: incident.workspaceId,
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
    },
  });
}
