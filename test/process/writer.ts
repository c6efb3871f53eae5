// A process of its own that reports usage, without pause or politely, and says how long each write took.
import { contextOver } from "../../src/context.ts";
import { BUILT_IN_POLICY } from "../../src/core/policy-resolve.ts";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { openSession } from "../../src/operations/open-session.ts";
import { invoke } from "../../src/operations/operation.ts";
import { reportUsage } from "../../src/operations/report-usage.ts";

const [file = "", agentId = "", pauseMs = "0", startAt = "0", forMs = "0"] = process.argv.slice(2);
const context = contextOver(await openSqlite(file), () => BUILT_IN_POLICY);
const agent = { kind: "agent", agentId } as const;
const { session_id } = await invoke(openSession, context, agent, {});
const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

const usage = { session_id, input_tokens: 1, output_tokens: 1, cost_usd: 0.000001 };
const write = () => invoke(reportUsage, context, agent, usage);

// Waiting is measured, not how long a new process takes to get warm.
for (let i = 0; i < 100; i++) await write();
await sleep(Math.max(0, Number(startAt) - Date.now()));
const end = performance.now() + Number(forMs);
const waits: number[] = [];
while (performance.now() < end) {
  const from = performance.now();
  await write();
  waits.push(performance.now() - from);
  if (Number(pauseMs) > 0) await sleep(Number(pauseMs));
}
await context.ledger.close();
waits.sort((a, b) => a - b);
process.stdout.write(
  JSON.stringify({ writes: waits.length, p95: waits[Math.floor(waits.length * 0.95)], max: waits.at(-1) }),
);
