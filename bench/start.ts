// Start to first answer: from spawning the server to the answer to its first tool call, on a ledger that is there.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { openSqlite } from "../src/ledger/sqlite.ts";
import { openSession } from "../src/operations/open-session.ts";
import { invoke } from "../src/operations/operation.ts";
import { alone, BARE_SERVER, CLI, contextOn, ensureBuilt, inFolder, median, POLICY, type Row } from "./measure.ts";

const ROUNDS = 25;

export async function start(): Promise<Row[]> {
  ensureBuilt();
  return await inFolder(async (folder) => {
    const file = join(folder, "ledger.db");
    const ledger = await openSqlite(file);
    const { session_id } = await invoke(openSession, contextOn(ledger), { kind: "operator" }, SESSION);
    await ledger.close();
    const check = { name: "check_budget", arguments: { session_id, estimate: { input_tokens: 1000 } } };
    const sides = {
      ours: () => firstAnswer([CLI, "stdio", "--config", POLICY, "--ledger", file], check),
      theirs: () => firstAnswer([BARE_SERVER], { name: "noop", arguments: {} }),
      // Ours keeps compiled code between starts (module.enableCompileCache); so could a bare server.
      cached: () => firstAnswer([BARE_SERVER], { name: "noop", arguments: {} }, join(folder, "cache")),
    };
    const times = { ours: [] as Times[], theirs: [] as Times[], cached: [] as Times[] };
    for (let round = -2; round < ROUNDS; round++) {
      for (const side of ["ours", "theirs", "cached"] as const) {
        const measured = await sides[side]();
        if (round >= 0) times[side].push(measured);
      }
    }
    const row = (measure: string, step: keyof Times, yardstick: Times[], target: Row["target"]): Row => {
      const ours = median(times.ours.map((each) => each[step]));
      const theirs = median(yardstick.map((each) => each[step]));
      return { measure, ours, theirs, unit: "ms", ratio: ours / theirs, target };
    };
    return [
      row("start to first answer, against a bare SDK server", "answered", times.theirs, { most: 1.5 }),
      row("  start to initialized", "initialized", times.theirs, null),
      row("  start to first answer, both with a compile cache", "answered", times.cached, null),
    ];
  });
}

const SESSION = { agent_id: "lead-agent", task_id: "fix-typo", model: "claude-haiku-4-5" };

/** Milliseconds since the spawn. */
type Times = { readonly initialized: number; readonly answered: number };

/** Speaks to the server line by line: no client's own start is in the figure. */
async function firstAnswer(args: readonly string[], tool: unknown, cache?: string): Promise<Times> {
  const env = cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: cache };
  const from = performance.now();
  const server = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"], env });
  const ended = new Promise((done) => server.on("exit", done));
  const send = (message: object) => server.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  send({
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "bench", version: "1.0.0" } },
  });
  await lines.next();
  const initialized = performance.now() - from;
  send({ method: "notifications/initialized" });
  send({ id: 2, method: "tools/call", params: tool });
  const answer = JSON.parse(String((await lines.next()).value));
  const answered = performance.now() - from;
  server.stdin.end();
  await ended;
  if (!answer.result || answer.result.isError) throw new Error(JSON.stringify(answer));
  return { initialized, answered };
}

await alone(import.meta.main, start);
