// Start to first answer: from spawning the server to the answer to its first tool call, on a ledger that is there.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { openSqlite } from "../src/ledger/sqlite.ts";
import { openSession } from "../src/operations/open-session.ts";
import { invoke } from "../src/operations/operation.ts";
import { alone, BARE_SERVER, CLI, contextOn, ensureBuilt, inFolder, POLICY, type Row, sideBySide } from "./measure.ts";

const ROUNDS = 25;

export async function start(): Promise<Row[]> {
  ensureBuilt();
  return await inFolder(async (folder) => {
    const file = join(folder, "ledger.db");
    const ledger = await openSqlite(file);
    const { session_id } = await invoke(openSession, contextOn(ledger), { kind: "operator", actor: "bench" }, SESSION);
    await ledger.close();
    const server = [CLI, "stdio", "--config", POLICY, "--ledger", file];
    const check = (more: object) => ({ name: "check_budget", arguments: { session_id, ...more } });
    const noop = { name: "noop", arguments: {} };
    const sides = {
      ours: () => firstAnswer(server, check({})),
      theirs: () => firstAnswer([BARE_SERVER], noop),
      // An estimate by tokens needs the price list, which is loaded when it is first asked for.
      priced: () => firstAnswer(server, check({ estimate: { input_tokens: 1000 } })),
      // Ours keeps its compiled code between starts (module.enableCompileCache); so could a bare server.
      cached: () => firstAnswer([BARE_SERVER], noop, join(folder, "cache")),
    };
    const names = Object.keys(sides) as (keyof typeof sides)[];
    const times = { ours: [], theirs: [], priced: [], cached: [] } as Record<keyof typeof sides, Times[]>;
    for (let round = -2; round < ROUNDS; round++) {
      for (const name of names) {
        const measured = await sides[name]();
        if (round >= 0) times[name].push(measured);
      }
    }
    const of = (name: keyof typeof sides, step: keyof Times = "answered") => times[name].map((each) => each[step]);
    const row = (measure: string, ours: number[], theirs: number[], target: Row["target"]): Row => {
      return { measure, ...sideBySide(ours, theirs), unit: "ms", target };
    };
    return [
      row("start to first answer, against a bare SDK server", of("ours"), of("theirs"), { most: 1.5 }),
      row("  start to initialized", of("ours", "initialized"), of("theirs", "initialized"), null),
      row("  start to the answer for a priced estimate", of("priced"), of("theirs"), null),
      row("  start to first answer, both with a compile cache", of("ours"), of("cached"), null),
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
