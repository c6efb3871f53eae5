// The yardstick of the report benchmark: the statements of one report, written by hand on better-sqlite3.
import Database from "better-sqlite3";

/** One report's balances (5 key columns each), in lock order. */
export type Keys = readonly (readonly string[])[];

const AMOUNTS = ["cost", "prompt", "completion", "tool_calls"].flatMap((each) => [`${each}_spent`, `${each}_held`]);
const SUMS =
  "charges unpriced input_tokens output_tokens cache_read_tokens cache_write_tokens tool_calls cost_nano_usd";
const DAY = "workspace_id day agent_id team_id task_id user_id role provider model tool";
const MONTH = "workspace_id month agent_id provider tool";
const TOTALS =
  "charges errors input_tokens output_tokens cache_read_tokens cache_write_tokens tool_calls cost_nano_usd";
const CHARGE =
  "id workspace_id session_id agent_id role team_id task_id user_id model provider tool occurred_at recorded_at hour input_tokens output_tokens cache_read_tokens cache_write_tokens cache_write_1h_tokens tool_calls cost_nano_usd reported_nano_usd priced_nano_usd cost_source price_list source late latency_ms error hold_id idempotency_key request";

const marks = (count: number) => Array(count).fill("?").join(", ");
const columns = (text: string) => text.split(" ").join(", ");

function rollup(table: string, key: string): string {
  const set = SUMS.split(" ").map((sum) => `${sum} = ${table}.${sum} + excluded.${sum}`);
  return `insert into ${table} (${columns(key)}, ${columns(SUMS)}) values (${marks(key.split(" ").length + 8)})
    on conflict (${columns(key)}) do update set ${set.join(", ")}`;
}

/** Reports as fast as better-sqlite3 goes: statements prepared once, plain numbers, one durable transaction each. */
export function handWritten(file: string, sessionId: string, keys: Keys) {
  const db = new Database(file, { timeout: 0 });
  for (const pragma of ["journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "cell_size_check = ON"])
    db.pragma(pragma);
  const begin = db.prepare("begin immediate");
  const session = db.prepare("select * from sessions where id = ? and workspace_id = ?");
  const duplicate = db.prepare(
    "select id, cost_nano_usd, cost_source, late, request from charges where session_id = ? and idempotency_key = ?",
  );
  const stops = db.prepare("select * from stops where workspace_id = ? and lifted_at is null");
  const due = db.prepare("select * from holds where workspace_id = ? and state = 'held' and expires_at <= ?");
  const balances = db.prepare(`
    insert into balances (workspace_id, scope, scope_id, window_kind, window_key, ${AMOUNTS.join(", ")})
    values ${keys.map(() => `(${marks(13)})`).join(", ")}
    on conflict (workspace_id, scope, scope_id, window_kind, window_key) do update set
    ${AMOUNTS.map((amount) => `${amount} = balances.${amount} + excluded.${amount}`).join(", ")} returning *`);
  const charge = db.prepare(`insert into charges (${columns(CHARGE)}) values (${marks(32)})`);
  const totals = db.prepare(`update sessions set ${TOTALS.split(" ").map((each) => `${each} = ${each} + ?`)}
    where id = ? returning ${columns(TOTALS)}`);
  const day = db.prepare(rollup("costs_by_day", DAY));
  const month = db.prepare(rollup("costs_by_month", MONTH));
  const commit = db.prepare("commit");

  /** Books a charge of these values (in the order of the table's columns) and answers what is read back. */
  const report = (row: readonly (string | number | null)[]) => {
    const [id, workspace, , agent, role, team, task, user, model, provider, , , now, hour] = row as string[];
    const [input, output, cacheRead, cacheWrite, , calls, cost] = row.slice(14) as number[];
    const sums = [1, 0, input, output, cacheRead, cacheWrite, calls, cost];
    begin.run();
    const found = session.get(sessionId, workspace) as Record<string, unknown>;
    const earlier = duplicate.get(sessionId, row[30]);
    const inForce = stops.all(workspace);
    const forgotten = due.all(workspace, now);
    const spent = [cost, 0, input, 0, output, 0, calls, 0];
    const standing = balances.all(keys.flatMap((key) => [...key, ...spent]));
    charge.run(row);
    const after = totals.get(1, 0, input, output, cacheRead, cacheWrite, calls, cost, sessionId);
    day.run(workspace, hour?.slice(0, 10), agent, team, task, user, role ?? "", provider ?? "", model, "", ...sums);
    month.run(workspace, hour?.slice(0, 7), agent, provider ?? "", "", ...sums);
    commit.run();
    return { id, found, earlier, inForce, forgotten, standing, after };
  };
  return { report, db };
}
