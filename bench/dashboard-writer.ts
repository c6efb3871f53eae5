// A process that reports charges at a steady pace over fifty sessions: `node dashboard-writer.ts POLICY LEDGER A_SECOND SECONDS`.
import { loadPolicy } from "../src/config.ts";
import { contextOver } from "../src/context.ts";
import { openSqlite } from "../src/ledger/sqlite.ts";
import { openSession } from "../src/operations/open-session.ts";
import { invoke } from "../src/operations/operation.ts";
import { reportUsage } from "../src/operations/report-usage.ts";

/** By the number of each charge: when it was committed, by the clock of the machine. */
export type Written = { readonly committedAt: readonly number[] };

const SESSIONS = 50;
const AGENT = { kind: "agent", agentId: null } as const;

const [config = "", file = "", aSecond = "", seconds = ""] = process.argv.slice(2);
const { policy } = loadPolicy(config);
const context = contextOver(await openSqlite(file), () => policy);
const sessions: string[] = [];
for (let i = 0; i < SESSIONS; i++) {
  const opened = await invoke(openSession, context, AGENT, {
    agent_id: `agent-${i}`,
    task_id: `task-${i % 20}`,
    model: "claude-haiku-4-5",
  });
  sessions.push(String(opened.session_id));
}

const committedAt: number[] = [];
const from = performance.now();
const all = Number(aSecond) * Number(seconds);
while (committedAt.length < all) {
  const due = Math.min(all, ((performance.now() - from) / 1_000) * Number(aSecond));
  while (committedAt.length < due) {
    const number = committedAt.length;
    // The page knows a charge by its cost.
    const usage = { input_tokens: 1_000, output_tokens: 100, cost_usd: number / 1e6 };
    await invoke(reportUsage, context, AGENT, { session_id: sessions[number % SESSIONS], ...usage });
    committedAt.push(Date.now());
  }
  await new Promise((done) => setTimeout(done, 2));
}
await context.ledger.close();
process.send?.({ committedAt } satisfies Written, () => process.disconnect());
