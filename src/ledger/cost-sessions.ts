// The sessions behind a question about costs: the newest of them, and how many more there are.
import { type Kysely, sql } from "kysely";
import { calendarNumber } from "./calendar.ts";
import type { CostFilter } from "./costs.ts";
import { numberOf } from "./names.ts";
import { type Session, toSession } from "./session-row.ts";
import { type Arguments, all, first, statement, type Work } from "./statement.ts";
import type { SessionsTable, Tables } from "./tables.ts";

/** Further sessions are counted up to here: to count a year's takes longer than to sum their costs. */
const MOST_COUNTED = 1000;

/** Sessions opened in the days asked for, newest first, and how many there are in all (at most `MOST_COUNTED`). */
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
    if (filter.role !== null) query = query.where("role", "=", filter.role);
    if (filter.sessionId !== null) query = query.where("id", "=", filter.sessionId);
    const charged = chargedWith(filter);
    return charged ? query.where(charged) : query;
  };
  const rows = yield* all<Arguments, SessionsTable>(
    statement((db) => where(db).selectAll().orderBy("opened_at", "desc").orderBy("id", "desc").limit(BigInt(limit))),
    {},
  );
  const count = yield* first<Arguments, { count: bigint }>(
    statement((db) =>
      db
        .selectFrom(where(db).select(sql`1`.as("one")).limit(BigInt(MOST_COUNTED)).as("found"))
        .select((eb) => eb.fn.countAll<bigint>().as("count")),
    ),
    {},
  );
  return { sessions: rows.map(toSession), count: Number(count?.count ?? 0n) };
}

/** A session may name no provider or model, and its charges several: those that are counted decide. */
function chargedWith({ provider, model, tool, fromDay, toDay }: CostFilter) {
  if (provider === null && model === null && tool === null) return null;
  const conditions = [
    sql`l.session_no = (select no from names where name = sessions.id)`,
    sql`l.day between ${calendarNumber(fromDay)} and ${calendarNumber(toDay)}`,
    ...(provider === null ? [] : [sql`l.provider_no = ${numberOf(provider)}`]),
    ...(model === null ? [] : [sql`l.model_no = ${numberOf(model)}`]),
    ...(tool === null ? [] : [sql`l.tool_no = ${numberOf(tool)}`]),
  ];
  return sql<boolean>`exists (select 1 from charge_lines l where ${sql.join(conditions, sql` and `)})`;
}
