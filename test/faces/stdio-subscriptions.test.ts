// Subscriptions on standard input and output: what another process changes is heard, and the process still ends.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { expect, onTestFinished, test, vi } from "vitest";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { type World, worldOf } from "../world.ts";
import { newRoom } from "./room.ts";

const SERVER = fileURLToPath(new URL("./stdio-server.ts", import.meta.url));
const INFO = { name: "test", version: "1.0.0" };

/** A ledger in a file, and a world of ours beside the server's. */
async function place(): Promise<{ file: string; world: World; session_id: string; uri: string }> {
  const room = newRoom();
  await room.run(["costs"]);
  const ledger = await openSqlite(room.ledger);
  onTestFinished(() => ledger.close());
  const world = await worldOf({ ledger, start: Date.now() });
  const { session_id } = await world.open();
  // The server's workspace is the built-in one, and so is ours.
  return { file: room.ledger, world, session_id, uri: `budget://sessions/${session_id}` };
}

async function connected(client: Client, args: readonly string[]): Promise<{ told: string[]; pid: number }> {
  const told: string[] = [];
  client.setNotificationHandler("notifications/resources/updated", ({ params }) => void told.push(params.uri));
  const transport = new StdioClientTransport({ command: process.execPath, args: [SERVER, ...args] });
  onTestFinished(() => client.close());
  await client.connect(transport);
  return { told, pid: transport.pid ?? 0 };
}

const modernClient = () => new Client(INFO, { versionNegotiation: { mode: { pin: "2026-07-28" } } });

test("in both eras a change by another process is heard once, by each subscription, until it is ended", async () => {
  const { file, world, session_id, uri } = await place();
  const [modern, legacy] = [modernClient(), new Client(INFO)];
  const [byModern, byLegacy] = [await connected(modern, [file]), await connected(legacy, [file])];
  const first = await modern.listen({ resourceSubscriptions: [uri] });
  const second = await modern.listen({ resourceSubscriptions: [uri, "budget://sessions/ses_nobody"] });
  expect([first.honoredFilter, second.honoredFilter]).toEqual(Array(2).fill({ resourceSubscriptions: [uri] }));
  await legacy.subscribeResource({ uri });
  const began = performance.now();
  await world.call("stop", { session_id, reason: "Enough." });
  await vi.waitFor(() => expect([byModern.told, byLegacy.told]).toEqual([[uri, uri], [uri]]), { timeout: 3_000 });
  // Half a second, and what other tests take of the machine.
  expect(performance.now() - began).toBeLessThan(1_000);
  await first.close();
  await legacy.unsubscribeResource({ uri });
  await world.call("resume", { session_id, reason: "Better now." });
  await vi.waitFor(() => expect(byModern.told).toHaveLength(3), { timeout: 3_000 });
  await wait(500);
  expect([byModern.told, byLegacy.told]).toEqual([[uri, uri, uri], [uri]]);
});

test("a caller that is pinned to another agent hears nothing, and is answered like about an absent session", async () => {
  const { file, world, session_id, uri } = await place();
  const [modern, legacy] = [modernClient(), new Client(INFO)];
  const [byModern, byLegacy] = [await connected(modern, [file, "bob"]), await connected(legacy, [file, "bob"])];
  for (const each of [uri, "budget://sessions/ses_nobody"]) {
    expect((await modern.listen({ resourceSubscriptions: [each] })).honoredFilter).toEqual({});
    const error = await legacy.subscribeResource({ uri: each }).catch((fault) => fault);
    expect([error.code, error.message.replace(each, "URI")]).toEqual([-32602, "Resource not found: URI"]);
  }
  await world.call("stop", { session_id, reason: "Enough." });
  await wait(700);
  expect([byModern.told, byLegacy.told]).toEqual([[], []]);
});

test("requests sent right behind a listen are answered after it was acknowledged, and a cancelled one is silent", async () => {
  const { file, world, session_id, uri } = await place();
  const child = spawn(process.execPath, [SERVER, file], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill());
  const lines: { id?: unknown; method?: string }[] = [];
  createInterface(child.stdout).on("line", (line) => lines.push(JSON.parse(line)));
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": INFO,
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const say = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  const notifications = { resourceSubscriptions: [uri] };
  say({ id: 1, method: "subscriptions/listen", params: { notifications, _meta } });
  say({ id: 2, method: "tools/list", params: { _meta } });
  say({ id: 3, method: "subscriptions/listen", params: { notifications, _meta } });
  say({ method: "notifications/cancelled", params: { requestId: 3, _meta } });
  say({ id: 4, method: "subscriptions/listen", params: { notifications: { resourceSubscriptions: [5] }, _meta } });
  say({ id: 5, method: "resources/subscribe", params: { uri, _meta } });
  await vi.waitFor(() => expect(lines).toHaveLength(5), { timeout: 5_000 });
  expect(lines[0]?.method).toBe("notifications/subscriptions/acknowledged");
  const answers = Object.fromEntries(lines.map((line) => [line.id ?? "acknowledged", line]));
  expect(Object.keys(answers).sort()).toEqual(["2", "4", "5", "acknowledged"]);
  expect(answers[4]).toMatchObject({ error: { code: -32602 } });
  expect(answers[5]).toMatchObject({ error: { code: -32601 } });
  await world.call("stop", { session_id, reason: "Enough." });
  await wait(700);
  expect(lines.slice(5)).toEqual([
    expect.objectContaining({
      method: "notifications/resources/updated",
      params: { uri, _meta: { "io.modelcontextprotocol/subscriptionId": 1 } },
    }),
  ]);
  // A live subscription does not keep the process: nothing else is left in it.
  child.stdin.end();
  const [code] = await Promise.race([once(child, "exit"), wait(2_000, ["still there"])]);
  expect(code).toBe(0);
});
