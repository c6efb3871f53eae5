// Verify, for executions: the windows' sums against the ended sessions, whose scores SQL computes once more.
import { sql } from "kysely";
import { executionWindows } from "../core/execution.ts";
import type { Difference } from "./difference.ts";
import { EXECUTION_SUMS, type ExecutionSums } from "./executions.ts";
import { all, statement, type Work } from "./statement.ts";

const everyWindow = statement((db) => db.selectFrom("executions_by_window").selectAll());

const ofDays = statement((db) =>
  db
    .selectFrom("execution_log")
    .where("ended_hour", "is not", null)
    .groupBy(["workspace_id", "agent_id", sql`substr(ended_hour, 1, 10)`])
    .select(["workspace_id", "agent_id", sql<string>`substr(ended_hour, 1, 10)`.as("day")])
    .select((eb) => [
      eb.fn.countAll<bigint>().as("executions"),
      sql<bigint>`sum(case when outcome = 'success' then 1 else 0 end)`.as("successes"),
      eb.fn.sum<bigint>("latency_ms").as("latency_ms"),
      eb.fn.sum<bigint>("score_ppm").as("score_ppm"),
    ]),
);

export function* compareExecutions(): Work<Difference[]> {
  const stored = new Map(
    (yield* all(everyWindow, {})).map((row) => [
      `${row.workspace_id}: ${row.window_kind} ${row.window_key} ${row.agent_id}`,
      row as ExecutionSums,
    ]),
  );
  const computed = new Map<string, ExecutionSums>();
  for (const row of yield* all(ofDays, {})) {
    for (const { kind, key } of executionWindows(row.day)) {
      const text = `${row.workspace_id}: ${kind} ${key} ${row.agent_id}`;
      computed.set(text, sumOf(computed.get(text), row));
    }
  }
  return [...new Set([...stored.keys(), ...computed.keys()])]
    .map((key) => ({
      what: "execution" as const,
      key,
      stored: textOf(stored.get(key)),
      computed: textOf(computed.get(key)),
    }))
    .filter((each) => each.stored !== each.computed);
}

function sumOf(a: ExecutionSums | undefined, b: ExecutionSums): ExecutionSums {
  return Object.fromEntries(EXECUTION_SUMS.map((sum) => [sum, (a?.[sum] ?? 0n) + b[sum]])) as ExecutionSums;
}

function textOf(sums: ExecutionSums | undefined): string {
  return sums ? EXECUTION_SUMS.map((sum) => `${sum} ${sums[sum]}`).join(", ") : "nothing";
}
