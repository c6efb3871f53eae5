// A server is gone within a second of its client, or of a signal, and nothing it has acknowledged is lost.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { CLI, newRoom, type Room } from "../faces/room.ts";
import { keysIn } from "../ledger/files.ts";
import { expectClean, sleep } from "./servers.ts";

const WITHIN_MS = 1_000;

type Message = {
  readonly id?: number;
  readonly result?: { structuredContent?: Record<string, unknown>; isError?: boolean };
};

/** A server with its pipes in our hands: what is sent when, and when each end closes. */
async function bareServer(room: Room) {
  const child = spawn(process.execPath, [CLI, "stdio"], {
    cwd: room.folder,
    env: room.env,
    stdio: ["pipe", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const answers = new Map<number, Message>();
  const waiting = new Map<number, () => void>();
  const broken: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    const message = messageOf(line);
    if (!message) return void broken.push(line);
    if (message.id === undefined) return;
    answers.set(message.id, message);
    waiting.get(message.id)?.();
  });
  let id = 0;
  const send = (method: string, params: unknown): number => {
    id += 1;
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    return id;
  };
  const answer = async (to: number): Promise<Record<string, unknown>> => {
    if (!answers.has(to)) await new Promise<void>((done) => waiting.set(to, done));
    return answers.get(to)?.result?.structuredContent ?? {};
  };
  const clientInfo = { name: "test", version: "1" };
  await answer(send("initialize", { protocolVersion: "2025-06-18", capabilities: {}, clientInfo }));
  child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" })}\n`);
  const call = (name: string, args: Record<string, unknown>) => send("tools/call", { name, arguments: args });
  return { child, call, answer, answers, broken };
}

function messageOf(line: string): Message | null {
  try {
    return JSON.parse(line) as Message;
  } catch {
    return null;
  }
}

/** Does something to the server; answers how it ended and how long that took. */
async function ending(
  child: ChildProcess,
  act: () => void,
): Promise<{ code: number | null; signal: string | null; ms: number }> {
  const from = performance.now();
  const exit = once(child, "exit");
  const closed = once(child, "close");
  act();
  const [code, signal] = (await exit) as [number | null, string | null];
  const ms = performance.now() - from;
  // What it wrote before it went may still be in the pipe.
  await Promise.race([closed, sleep(1_000)]);
  return { code, signal, ms };
}

const WAYS = [
  ["its standard input closes", (child: ChildProcess) => void child.stdin?.end()],
  ["SIGINT", (child: ChildProcess) => void child.kill("SIGINT")],
  ["SIGTERM", (child: ChildProcess) => void child.kill("SIGTERM")],
  ["SIGHUP", (child: ChildProcess) => void child.kill("SIGHUP")],
] as const;

test.each(WAYS)("an idle server that was never called ends at once on: %s; and leaves no ledger", async (_, act) => {
  const room = newRoom();
  const { child } = await bareServer(room);
  const { code, ms } = await ending(child, () => act(child));
  expect(code).toBe(0);
  expect(ms).toBeLessThan(WITHIN_MS);
  expect(existsSync(room.ledger)).toBe(false);
});

test.each(WAYS)(
  "a server in the middle of its work ends within a second on: %s; with nothing acknowledged lost",
  async (_, act) => {
    const room = newRoom();
    const { child, call, answer, answers, broken } = await bareServer(room);
    const { session_id } = await answer(call("open_session", { agent_id: "ada" }));
    const keyOf = new Map<number, string>();
    const sendOne = (i: number) => {
      const args = {
        session_id,
        input_tokens: 1,
        output_tokens: 1,
        cost_usd: 0.001,
        idempotency_key: `k${i}`,
        error: `k${i}`,
      };
      keyOf.set(call("report_usage", args), `k${i}`);
    };
    for (let i = 0; i < 200; i++) sendOne(i);
    while (answers.size < 50) await sleep(1);
    for (let i = 200; i < 300; i++) sendOne(i);
    const { code, ms } = await ending(child, () => act(child));
    expect(code).toBe(0);
    expect(ms).toBeLessThan(WITHIN_MS);
    const acknowledged = [...answers.values()].flatMap((each) => {
      const key = keyOf.get(each.id ?? 0);
      return key !== undefined && each.result?.structuredContent?.recorded === true ? [key] : [];
    });
    expect(acknowledged.length).toBeGreaterThan(40);
    // The last answer came whole, although the pipe was full.
    expect(broken).toEqual([]);
    const ledger = await openSqlite(room.ledger);
    const kept = new Set(await keysIn(ledger));
    await ledger.close();
    expect(acknowledged.filter((key) => !kept.has(key))).toEqual([]);
    await expectClean(room);
  },
);

test("what a client sent before it closed its end is recorded", async () => {
  const room = newRoom();
  const { child, call, answer } = await bareServer(room);
  const { session_id } = await answer(call("open_session", { agent_id: "ada" }));
  const { code } = await ending(child, () => {
    for (let i = 0; i < 20; i++)
      call("report_usage", { session_id, input_tokens: 1, output_tokens: 1, idempotency_key: `k${i}`, error: `k${i}` });
    child.stdin.end();
  });
  expect(code).toBe(0);
  const ledger = await openSqlite(room.ledger);
  expect(await keysIn(ledger)).toHaveLength(20);
  await ledger.close();
});

test("a server whose answers nobody reads any more ends", async () => {
  const room = newRoom();
  const { child, call, answer } = await bareServer(room);
  await answer(call("open_session", { agent_id: "ada" }));
  const { ms } = await ending(child, () => {
    child.stdout.destroy();
    for (let i = 0; i < 5; i++) call("check_budget", { agent_id: "ada" });
  });
  expect(ms).toBeLessThan(WITHIN_MS);
  await expectClean(room);
});

test("a server that waits for a locked ledger ends all the same", async () => {
  const room = newRoom();
  const { child, call, answer } = await bareServer(room);
  const { session_id } = await answer(call("open_session", { agent_id: "ada" }));
  const holder = spawn(process.execPath, [fileURLToPath(new URL("../ledger/holder.ts", import.meta.url)), room.ledger]);
  onTestFinished(() => void holder.kill("SIGKILL"));
  await once(holder.stdout, "data");
  call("report_usage", { session_id, input_tokens: 1, output_tokens: 1, idempotency_key: "waits", error: "waits" });
  await sleep(300);
  const { code, ms } = await ending(child, () => child.kill("SIGTERM"));
  expect(code).toBe(0);
  expect(ms).toBeLessThan(WITHIN_MS + 200);
  holder.kill("SIGKILL");
  await once(holder, "exit");
  const ledger = await openSqlite(room.ledger);
  expect(await keysIn(ledger)).toEqual([]);
  await ledger.close();
  await expectClean(room);
});
