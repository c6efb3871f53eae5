// The yardstick of the report benchmark: the statements of one report, written by hand on better-sqlite3.
import Database from "better-sqlite3";

/** One report's balances (5 key columns each), in lock order. */
export type Keys = readonly (readonly string[])[];

const AMOUNTS = ["cost", "prompt", "completion", "tool_calls"].flatMap((each) => [`${each}_spent`, `${each}_held`]);
const TOTALS =
  "charges errors input_tokens output_tokens cache_read_tokens cache_write_tokens tool_calls cost_nano_usd";
const CHARGE =
  "seq session_no no model_no provider_no tool_no occurred_at recorded_after hour input_tokens output_tokens cache_read_tokens cache_write_tokens cache_write_1h_tokens tool_calls cost_nano_usd reported_nano_usd priced_nano_usd cost_source price_list_no source late latency_ms error hold_id key_hash request_hash corrects_no replaces";
/** Texts that a charge keeps as numbers. */
const NAMED = new Set(["session_no", "model_no", "provider_no", "tool_no", "price_list_no"]);
const BOOK = 2 ** 40;

const marks = (count: number) => Array(count).fill("?").join(", ");
const columns = (text: string) => text.split(" ").join(", ");

/** Reports as fast as better-sqlite3 goes: statements prepared once, plain numbers, one durable transaction each. */
export function handWritten(file: string, sessionId: string, keys: Keys) {
  const db = new Database(file, { timeout: 0 });
  for (const pragma of ["journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "cell_size_check = ON"])
    db.pragma(pragma);
  const begin = db.prepare("begin immediate");
  const session = db.prepare("select * from sessions where id = ? and workspace_id = ?");
  const duplicate = db.prepare(
    "select no, cost_nano_usd, cost_source, late, request_hash from charge_rows where session_no = (select no from names where name = ?) and key_hash = ?",
  );
  const stops = db.prepare("select * from stops where workspace_id = ? and lifted_at is null");
  const due = db.prepare("select * from holds where workspace_id = ? and state = 'held' and expires_at <= ?");
  const balances = db.prepare(`
    insert into balances (workspace_id, scope, scope_id, window_kind, window_key, ${AMOUNTS.join(", ")})
    values ${keys.map(() => `(${marks(13)})`).join(", ")}
    on conflict (workspace_id, scope, scope_id, window_kind, window_key) do update set
    ${AMOUNTS.map((amount) => `${amount} = balances.${amount} + excluded.${amount}`).join(", ")} returning *`);
  const names = db.prepare(
    "insert into names (name) values (?), (?), (?), (?), (?), (?) on conflict (name) do nothing",
  );
  const value = (column: string) =>
    column === "seq"
      ? `(select coalesce((select seq from charge_rows where seq between b.no * ${BOOK} and (b.no + 1) * ${BOOK} - 1
          order by seq desc limit 1), b.no * ${BOOK} + b.folded) + 1 from books b where b.workspace_id = ?)`
      : NAMED.has(column)
        ? "(select no from names where name = ?)"
        : "?";
  const charge = db.prepare(
    `insert into charge_rows (${columns(CHARGE)}) values (${CHARGE.split(" ").map(value).join(", ")}) returning seq`,
  );
  const totals = db.prepare(`update sessions set ${TOTALS.split(" ").map((each) => `${each} = ${each} + ?`)}
    where id = ? returning ${columns(TOTALS)}`);
  const watch =
    db.prepare(`insert into session_watch values (?, ?, 1, ?, 0, '', 0, 0) on conflict (session_id) do update set
    reports = reports + 1, tokens = tokens + excluded.tokens returning *`);
  const commit = db.prepare("commit");

  /** Books a charge of these values (in the order of the table's columns) and answers what is read back. */
  const report = (row: readonly (string | number | null)[]) => {
    const [workspace, , , model, provider, tool, now] = row as string[];
    const [input, output, cacheRead, cacheWrite, , calls, cost] = row.slice(9) as number[];
    begin.run();
    const found = session.get(sessionId, workspace) as Record<string, unknown>;
    const earlier = duplicate.get(sessionId, row[25]);
    const inForce = stops.all(workspace);
    const forgotten = due.all(workspace, now);
    const spent = [cost, 0, input, 0, output, 0, calls, 0];
    const standing = balances.all(keys.flatMap((key) => [...key, ...spent]));
    const after = totals.get(1, 0, input, output, cacheRead, cacheWrite, calls, cost, sessionId);
    names.run(model, provider, tool, row[19], "", "");
    const { seq } = charge.get(row) as { seq: number };
    const pace = watch.get(sessionId, 0, input as number);
    commit.run();
    return { seq, pace, found, earlier, inForce, forgotten, standing, after };
  };
  return { report, db };
}
