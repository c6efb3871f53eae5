// What the sums cost a report: thousands of reports of many agents, with the folding and without its share of the time.
import { join } from "node:path";
import { FOLD_EVERY } from "../src/ledger/fold.ts";
import { openSqlite } from "../src/ledger/sqlite.ts";
import { openSession } from "../src/operations/open-session.ts";
import { invoke } from "../src/operations/operation.ts";
import { reportUsage } from "../src/operations/report-usage.ts";
import { contextOn, median, type Row } from "./measure.ts";

const AGENT = { kind: "agent", agentId: null } as const;
const AGENTS = 100;
const FOLDS = 6;

/** Every so many reports one of them folds: what it takes longer than its neighbours is the price of the sums. */
export async function foldingCost(folder: string): Promise<Row> {
  const ledger = await openSqlite(join(folder, "folding.db"));
  const context = contextOn(ledger);
  const sessions: string[] = [];
  for (let i = 0; i < AGENTS; i++) {
    const opened = await invoke(openSession, context, AGENT, {
      agent_id: `agent-${i}`,
      task_id: `task-${i % 50}`,
      user_id: `user-${i % 70}`,
      model: ["claude-haiku-4-5", "gpt-5-mini", "claude-sonnet-4-5"][i % 3],
    });
    sessions.push(String(opened.session_id));
  }
  const every = Number(FOLD_EVERY);
  let folding = 0;
  let all = 0;
  for (let fold = 0; fold < FOLDS; fold++) {
    const times: number[] = [];
    for (let i = 0; i < every; i++) {
      const from = performance.now();
      await invoke(reportUsage, context, AGENT, {
        session_id: sessions[i % AGENTS],
        input_tokens: 20,
        output_tokens: 5,
        ...(i % 3 === 0 ? { tool: `tool-${i % 30}` } : {}),
      });
      times.push(performance.now() - from);
    }
    folding += Math.max(0, (times.at(-1) ?? 0) - median(times));
    all += times.reduce((sum, time) => sum + time, 0);
  }
  await ledger.close();
  const reports = FOLDS * every;
  return {
    measure: "reports a second, against reports without sums",
    ours: (reports * 1000) / all,
    theirs: (reports * 1000) / (all - folding),
    unit: "reports/s",
    ratio: (all - folding) / all,
    target: { least: 0.85 },
  };
}
