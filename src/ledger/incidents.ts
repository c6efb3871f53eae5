// Incidents: raised once for their kind, scope and window, read by the page, acknowledged.
import type { Evidence, IncidentKind, IncidentScope } from "../core/incident.ts";
import { all, first, statement, type Work } from "./statement.ts";
import type { IncidentsTable } from "./tables.ts";

/** Instants are epoch ms. */
export type Incident = {
  readonly id: string;
  readonly workspaceId: string;
  readonly kind: IncidentKind;
  readonly scope: IncidentScope;
  readonly scopeId: string;
  readonly windowKey: string;
  /** What caused it, as far as it is known. */
  readonly sessionId: string | null;
  readonly agentId: string | null;
  readonly teamId: string | null;
  readonly taskId: string | null;
  readonly message: string;
  readonly evidence: Evidence;
  /** The stop that it made. */
  readonly stopId: string | null;
  readonly raisedAt: number;
  readonly acknowledged: Acknowledgement | null;
};

export type Acknowledgement = { readonly at: number; readonly by: string; readonly note: string | null };

const insert = statement((db, args: { [Column in keyof IncidentsTable]: IncidentsTable[Column] }) =>
  db
    .insertInto("incidents")
    .values({
      id: args.id,
      workspace_id: args.workspace_id,
      kind: args.kind,
      scope: args.scope,
      scope_id: args.scope_id,
      window_key: args.window_key,
      session_id: args.session_id,
      agent_id: args.agent_id,
      team_id: args.team_id,
      task_id: args.task_id,
      message: args.message,
      evidence: args.evidence,
      stop_id: args.stop_id,
      raised_at: args.raised_at,
      acknowledged_at: null,
      acknowledged_by: null,
      note: null,
    })
    .onConflict((oc) => oc.columns(["workspace_id", "kind", "scope", "scope_id", "window_key"]).doNothing())
    .returning("id"),
);

const ofAgent = statement((db, args: { workspaceId: string; kind: string; agentId: string; windowKey: string }) =>
  db
    .selectFrom("incidents")
    .select((eb) => eb.fn.countAll<bigint>().as("count"))
    .where("workspace_id", "=", args.workspaceId)
    .where("kind", "=", args.kind as IncidentKind)
    .where("scope", "=", "session")
    .where("agent_id", "=", args.agentId)
    .where("window_key", "=", args.windowKey),
);

/** How many incidents of one kind an agent's sessions caused in a window. */
export function* countOfAgent(
  workspaceId: string,
  kind: IncidentKind,
  agentId: string,
  windowKey: string,
): Work<number> {
  return Number((yield* first(ofAgent, { workspaceId, kind, agentId, windowKey }))?.count ?? 0n);
}

/** Writes it unless it was raised before; answers which. */
export function* insertIncident(incident: Omit<Incident, "acknowledged">): Work<"raised" | "was_raised"> {
  const row = yield* first(insert, {
    id: incident.id,
    workspace_id: incident.workspaceId,
    kind: incident.kind,
    scope: incident.scope,
    scope_id: incident.scopeId,
    window_key: incident.windowKey,
    session_id: incident.sessionId,
    agent_id: incident.agentId,
    team_id: incident.teamId,
    task_id: incident.taskId,
    message: incident.message,
    evidence: JSON.stringify(incident.evidence),
    stop_id: incident.stopId,
    raised_at: BigInt(incident.raisedAt),
    acknowledged_at: null,
    acknowledged_by: null,
    note: null,
  });
  return row ? "raised" : "was_raised";
}

const byId = statement((db, args: { workspaceId: string; id: string }) =>
  db.selectFrom("incidents").selectAll().where("id", "=", args.id).where("workspace_id", "=", args.workspaceId),
);

export function* findIncident(workspaceId: string, id: string): Work<Incident | undefined> {
  const row = yield* first(byId, { workspaceId, id });
  return row && toIncident(row);
}

/** Which incidents a list has; null = all. */
export type IncidentFilter = {
  readonly workspaceId: string;
  readonly kind: IncidentKind | null;
  readonly scope: IncidentScope | null;
  readonly scopeId: string | null;
  readonly agentId: string | null;
  readonly state: "open" | "acknowledged" | null;
};

type FilterArgs = {
  workspaceId: string;
  kind: string;
  scope: string;
  scopeId: string;
  agentId: string;
  below: string;
  limit: bigint;
};

/** One statement for each way to filter; which columns are asked for is in its name. */
const pages = new Map<string, ReturnType<typeof pageOf>>();

const pageOf = (kind: boolean, scope: boolean, scopeId: boolean, agentId: boolean, state: IncidentFilter["state"]) =>
  statement((db, args: FilterArgs) =>
    db
      .selectFrom("incidents")
      .selectAll()
      .where("workspace_id", "=", args.workspaceId)
      .where("id", "<", args.below)
      .$if(kind, (query) => query.where("kind", "=", args.kind as IncidentKind))
      .$if(scope, (query) => query.where("scope", "=", args.scope as IncidentScope))
      .$if(scopeId, (query) => query.where("scope_id", "=", args.scopeId))
      .$if(agentId, (query) => query.where("agent_id", "=", args.agentId))
      .$if(state === "open", (query) => query.where("acknowledged_at", "is", null))
      .$if(state === "acknowledged", (query) => query.where("acknowledged_at", "is not", null))
      .orderBy("id", "desc")
      .limit(args.limit),
  );

/** Ids of ours come before it in every collation. */
const AFTER_ALL = "z";

/** The newest first, those before `below`. */
export function* incidentsBelow(filter: IncidentFilter, limit: number, below = AFTER_ALL): Work<Incident[]> {
  const { workspaceId, kind, scope, scopeId, agentId, state } = filter;
  const asked = [kind !== null, scope !== null, scopeId !== null, agentId !== null, state] as const;
  const name = asked.join(" ");
  const page = pages.get(name) ?? pageOf(...asked);
  pages.set(name, page);
  const rows = yield* all(page, {
    workspaceId,
    kind: kind ?? "",
    scope: scope ?? "",
    scopeId: scopeId ?? "",
    agentId: agentId ?? "",
    below,
    limit: BigInt(limit),
  });
  return rows.map(toIncident);
}

const openCount = statement((db, args: { workspaceId: string }) =>
  db
    .selectFrom("incidents")
    .select((eb) => eb.fn.countAll<bigint>().as("count"))
    .where("workspace_id", "=", args.workspaceId)
    .where("acknowledged_at", "is", null),
);

/** How many nobody has acknowledged yet. */
export function* countOpenIncidents(workspaceId: string): Work<number> {
  return Number((yield* first(openCount, { workspaceId }))?.count ?? 0n);
}

const acknowledge = statement(
  (db, args: { workspaceId: string; id: string; at: bigint; by: string; note: string | null }) =>
    db
      .updateTable("incidents")
      .set({ acknowledged_at: args.at, acknowledged_by: args.by, note: args.note })
      .where("id", "=", args.id)
      .where("workspace_id", "=", args.workspaceId)
      .where("acknowledged_at", "is", null)
      .returningAll(),
);

/** Acknowledges an open one and answers it; nothing where it was not open. */
export function* acknowledgeIncident(
  workspaceId: string,
  id: string,
  { at, by, note }: Acknowledgement,
): Work<Incident | undefined> {
  const row = yield* first(acknowledge, { workspaceId, id, at: BigInt(at), by, note });
  return row && toIncident(row);
}

function toIncident(row: IncidentsTable): Incident {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    kind: row.kind,
    scope: row.scope,
    scopeId: row.scope_id,
    windowKey: row.window_key,
    sessionId: row.session_id,
    agentId: row.agent_id,
    teamId: row.team_id,
    taskId: row.task_id,
    message: row.message,
    evidence: JSON.parse(row.evidence),
    stopId: row.stop_id,
    raisedAt: Number(row.raised_at),
    acknowledged:
      row.acknowledged_at === null
        ? null
        : { at: Number(row.acknowledged_at), by: row.acknowledged_by ?? "", note: row.note },
  };
}
