// get_now on a busy workspace: many agents with limits of their own, fifty open sessions, a feed that moves.
import { join } from "node:path";
import { contextOver } from "../src/context.ts";
import { checkPolicy } from "../src/core/policy-check.ts";
import { resolvePolicy } from "../src/core/policy-resolve.ts";
import { openSqlite } from "../src/ledger/sqlite.ts";
import { getNow } from "../src/operations/get-now.ts";
import { openSession } from "../src/operations/open-session.ts";
import { invoke, type Principal } from "../src/operations/operation.ts";
import { reportUsage } from "../src/operations/report-usage.ts";
import { load, WORKSPACE, YEAR } from "./load.ts";
import { alone, inFolder, median, percentile, type Row } from "./measure.ts";

const CHARGES = Number(process.env.ASTRA_BENCH_CHARGES ?? 300_000);
const OPEN_SESSIONS = 50;
const ROUNDS = 60;
/** Milliseconds. */
const MOST = 20;
const OPERATOR: Principal = { kind: "operator", actor: "bench" };

const policyOfYear = () => {
  const teams = Array.from({ length: YEAR.teams }, (_, i) => ({ id: `team-${i}`, dailyCostLimitUsd: 1_000 }));
  const agents = Array.from({ length: YEAR.agents }, (_, i) => ({
    id: `agent-${i}`,
    team: `team-${i % YEAR.teams}`,
    dailyCostLimitUsd: 100 + i,
    quotas: { tokensPerDay: 10_000_000, tokensPerHour: 2_000_000 },
  }));
  const { file } = checkPolicy({ workspace: { id: WORKSPACE, dailyCostLimitUsd: 10_000 }, teams, agents });
  if (!file) throw new Error("the policy of this benchmark is not right");
  return resolvePolicy(file).policy;
};

export async function now(): Promise<Row[]> {
  return await inFolder(async (folder) => {
    const file = join(folder, "ledger.db");
    await load(file, CHARGES, Date.now());
    const ledger = await openSqlite(file);
    const policy = policyOfYear();
    const context = contextOver(ledger, () => policy);
    const sessions: string[] = [];
    for (let i = 0; i < OPEN_SESSIONS; i++) {
      const { session_id } = await invoke(openSession, context, OPERATOR, {
        agent_id: `agent-${i * 4}`,
        task_id: `task-${i % 20}`,
      });
      sessions.push(String(session_id));
    }
    const times: { first: number[]; next: number[] } = { first: [], next: [] };
    let after: string | undefined;
    for (let round = -5; round < ROUNDS; round++) {
      for (let i = 0; i < 5; i++) {
        const session_id = sessions[(round + 5 + i * 7) % OPEN_SESSIONS];
        const usage = { input_tokens: 1_000, output_tokens: 100, cost_usd: 0.001 };
        await invoke(reportUsage, context, OPERATOR, { session_id, ...usage });
      }
      for (const kind of ["first", "next"] as const) {
        const from = performance.now();
        const answer = await invoke(getNow, context, OPERATOR, kind === "next" && after ? { after } : {});
        if (round >= 0) times[kind].push(performance.now() - from);
        if (kind === "next") after = answer.feed_cursor;
      }
    }
    await ledger.close();
    return (["first", "next"] as const).map((kind) => ({
      measure: `get_now, ${kind === "first" ? "to begin with" : "with a cursor"} (p95 ${percentile(times[kind], 0.95).toFixed(1)} ms)`,
      ours: median(times[kind]),
      theirs: MOST,
      unit: "ms",
      ratio: median(times[kind]) / MOST,
      target: { most: 1 },
    }));
  });
}

await alone(import.meta.main, now);
