// The terminal's commands for incidents and webhooks.
import { acknowledgeIncident, getIncident, listIncidents } from "../operations/incidents.ts";
import { listDeliveries, redeliver } from "../operations/webhooks.ts";
import { shownText, table } from "./table.ts";
import { type Answer, count, cut, type Line, text } from "./terminal-columns.ts";
import { type Command, command, option } from "./terminal-command.ts";

const page = {
  limit: option("limit", "number", "how many (50)"),
  cursor: option("cursor", "text", "go on after this one"),
};

export const incidentCommands: readonly Command[] = [
  command("incidents list", listIncidents, {
    help: "what should be looked at: red flags, retry loops, caps about to be hit …",
    options: {
      kind: option(
        "kind",
        "text",
        "task_red_flag, team_day_red_flag, token_spike, output_heavy, duplicate_work, outside_hours or cap_soon",
      ),
      scope: option("scope", "text", "session, task, agent, team or workspace"),
      id: option("scope_id", "text", "which one"),
      agent: option("agent_id", "text", "caused by one agent only"),
      state: option("state", "text", "open or acknowledged"),
      ...page,
    },
    text: incidentsText,
  }),
  command("incidents show", getIncident, {
    help: "one incident with the numbers behind it",
    positional: "incident_id",
    options: {},
    text: incidentText,
  }),
  command("incidents ack", acknowledgeIncident, {
    help: "note that an incident was looked at",
    positional: "incident_id",
    options: { note: option("note", "text", "what came of it, for colleagues and the audit") },
    text: (answer) => `Acknowledged: incident ${answer.incident_id} (${answer.kind}).`,
  }),
  command("webhooks list", listDeliveries, {
    help: "which incident was sent to which webhook, and what came of it",
    options: { state: option("state", "text", "pending, delivered, failed or dropped"), ...page },
    text: deliveriesText,
  }),
  command("webhooks redeliver", redeliver, {
    help: "make a webhook message due again",
    positional: "delivery_id",
    options: { reason: option("reason", "text", "why, for the audit") },
    text: (answer) => `Due again: message ${answer.delivery_id} to webhook ${answer.webhook_id}.`,
  }),
];

const older = (listed: string, { next_cursor }: Answer): string =>
  next_cursor === null ? listed : `${listed}\nOlder ones: --cursor ${next_cursor}`;

function incidentsText(answer: Answer): string {
  const listed = table(
    answer.incidents as Line[],
    [
      text("incident", "incident_id"),
      text("raised", "raised_at"),
      text("kind", "kind"),
      text("state", "state"),
      { title: "what", align: "left", cell: (row) => cut(String(row.message), 110) },
    ],
    "No incidents.",
  );
  return older(listed, answer);
}

function incidentText(incident: Answer): string {
  const ids = ["session_id", "agent_id", "team_id", "task_id", "stop_id"].flatMap((name) =>
    incident[name] === null ? [] : [[name, incident[name]] as const],
  );
  const state =
    incident.state === "open"
      ? "open"
      : `acknowledged ${incident.acknowledged_at} by ${incident.acknowledged_by}${incident.note === null ? "" : `: ${incident.note}`}`;
  const lines = [["state", state], ...ids, ...Object.entries(incident.evidence as Answer)];
  const rows = lines.map(([name, value]) => ({ name: String(name), value: String(value) }));
  return [
    `${incident.kind} on ${incident.scope} ${incident.scope_id}, ${incident.raised_at}`,
    shownText(String(incident.message)),
    "",
    table(rows, [text("evidence", "name"), text("", "value")], ""),
  ].join("\n");
}

function deliveriesText(answer: Answer): string {
  const listed = table(
    answer.deliveries as Line[],
    [
      text("message", "delivery_id"),
      text("webhook", "webhook_id"),
      text("incident", "incident_id"),
      text("state", "state"),
      count("attempts", "attempts"),
      text("last result", "last_result"),
      text("next attempt", "next_attempt_at"),
    ],
    "No webhook messages: name webhooks in astra.yml to be told of incidents.",
  );
  return older(listed, answer);
}
