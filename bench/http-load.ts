// Mixed load on the server with its latencies and its memory, then eight stdio processes beside it
// on one ledger, and a cap that all of them hit exactly. `node bench/http-load.ts 10` takes ten seconds for the first part.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { type Answer, ask, type Served, serveProcess } from "./http-server.ts";
import { alone, CLI, ensureBuilt, inFolder, type Row } from "./measure.ts";

const SECONDS = Number(process.argv[2] ?? 60);
/** Agents at work at one time. */
const AGENTS = 16;
const PROCESSES = 8;
/** Calls under way at one time in each process. */
const CALLERS = 2;
/** The cap is this many holds of that price. */
const HOLDS = 3_000;
const PRICE = 0.001;
const TASK = "capped";

const POLICY = `
workspace: { id: bench }
hardCaps: { maxCostCents: 100000000, maxTotalTokens: 1000000000000, maxPromptTokens: 1000000000000,
  maxCompletionTokens: 1000000000000, maxToolCalls: 1000000000, maxDuration: 86400000 }
agents: [${Array.from({ length: AGENTS }, (_, i) => `{ id: agent-${i} }`).join(", ")}]
tasks: [{ id: ${TASK}, title: Capped, tags: ["budget:${HOLDS * PRICE}"] }]
`;

export async function httpLoad(): Promise<Row[]> {
  ensureBuilt();
  return await inFolder(async (folder) => {
    const config = join(folder, "astra.yml");
    const ledger = join(folder, "ledger.db");
    writeFileSync(config, POLICY);
    const server = await serveProcess(config, ledger);
    await mixedLoad(server, Math.min(3, SECONDS)); // until the compiler is done
    const before = await residentMegabytes(server);
    const times = await mixedLoad(server, SECONDS);
    const after = await residentMegabytes(server);
    const race = await capRace(server, config, ledger);
    await server.close();
    return [...latencyRows(times), memoryRow(before, after), ...race];
  });
}

type Timed = { readonly at: number; readonly took: number };

/** Agents that open, check, hold, report, check and end, and look at the costs now and then. */
async function mixedLoad(server: Served, seconds: number): Promise<Timed[]> {
  const times: Timed[] = [];
  const from = performance.now();
  const timed = async (line: Parameters<typeof ask>[1], body?: object): Promise<Answer> => {
    const at = performance.now();
    const { answer } = await ask(server, line, body);
    times.push({ at: at - from, took: performance.now() - at });
    return answer;
  };
  const work = async (agent: string) => {
    for (let i = 0; performance.now() - from < seconds * 1000; i++) {
      const { session_id } = await timed(`POST /api/v1/agents/${agent}/sessions`, { model: "claude-haiku-4-5" });
      const session = `/api/v1/sessions/${session_id}` as const;
      for (let step = 0; step < 4; step++) {
        await timed(`POST ${session}/check`, { estimate: { input_tokens: 1000 } });
        const { hold_id } = await timed(`POST ${session}/check`, { estimate: { cost_usd: 0.01 }, hold: true });
        await timed(`POST ${session}/usage`, { input_tokens: 900, output_tokens: 100, hold_id });
      }
      await timed(`GET /api/v1/agents/${agent}/budget`);
      await timed(`POST ${session}/end`, {});
      if (i % 10 === 0) await timed("GET /costs");
    }
  };
  await Promise.all(Array.from({ length: AGENTS }, (_, i) => work(`agent-${i}`)));
  return times;
}

function latencyRows(times: readonly Timed[]): Row[] {
  const half = (SECONDS * 1000) / 2;
  const halves = [times.filter(({ at }) => at < half), times.filter(({ at }) => at >= half)] as const;
  const [first, second] = halves.map((each) => each.map(({ took }) => took).sort((a, b) => a - b)) as [
    number[],
    number[],
  ];
  const at = (sorted: readonly number[], share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  const row = (measure: string, ours: number, theirs: number, unit: string): Row => {
    return { measure, ours, theirs, unit, ratio: ours / theirs, target: null };
  };
  return [
    row(
      `mixed load, ${AGENTS} agents, ${SECONDS} s: second half against first`,
      (second.length / half) * 1000,
      (first.length / half) * 1000,
      "req/s",
    ),
    ...[0.5, 0.99, 0.999].map((share) => row(`  p${share * 100}`, at(second, share), at(first, share), "ms")),
  ];
}

async function residentMegabytes({ url, key }: Served): Promise<number> {
  const text = await (await fetch(`${url}/metrics`, { headers: { "x-api-key": key } })).text();
  return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]) / 1_048_576;
}

const memoryRow = (before: number, after: number): Row => ({
  measure: "  resident memory, end against start",
  ...{ ours: after, theirs: before, unit: "MB", ratio: after / before, target: null },
});

/** One who may hold, over whatever face; answers whether it was admitted, and settles what it held. */
type Spender = { spend(): Promise<boolean>; close(): Promise<void> };

async function capRace(server: Served, config: string, ledger: string): Promise<Row[]> {
  const spenders = await Promise.all([
    overHttp(server),
    ...Array.from({ length: PROCESSES }, (_, i) => overStdio(config, ledger, `agent-${i + 1}`)),
  ]);
  const from = performance.now();
  const admitted = await Promise.all(
    spenders.flatMap((spender) =>
      Array.from({ length: CALLERS }, async () => {
        let count = 0;
        while (await spender.spend()) count++;
        return count;
      }),
    ),
  );
  const seconds = (performance.now() - from) / 1000;
  await Promise.all(spenders.map((spender) => spender.close()));
  const total = admitted.reduce((sum, count) => sum + count, 0);
  const { answer: budget } = await ask(server, `GET /api/v1/agents/agent-0/budget?task_id=${TASK}`);
  // Throws unless the ledger is clean.
  execFileSync(process.execPath, [CLI, "ledger", "verify", "--config", config, "--ledger", ledger]);
  const exact = { least: 1 } as const;
  const spent = Number(budget.task_spent_usd);
  if (total !== HOLDS || spent !== HOLDS * PRICE) throw new Error(`not exact: ${total} holds, $${spent}`);
  const name = `cap race, ${PROCESSES} stdio processes and the server, ${seconds.toFixed(1)} s`;
  return [
    {
      measure: `${name}: admitted, against the cap`,
      ours: total,
      theirs: HOLDS,
      unit: "holds",
      ratio: total / HOLDS,
      target: exact,
    },
    {
      measure: "  spent, against the cap",
      ours: spent,
      theirs: HOLDS * PRICE,
      unit: "$",
      ratio: spent / (HOLDS * PRICE),
      target: exact,
    },
  ];
}

const HOLD = { estimate: { cost_usd: PRICE }, hold: true };
const SETTLED = { input_tokens: 0, output_tokens: 0, cost_usd: PRICE };

async function overHttp(server: Served): Promise<Spender> {
  const { answer } = await ask(server, "POST /api/v1/agents/agent-0/sessions", { task_id: TASK });
  const session = `/api/v1/sessions/${answer.session_id}` as const;
  return {
    spend: async () => {
      const { status, answer } = await ask(server, `POST ${session}/check`, HOLD);
      if (status === 402) return false;
      await ask(server, `POST ${session}/usage`, { ...SETTLED, hold_id: answer.hold_id });
      return true;
    },
    close: async () => {},
  };
}

async function overStdio(config: string, ledger: string, agent_id: string): Promise<Spender> {
  const client = new Client({ name: "bench", version: "1.0.0" });
  const args = [CLI, "stdio", "--config", config, "--ledger", ledger];
  await client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: "ignore" }));
  const call = async (name: string, args: Record<string, unknown>) => {
    const { isError, content, structuredContent } = await client.callTool({ name, arguments: args });
    if (isError) throw new Error(JSON.stringify(content));
    return structuredContent as Answer;
  };
  const { session_id } = await call("open_session", { agent_id, task_id: TASK });
  return {
    spend: async () => {
      const { hold_id } = await call("check_budget", { session_id, ...HOLD });
      if (hold_id === null) return false;
      await call("report_usage", { session_id, ...SETTLED, hold_id });
      return true;
    },
    close: () => client.close(),
  };
}

await alone(import.meta.main, httpLoad);
