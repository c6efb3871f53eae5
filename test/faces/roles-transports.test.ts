// MCP's own sessions at the server: they belong to the key that opened them, over Streamable HTTP and over SSE.
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { describe, expect, onTestFinished, test } from "vitest";
import { mcpAgent } from "./server-mcp.ts";
import { type Caller, callerAt, newServerRoom, type ServerRoom } from "./server-room.ts";

const MCP = { accept: "application/json, text/event-stream" };
const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "raw", version: "1" } },
};
const LIST = { jsonrpc: "2.0", id: 2, method: "tools/list" };
const INITIALIZED = { jsonrpc: "2.0", method: "notifications/initialized" };

type Pair = { room: ServerRoom; ada: Caller; eve: Caller; adaKey: string };

async function pair(): Promise<Pair> {
  const room = await newServerRoom();
  const [adaKey, eveKey] = [await room.keyOf("agent", "ada"), await room.keyOf("agent", "eve")];
  const at = (key: string) => callerAt(room.url, { "x-api-key": key });
  return { room, ada: at(adaKey), eve: at(eveKey), adaKey };
}

/** The id of a session of the 2025 revisions that the caller has opened. */
async function opened(by: Caller): Promise<Record<string, string>> {
  const { status, headers } = await by.post("/mcp", INITIALIZE, MCP);
  expect(status).toBe(200);
  const own = { ...MCP, "mcp-session-id": headers.get("mcp-session-id") ?? "", "mcp-protocol-version": "2025-06-18" };
  expect((await by.post("/mcp", INITIALIZED, own)).status).toBe(202);
  return own;
}

describe("a session of /mcp", () => {
  test("is for another key as if it were not there, also for the same agent's other key, and stays", async () => {
    const { room, ada, eve } = await pair();
    const session = await opened(ada);
    const absent = { ...session, "mcp-session-id": "00000000-0000-4000-8000-000000000000" };
    for (const other of [eve, await room.callerOf("agent", "ada"), room.owner]) {
      const [foreign, none] = [await other.post("/mcp", LIST, session), await other.post("/mcp", LIST, absent)];
      expect([foreign.status, foreign.text]).toEqual([404, none.text]);
      expect((await other.send("DELETE", "/mcp", { headers: session })).status).toBe(404);
      expect((await other.send("GET", "/mcp", { headers: session })).status).toBe(404);
    }
    expect((await ada.post("/mcp", LIST, session)).status).toBe(200);
  });

  test("lets in nobody without a key, though it is known", async () => {
    const { room, ada } = await pair();
    const session = await opened(ada);
    expect((await callerAt(room.url, {}).post("/mcp", LIST, session)).status).toBe(401);
  });
});

describe("a session of /sse", () => {
  test("works with a key, and is for another key not there", async () => {
    const { room, eve, adaKey } = await pair();
    const headers = { authorization: `Bearer ${adaKey}` };
    let endpoint = "";
    const watched = async (url: string | URL, init?: RequestInit): Promise<Response> => {
      if (init?.method === "POST") endpoint = String(url);
      return await fetch(url, init);
    };
    const transport = new SSEClientTransport(new URL("/sse", room.url), { requestInit: { headers }, fetch: watched });
    const client = new OldClient({ name: "test", version: "1.0.0" });
    onTestFinished(() => client.close());
    await client.connect(transport as Transport);
    const result = await client.callTool({ name: "open_session", arguments: {} });
    expect(result.structuredContent).toMatchObject({ agent_id: "ada", status: "open" });
    const { pathname, search } = new URL(endpoint);
    expect((await eve.post(pathname + search, LIST)).status).toBe(404);
    expect((await callerAt(room.url, {}).post(pathname + search, LIST)).status).toBe(401);
    expect((await client.listTools()).tools).toHaveLength(5);
  });

  test("is opened by nobody without a key, and is not there with --no-sse", async () => {
    const { room } = await pair();
    const stranger = await fetch(new URL("/sse", room.url));
    expect(stranger.status).toBe(401);
    const without = await newServerRoom({ settings: { sse: "left_out" } });
    expect((await without.owner.get("/sse")).status).toBe(404);
    expect((await without.owner.post("/messages?sessionId=x", LIST)).status).toBe(404);
    expect(without.logged.join("\n")).not.toContain("/sse");
  });
});

test("a session that an agent opened over MCP is its own over REST, and the other way round", async () => {
  const { room, ada, eve, adaKey } = await pair();
  const agent = await mcpAgent(room.url, adaKey);
  const { session_id } = (await agent.call("open_session")).data as { session_id: string };
  const usage = { input_tokens: 1, output_tokens: 1, cost_usd: 0.5 };
  expect((await ada.post(`/api/v1/sessions/${session_id}/usage`, usage)).status).toBe(200);
  expect((await eve.post(`/api/v1/sessions/${session_id}/usage`, usage)).status).toBe(404);
  expect((await agent.call("check_budget", { session_id })).data).toMatchObject({ daily_spent_usd: 0.5 });
  expect((await ada.post(`/api/v1/sessions/${session_id}/end`)).body).toMatchObject({ status: "success" });
  expect((await agent.call("end_session", { session_id })).data).toMatchObject({ already_ended: true });
});
