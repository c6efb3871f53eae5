// Costs: sums over the rollups (or one session's charges), grouped by any attribution.
import { type Kysely, sql } from "kysely";
import { SUMS, type Sums } from "./rollups.ts";
import { type Session, toSession } from "./session-row.ts";
import { type Arguments, all, first, statement, type Work } from "./statement.ts";
import type { CostsByDayTable, SessionsTable, Tables } from "./tables.ts";

export const DIMENSIONS = [
  "agent",
  "team",
  "task",
  "user",
  "role",
  "provider",
  "model",
  "tool",
  "day",
  "month",
] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** Which costs: local days, both inclusive ("YYYY-MM-DD"), and attributions that must all match. */
export type CostFilter = {
  readonly workspaceId: string;
  readonly fromDay: string;
  readonly toDay: string;
  readonly agentId: string | null;
  readonly teamId: string | null;
  readonly taskId: string | null;
  readonly userId: string | null;
  readonly provider: string | null;
  readonly sessionId: string | null;
};

export type CostGroup = Sums & { readonly key: string };

/** The groups of one dimension, largest cost first; "" is what has no such attribution. */
export function* costsBy(dimension: Dimension, filter: CostFilter): Work<readonly CostGroup[]> {
  const source = sourceOf(filter, dimension);
  return yield* all(
    statement((db) =>
      selectSource(db, source, filter)
        .select(keyColumn(dimension, source).as("key"))
        .groupBy(keyColumn(dimension, source))
        .orderBy("cost_nano_usd", "desc")
        .orderBy("key"),
    ),
    {},
  );
}

/** The sums over everything the filter lets through. */
export function* costTotals(filter: CostFilter): Work<Sums> {
  const row = yield* first(
    statement((db) => selectSource(db, sourceOf(filter, "month"), filter)),
    {},
  );
  return row ?? (Object.fromEntries(SUMS.map((column) => [column, 0n])) as Sums);
}

type Source = "months" | "days" | "session";

/** The small month table answers whole months by its own dimensions; the day table the rest; charges one session. */
function sourceOf(filter: CostFilter, dimension: Dimension): Source {
  if (filter.sessionId !== null) return "session";
  const isWholeMonths = filter.fromDay.endsWith("-01") && filter.toDay === lastDayOf(filter.toDay);
  const isCoarse = filter.teamId === null && filter.taskId === null && filter.userId === null;
  const hasDimension =
    dimension === "agent" || dimension === "provider" || dimension === "tool" || dimension === "month";
  return isWholeMonths && isCoarse && hasDimension ? "months" : "days";
}

/** The last day of a day's month. */
export function lastDayOf(day: string): string {
  return new Date(Date.UTC(Number(day.slice(0, 4)), Number(day.slice(5, 7)), 0)).toISOString().slice(0, 10);
}

/** Both rollups and a session's charge lines under one shape: the day table's. */
function selectSource(db: Kysely<Tables>, source: Source, filter: CostFilter) {
  const table =
    source === "months"
      ? sql<CostsByDayTable>`costs_by_month`
      : source === "days"
        ? sql<CostsByDayTable>`costs_by_day`
        : chargeLines(filter.sessionId);
  const range =
    source === "months"
      ? sql<boolean>`costs.month between ${filter.fromDay.slice(0, 7)} and ${filter.toDay.slice(0, 7)}`
      : sql<boolean>`costs.day between ${filter.fromDay} and ${filter.toDay}`;
  let query = db.selectFrom(table.as("costs")).where("costs.workspace_id", "=", filter.workspaceId).where(range);
  if (filter.agentId !== null) query = query.where("costs.agent_id", "=", filter.agentId);
  if (filter.provider !== null) query = query.where("costs.provider", "=", filter.provider);
  if (filter.teamId !== null) query = query.where("costs.team_id", "=", filter.teamId);
  if (filter.taskId !== null) query = query.where("costs.task_id", "=", filter.taskId);
  if (filter.userId !== null) query = query.where("costs.user_id", "=", filter.userId);
  return query.select(SUMS.map((column) => sql<bigint>`coalesce(sum(${sql.ref(`costs.${column}`)}), 0)`.as(column)));
}

function keyColumn(dimension: Dimension, source: Source) {
  if (dimension === "day") return sql<string>`costs.day`;
  if (dimension === "month")
    return source === "months" ? sql<string>`costs.month` : sql<string>`substr(costs.day, 1, 7)`;
  const column =
    dimension === "agent" || dimension === "team" || dimension === "task" || dimension === "user"
      ? `${dimension}_id`
      : dimension;
  return sql<string>`${sql.ref(`costs.${column}`)}`;
}

/** Charges as lines (of one session, or all): each charge without its listed tools, then the tools. They sum to it. */
export function chargeLines(sessionId: string | null) {
  const attribution = sql`c.workspace_id, substr(c.hour, 1, 10) as day, substr(c.hour, 1, 7) as month, c.agent_id,
    coalesce(c.team_id, '') as team_id, coalesce(c.task_id, '') as task_id, coalesce(c.user_id, '') as user_id,
    coalesce(c.role, '') as role, coalesce(c.provider, '') as provider, coalesce(c.model, '') as model`;
  const which = sessionId === null ? sql`1 = 1` : sql`c.session_id = ${sessionId}`;
  return sql<CostsByDayTable>`(
    select ${attribution}, coalesce(c.tool, '') as tool, 1 as charges,
      case when c.cost_source = 'unpriced' then 1 else 0 end as unpriced,
      c.input_tokens, c.output_tokens, c.cache_read_tokens, c.cache_write_tokens,
      c.tool_calls - coalesce((select sum(t.calls) from charge_tools t where t.charge_id = c.id), 0) as tool_calls,
      c.cost_nano_usd - coalesce((select sum(t.cost_nano_usd) from charge_tools t where t.charge_id = c.id), 0) as cost_nano_usd
    from charges c where ${which}
    union all
    select ${attribution}, t.tool, 0, 0, 0, 0, 0, 0, t.calls, t.cost_nano_usd
    from charges c join charge_tools t on t.charge_id = c.id where ${which})`;
}

/** Sessions opened in the days asked for, newest first, and how many there are in all. */
export function* sessionsOf(
  filter: CostFilter,
  fromMs: number,
  toMs: number,
  limit: number,
): Work<{ sessions: Session[]; count: number }> {
  const where = (db: Kysely<Tables>) => {
    let query = db
      .selectFrom("sessions")
      .where("workspace_id", "=", filter.workspaceId)
      .where("opened_at", ">=", BigInt(fromMs))
      .where("opened_at", "<", BigInt(toMs));
    if (filter.agentId !== null) query = query.where("agent_id", "=", filter.agentId);
    if (filter.teamId !== null) query = query.where("team_id", "=", filter.teamId);
    if (filter.taskId !== null) query = query.where("task_id", "=", filter.taskId);
    if (filter.userId !== null) query = query.where("user_id", "=", filter.userId);
    // A session may name no provider, and its charges several: those that are counted decide.
    const { provider } = filter;
    if (provider !== null) {
      query = query.where(({ exists, selectFrom }) =>
        exists(
          selectFrom("charges")
            .select("charges.id")
            .whereRef("charges.session_id", "=", "sessions.id")
            .where("charges.provider", "=", provider),
        ),
      );
    }
    if (filter.sessionId !== null) query = query.where("id", "=", filter.sessionId);
    return query;
  };
  const rows = yield* all<Arguments, SessionsTable>(
    statement((db) => where(db).selectAll().orderBy("opened_at", "desc").orderBy("id", "desc").limit(BigInt(limit))),
    {},
  );
  const count = yield* first<Arguments, { count: bigint }>(
    statement((db) => where(db).select((eb) => eb.fn.countAll<bigint>().as("count"))),
    {},
  );
  return { sessions: rows.map(toSession), count: Number(count?.count ?? 0n) };
}
