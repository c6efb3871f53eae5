// Costs as the ledger grows: ten million charges against a hundred thousand of the same year, and against a scan.
import { statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { Ledger } from "../src/ledger/ledger.ts";
import { openSqlite } from "../src/ledger/sqlite.ts";
import { getCosts } from "../src/operations/get-costs.ts";
import { leaderboard } from "../src/operations/leaderboard.ts";
import { invoke, type Operation, type Principal } from "../src/operations/operation.ts";
import { verifyLedger } from "../src/operations/verify-ledger.ts";
import { foldingCost } from "./folding.ts";
import { load } from "./load.ts";
import { alone, contextOn, inFolder, median, type Row, sideBySide } from "./measure.ts";

const FEW = 100_000;
/** `ASTRA_BENCH_CHARGES=1000000` for a shorter run. */
const MANY = Number(process.env.ASTRA_BENCH_CHARGES ?? 10_000_000);
const ROUNDS = 40;
const OPERATOR: Principal = { kind: "operator", actor: "bench" };

type Question = {
  readonly measure: string;
  readonly operation: Operation;
  readonly input: Record<string, unknown>;
  /** Milliseconds at the median. */
  readonly most: number;
};

const BREAKDOWNS = ["agent", "team", "task", "user", "role", "provider", "model", "tool", "day"] as const;
const costs_ = getCosts as unknown as Operation;

function questions(nowMs: number): Question[] {
  const month = new Date(nowMs - 100 * 86_400_000).toISOString().slice(0, 7);
  const days = {
    start_date: `${month}-01`,
    end_date: `${month}-${new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 0)).getUTCDate()}`,
  };
  return [
    { measure: "get_costs (default)", operation: costs_, input: {}, most: 10 },
    ...BREAKDOWNS.map((by) => ({
      measure: `  one month by ${by}`,
      operation: costs_,
      input: { ...days, group_by: [by], limit: 0 },
      most: 50,
    })),
    ...BREAKDOWNS.map((by) => ({
      measure: `  one agent by ${by}`,
      operation: costs_,
      input: { agent_id: "agent-7", group_by: [by], limit: 0 },
      most: 50,
    })),
    ...(["day", "week", "month"] as const).flatMap((period) =>
      (["cost", "fitness"] as const).map((sort) => ({
        measure: `  leaderboard of the ${period} by ${sort}`,
        operation: leaderboard as unknown as Operation,
        input: { period, sort },
        most: 20,
      })),
    ),
  ];
}

export async function costs(): Promise<Row[]> {
  return await inFolder(async (folder) => {
    const now = Date.now();
    const files = { few: join(folder, "few.db"), many: join(folder, "many.db") };
    await load(files.few, FEW, now);
    await load(files.many, MANY, now, bar);
    const ledgers = { few: await openSqlite(files.few), many: await openSqlite(files.many) };
    await mustBeRight(ledgers.few);
    const rows: Row[] = [];
    for (const question of questions(now)) rows.push(...(await compare(question, ledgers)));
    rows.push(scan(files.many, await timed(ledgers.many, questions(now)[0] as Question, 5)));
    rows.push(sizeOf(files.many));
    rows.push(await foldingCost(folder));
    await Promise.all([ledgers.few.close(), ledgers.many.close()]);
    return rows;
  });
}

function bar(done: number, all: number): void {
  if (!process.stderr.isTTY && done < all && done % 1_000_000 !== 0) return;
  const cells = Math.round((done / all) * 30);
  const text = `loading ${"█".repeat(cells)}${"·".repeat(30 - cells)} ${done.toLocaleString("en-US")} charges`;
  process.stderr.write(process.stderr.isTTY ? `\r${text}${done < all ? "" : "\n"}` : `${text}\n`);
}

async function mustBeRight(ledger: Ledger): Promise<void> {
  const found = await invoke(verifyLedger, contextOn(ledger), OPERATOR, {});
  if (!found.ok || found.charges !== FEW) throw new Error(`the loaded ledger is not right: ${JSON.stringify(found)}`);
}

async function timed(ledger: Ledger, { operation, input }: Question, rounds: number): Promise<number[]> {
  const context = contextOn(ledger);
  const times: number[] = [];
  for (let round = -3; round < rounds; round++) {
    const from = performance.now();
    await invoke(operation, context, OPERATOR, input);
    if (round >= 0) times.push(performance.now() - from);
  }
  return times;
}

/** Against the small ledger, in turns; and what it takes in itself. */
async function compare(question: Question, ledgers: { few: Ledger; many: Ledger }): Promise<Row[]> {
  const times = { few: [] as number[], many: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 8) {
    for (const side of ["few", "many"] as const) times[side].push(...(await timed(ledgers[side], question, 8)));
  }
  const { measure, most } = question;
  return [
    {
      measure: `${measure}, against 100 k charges`,
      ...sideBySide(times.many, times.few),
      unit: "ms",
      target: { most: 2 },
    },
    {
      measure: `${measure}, of ${most} ms`,
      ours: median(times.many),
      theirs: most,
      unit: "ms",
      ratio: median(times.many) / most,
      target: { most: 1 },
    },
  ];
}

/** The old way: the same totals by agent, provider, month and tool from the charges themselves. */
function scan(file: string, ours: readonly number[]): Row {
  const db = new Database(file, { readonly: true });
  const from = performance.now();
  for (const key of ["agent_no", "provider_no", "day / 100", "tool_no"])
    db.prepare(`select ${key}, sum(cost_nano_usd) from cost_lines where day >= 20000101 group by 1`).all();
  const took = performance.now() - from;
  db.close();
  return {
    measure: "get_costs (default), against a scan",
    ours: median(ours),
    theirs: took,
    unit: "ms",
    ratio: median(ours) / took,
    target: null,
  };
}

/** The file, with its indexes, sessions, balances and sums, divided by its charges. */
function sizeOf(file: string): Row {
  const bytes = statSync(file).size / MANY;
  return {
    measure: "bytes a charge, of 180",
    ours: bytes,
    theirs: 180,
    unit: "B",
    ratio: bytes / 180,
    target: { most: 1 },
  };
}

await alone(import.meta.main, costs);
