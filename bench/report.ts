// The report transaction: report_usage through the operation, against its statements hand-written on better-sqlite3.
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { openSqlite } from "../src/ledger/sqlite.ts";
import { openSession } from "../src/operations/open-session.ts";
import { invoke } from "../src/operations/operation.ts";
import { reportUsage } from "../src/operations/report-usage.ts";
import { handWritten } from "./hand-written.ts";
import { WORKSPACE } from "./load.ts";
import { alone, contextOn, inFolder, type Row, sideBySide } from "./measure.ts";

const ROUNDS = 100;
const PER_ROUND = 96;
const CALLERS = 32;
const WARM_UP = 25;
const AGENT = { kind: "agent", agentId: null } as const;

/** One caller, one after the other, on two files that begin equal; every commit is durable on both sides. */
export async function report(): Promise<Row[]> {
  return await inFolder(async (folder) => {
    const files = { ours: join(folder, "ours.db"), theirs: join(folder, "theirs.db") };
    const { sessionId, charge, keys } = await firstReport(files.ours);
    copyFileSync(files.ours, files.theirs);

    const ledger = await openSqlite(files.ours);
    const context = contextOn(ledger);
    let sent = 0;
    const ours = async () => await invoke(reportUsage, context, AGENT, argumentsOf(sessionId, sent++));
    const hand = handWritten(files.theirs, sessionId, keys);
    let written = 0;
    const theirs = () => {
      const [no, hash] = [charge[2] as number, 2 ** 40 + written++];
      hand.report([charge[0], charge[1], no + written, ...charge.slice(3, 25), hash, hash, null, null] as never);
    };

    const rounds = { ours: [] as number[], shared: [] as number[], theirs: [] as number[] };
    for (let round = -WARM_UP; round < ROUNDS; round++) {
      const times = {
        ours: await perSecond(ours),
        theirs: await perSecond(async () => theirs()),
        shared: await perSecond(async () => await Promise.all(Array.from({ length: CALLERS }, ours)), CALLERS),
      };
      if (round < 0) continue;
      for (const side of ["ours", "theirs", "shared"] as const) rounds[side].push(times[side]);
    }
    hand.db.close();
    await ledger.close();
    compare(files, sent, written);
    const unit = "reports/s";
    return [
      {
        measure: "report_usage (FULL), against hand-written SQL",
        ...sideBySide(rounds.ours, rounds.theirs),
        unit,
        target: { least: 0.7 },
      },
      {
        measure: `  ${CALLERS} callers at once, who share commits`,
        ...sideBySide(rounds.shared, rounds.theirs),
        unit,
        target: null,
      },
    ];
  });
}

/** How many reports a second one round makes; each call of `run` makes `batch` of them. */
async function perSecond(run: () => Promise<unknown>, batch = 1): Promise<number> {
  const from = performance.now();
  for (let i = 0; i < PER_ROUND; i += batch) await run();
  return (PER_ROUND * 1000) / (performance.now() - from);
}

const argumentsOf = (sessionId: string, i: number) => ({
  session_id: sessionId,
  input_tokens: 20,
  output_tokens: 5,
  cache_read_tokens: 0,
  idempotency_key: `key-${i}`,
});

/** A ledger with one session and one charge: the row and the balances that the yardstick writes are taken from it. */
async function firstReport(file: string) {
  const ledger = await openSqlite(file);
  const context = contextOn(ledger);
  const { session_id } = await invoke(openSession, context, AGENT, {
    agent_id: "lead-agent",
    task_id: "fix-typo",
    user_id: "somebody",
    model: "claude-haiku-4-5",
  });
  await invoke(reportUsage, context, AGENT, { ...argumentsOf(String(session_id), 0), idempotency_key: "first" });
  await ledger.close();
  const db = new Database(file, { readonly: true });
  const named = ["session_no", "model_no", "provider_no", "tool_no", "price_list_no"];
  const row = db.prepare("select * from charge_rows").get() as Record<string, string | number | null>;
  const name = db.prepare("select name from names where no = ?").pluck();
  // What the yardstick is told as text, as a report is: its workspace, and each name.
  const charge = Object.entries(row).map(([column, value]) =>
    column === "seq" ? WORKSPACE : named.includes(column) ? (name.get(value) as string) : value,
  );
  const keys = db.prepare("select workspace_id, scope, scope_id, window_kind, window_key from balances").raw().all();
  db.close();
  return { sessionId: String(session_id), charge, keys: keys as string[][] };
}

/** Both sides must have written the same sums per report. */
function compare(files: { ours: string; theirs: string }, ours: number, theirs: number): void {
  const sums = (file: string, reports: number) => {
    const db = new Database(file, { readonly: true });
    const sum = (sql: string) => Number(db.prepare(sql).pluck().get());
    const all = [
      sum("select count(*) from charge_rows") - reports,
      sum("select sum(cost_spent + prompt_spent + completion_spent) from balances") / (reports + 1),
      sum("select sum(cost_nano_usd + input_tokens) from charge_rows") / (reports + 1),
      sum("select sum(cost_nano_usd + charges) from sessions") / (reports + 1),
    ];
    db.close();
    return all.join(" ");
  };
  const [a, b] = [sums(files.ours, ours), sums(files.theirs, theirs)];
  if (a !== b) throw new Error(`the two sides did not do the same work: ${a} against ${b}`);
}

await alone(import.meta.main, report);
