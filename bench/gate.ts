// The gate over stdio, as Claude Code's hooks ask it before and after each tool, against a no-op tool of the same SDK.
import { appendFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { alone, BARE_SERVER, CLI, ensureBuilt, inFolder, POLICY, percentile, type Row } from "./measure.ts";

/** As Claude Code speaks. */
const ERA = "2025-11-25";
const ROUNDS = 400;
const WARM_UP = 50;
const LARGE_ROUNDS = 40;
const SUBAGENTS = 20;
const LINE_BYTES = 4096;
const MIB = 1024 * 1024;

/** What a call may take beyond a no-op, in milliseconds. */
const MOST_MS = 2;
const MOST_LARGE_MS = 30;

type Input = Readonly<Record<string, unknown>>;

export async function gate(): Promise<Row[]> {
  ensureBuilt();
  return await inFolder(async (folder) => {
    const claude = join(folder, "claude");
    const transcript = join(claude, "projects", "-bench", "11111111-2222-4333-8444-555555555555.jsonl");
    const env = { ...process.env, CLAUDE_CONFIG_DIR: claude, CLAUDECODE: "1" } as Record<string, string>;
    const ours = await connect([CLI, "stdio", "--config", POLICY, "--ledger", join(folder, "ledger.db")], env);
    const bare = await connect([BARE_SERVER], env);
    const noop = async () => void (await bare.callTool({ name: "noop", arguments: {} }));
    const ask = (input: Input) => async () => {
      const { content } = await ours.callTool({ name: "gate", arguments: { transcript_path: transcript, ...input } });
      const [answer] = content;
      if (answer?.type !== "text" || answer.text !== "{}") throw new Error(JSON.stringify(content));
    };
    append(transcript, [response("call_1")]);
    await ask({ event: "UserPromptSubmit" })();
    const idle = ask({ event: "PreToolUse", tool_use_id: "call_1", tool_name: "Bash" });
    const one = await inTurns(ROUNDS, idle, noop);
    const grown = await inTurns(ROUNDS, ask({ event: "Stop" }), noop, () => append(transcript, [response()]));
    const large = await inTurns(LARGE_ROUNDS, ask({ event: "Stop" }), noop, () => append(transcript, mebibyte()));
    const subagents = join(transcript.replace(/\.jsonl$/, ""), "subagents");
    for (let i = 0; i < SUBAGENTS; i++) append(join(subagents, `agent-a${i}.jsonl`), [response()]);
    await ask({ event: "Stop" })();
    const many = await inTurns(ROUNDS, idle, noop);
    await Promise.all([ours.close(), bare.close()]);
    return [
      ...rowsOf("nothing new", one, MOST_MS),
      ...rowsOf(`nothing new, ${SUBAGENTS} sub-agents' files`, many, MOST_MS),
      ...rowsOf("a new response, booked", grown, null),
      ...rowsOf("1 MiB of new lines with 16 responses, booked", large, MOST_LARGE_MS),
    ];
  });
}

type Times = { readonly ours: readonly number[]; readonly theirs: readonly number[] };

/** Milliseconds of each call; they take turns, so that what else the machine does hits both. */
async function inTurns(
  rounds: number,
  ours: () => Promise<void>,
  theirs: () => Promise<void>,
  before: () => void = () => {},
): Promise<Times> {
  const times: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  for (let round = -Math.min(WARM_UP, rounds); round < rounds; round++) {
    before();
    for (const [name, call] of [
      ["ours", ours],
      ["theirs", theirs],
    ] as const) {
      const from = performance.now();
      await call();
      if (round >= 0) times[name].push(performance.now() - from);
    }
  }
  return times;
}

/** The target is a difference, told as the ratio of what the call takes to what it may take. */
function rowsOf(what: string, { ours, theirs }: Times, mostMs: number | null): Row[] {
  return [0.5, 0.95].map((share) => {
    const [a, b] = [percentile(ours, share), percentile(theirs, share)];
    const most = mostMs === null ? null : (b + mostMs) / b;
    return {
      measure: `gate, ${what} (p${share * 100})${mostMs === null ? "" : `, at most ${mostMs} ms over a no-op`}`,
      ours: a,
      theirs: b,
      unit: "ms",
      ratio: a / b,
      target: most === null ? null : { most: Number(most.toFixed(1)) },
    };
  });
}

let made = 0;

function response(call?: string): unknown {
  const content = call === undefined ? [] : [{ type: "tool_use", id: call, name: "Bash", input: {} }];
  const usage = { input_tokens: 1, output_tokens: 1, cache_read_input_tokens: 10 };
  const message = { id: `msg_${made++}`, model: "claude-haiku-4-5", role: "assistant", content, usage };
  return { type: "assistant", timestamp: new Date().toISOString(), message };
}

/** As transcripts are: mostly tools' outputs, a response now and then. */
const mebibyte = (): unknown[] =>
  Array.from({ length: MIB / LINE_BYTES }, (_, i) =>
    i % 16 === 0 ? response() : { type: "user", message: { content: "x".repeat(LINE_BYTES) } },
  );

function append(file: string, lines: readonly unknown[]): void {
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}

async function connect(args: readonly string[], env: Record<string, string>): Promise<Client> {
  const client = new Client({ name: "bench", version: "1.0.0" });
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [...args], env, stderr: "inherit" }),
  );
  if (client.getNegotiatedProtocolVersion() !== ERA) throw new Error("another protocol than Claude Code speaks");
  await client.listTools();
  return client;
}

await alone(import.meta.main, gate);
