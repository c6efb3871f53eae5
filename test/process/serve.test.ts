// The HTTP server under load: caps stay exact beside stdio servers, and whatever ends it, nothing acknowledged is lost.
import { readFileSync } from "node:fs";
import { Agent, get, type IncomingMessage } from "node:http";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { newRoom, type Room } from "../faces/room.ts";
import { type ServerProcess, startServer } from "../faces/server-process.ts";
import { keysIn } from "../ledger/files.ts";
import { ask, expectClean, leaveAll, noonZone, sleep, startServers } from "./servers.ts";

type Reply = { readonly status: number; readonly body: Record<string, unknown> };

const UNLIMITED = ["--rate-limit", "0"];

async function post(server: ServerProcess, path: string, body: unknown, key?: string): Promise<Reply> {
  const response = await fetch(new URL(path, server.url), {
    method: "POST",
    headers: {
      "x-api-key": server.ownerKey,
      "content-type": "application/json",
      ...(key === undefined ? {} : { "idempotency-key": key }),
    },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const POLICY = `
workspace: { timezone: "${noonZone()}" }
hardCaps: { maxCostCents: 100000, maxToolCalls: 100000, maxTotalTokens: 100000000, maxPromptTokens: 100000000, maxCompletionTokens: 100000000 }
teams: [{ id: night, dailyCostLimitUsd: 0.3 }]
agents: [{ id: ada, team: night }]
`;

test("callers of one HTTP server and of four stdio servers admit exactly the cap between them", async () => {
  const room = newRoom(POLICY);
  const server = await startServer(room, UNLIMITED);
  const others = await startServers(room, 4);
  const opened = await post(server, "api/v1/agents/ada/sessions", {});
  const session_id = String(opened.body.session_id);
  const hold = { estimate: { cost_usd: 0.001 }, hold: true };

  const overHttp = async (): Promise<number> => {
    for (let admitted = 0; ; admitted++) {
      const held = await post(server, `api/v1/sessions/${session_id}/check`, hold);
      if (held.status === 402) return admitted;
      expect(held.status).toBe(200);
      const usage = { input_tokens: 0, output_tokens: 0, cost_usd: 0.001, hold_id: held.body.hold_id };
      expect((await post(server, `api/v1/sessions/${session_id}/usage`, usage)).status).toBe(200);
    }
  };
  const overStdio = async (agent: (typeof others)[number]): Promise<number> => {
    for (let admitted = 0; ; admitted++) {
      const { hold_id } = await ask(agent, "check_budget", { session_id, ...hold });
      if (hold_id === null) return admitted;
      const usage = { session_id, input_tokens: 0, output_tokens: 0, cost_usd: 0.001, hold_id };
      await ask(agent, "report_usage", usage);
    }
  };
  const admitted = await Promise.all([...Array.from({ length: 8 }, overHttp), ...others.map(overStdio)]);
  expect(admitted.reduce((sum, count) => sum + count, 0)).toBe(300);
  await leaveAll(others);
  expect(await server.stop()).toBe(0);
  await expectClean(room);
});

/** Reports under keys until the server is gone; the keys it acknowledged. */
async function reportUntilGone(server: ServerProcess, sessionId: string, caller: number): Promise<string[]> {
  const acknowledged: string[] = [];
  for (let i = 0; ; i++) {
    const key = `${caller}-${i}`;
    try {
      const usage = { input_tokens: 1, output_tokens: 1, cost_usd: 0.000001, error: key };
      const { status } = await post(server, `api/v1/sessions/${sessionId}/usage`, usage, key);
      if (status !== 200) return acknowledged;
      acknowledged.push(key);
    } catch {
      return acknowledged;
    }
  }
}

async function keysOf(room: Room): Promise<Set<string>> {
  const ledger = await openSqlite(room.ledger);
  try {
    return new Set(await keysIn(ledger));
  } finally {
    await ledger.close();
  }
}

test.each(["SIGTERM", "SIGKILL"] as const)("what was acknowledged before %s is in the ledger", async (signal) => {
  const room = newRoom(POLICY);
  const server = await startServer(room, UNLIMITED);
  const { body } = await post(server, "api/v1/agents/ada/sessions", {});
  const callers = Array.from({ length: 24 }, (_, i) => reportUntilGone(server, String(body.session_id), i));
  await sleep(700);
  const code = await server.stop(signal);
  const acknowledged = (await Promise.all(callers)).flat();
  const keys = await keysOf(room);
  expect(acknowledged.length).toBeGreaterThan(24);
  expect(acknowledged.filter((key) => !keys.has(key))).toEqual([]);
  if (signal === "SIGTERM") {
    expect(code).toBe(0);
    // It finished what it had begun: nothing was recorded that its caller does not know of.
    expect(keys.size).toBe(acknowledged.length);
  }
  await expectClean(room);
});

test("what is under way over REST, /mcp and /sse when it is told to stop is answered first", async () => {
  const room = newRoom(POLICY);
  const server = await startServer(room, UNLIMITED);
  const headers = { authorization: `Bearer ${server.ownerKey}` };
  const old = (transport: unknown) => {
    const client = new OldClient({ name: "test", version: "1.0.0" });
    return client.connect(transport as Transport).then(() => client);
  };
  const clients = [
    await old(new OldTransport(new URL("mcp", server.url), { requestInit: { headers } })),
    await old(new SSEClientTransport(new URL("sse", server.url), { requestInit: { headers } })),
  ];
  const { body } = await post(server, "api/v1/agents/ada/sessions", {});
  const usage = { input_tokens: 1, output_tokens: 1, cost_usd: 0.000001 };
  // Another process holds the ledger's lock: nothing can be answered before it lets go.
  const holder = new Database(room.ledger);
  holder.exec("begin immediate");
  const answers = [
    post(server, `api/v1/sessions/${body.session_id}/usage`, usage).then(({ status }) => status === 200),
    ...clients.map(async (client) => {
      const args = { session_id: body.session_id, ...usage };
      return (await client.callTool({ name: "report_usage", arguments: args })).isError !== true;
    }),
  ];
  await sleep(300);
  const stopped = server.stop();
  await sleep(1_500);
  holder.exec("rollback");
  holder.close();
  expect(await Promise.all(answers)).toEqual([true, true, true]);
  expect(await stopped).toBe(0);
  await Promise.all(clients.map((client) => client.close()));
  await expectClean(room);
});

/** Resident memory of a process in MB, and how long it was at work in ms. */
function useOf(pid: number): { memory: number; cpu: number } {
  const memory = Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
  const [user = 0, system = 0] = readFileSync(`/proc/${pid}/stat`, "utf8").split(" ").slice(13, 15).map(Number);
  return { memory, cpu: (user + system) * 10 };
}

test.skipIf(process.platform !== "linux")(
  "a thousand idle SSE connections cost little, and nothing once they are gone",
  async () => {
    const room = newRoom(POLICY);
    const server = await startServer(room, UNLIMITED);
    const pid = server.child.pid ?? 0;
    const headers = { "x-api-key": server.ownerKey, accept: "text/event-stream" };
    const agent = new Agent({ keepAlive: false });
    const open = () =>
      new Promise<IncomingMessage>((resolve, reject) => {
        get(new URL("sse", server.url), { headers, agent }, (response) => {
          response.once("data", () => resolve(response));
        }).on("error", reject);
      });
    const before = useOf(pid);
    const streams: IncomingMessage[] = [];
    while (streams.length < 1_000) streams.push(...(await Promise.all(Array.from({ length: 50 }, open))));
    const opened = useOf(pid);
    await sleep(2_000);
    const idle = useOf(pid);
    // Measured: about 60 kB a connection, and next to no work. The bounds are for a machine that does other things too.
    expect(opened.memory - before.memory).toBeLessThan(200);
    expect(idle.cpu - opened.cpu).toBeLessThan(500);
    const { body } = await post(server, "api/v1/agents/ada/sessions", {});
    expect(body).toMatchObject({ status: "open" });
    for (const stream of streams) stream.destroy();
    await sleep(500);
    const again = await Promise.all(Array.from({ length: 50 }, open));
    expect(again).toHaveLength(50);
    for (const stream of again) stream.destroy();
    expect(await server.stop()).toBe(0);
  },
);

test("open streams do not keep a server that is told to stop", async () => {
  const room = newRoom(POLICY);
  const server = await startServer(room, UNLIMITED);
  const headers = { "x-api-key": server.ownerKey, accept: "text/event-stream" };
  const streams = await Promise.all(Array.from({ length: 5 }, () => fetch(new URL("sse", server.url), { headers })));
  for (const stream of streams) expect(stream.status).toBe(200);
  const from = performance.now();
  expect(await server.stop()).toBe(0);
  expect(performance.now() - from).toBeLessThan(5_000);
  await Promise.all(streams.map((stream) => stream.text().catch(() => "")));
});
