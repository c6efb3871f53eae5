// Streamable HTTP: both eras at one address, sessions that belong to their caller, bounds, and hostile requests.
import { connect } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { legacy, modern, old } from "./http-clients.ts";
import { type HttpRoom, newHttpRoom } from "./http-room.ts";

const TOOLS = ["open_session", "report_usage", "check_budget", "end_session", "get_costs"];
const clients = { "the 2026 client": modern, "the 2025 handshake": legacy, "the SDK of 2025": old };

const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "raw", version: "1" } },
};
const ACCEPT = { "content-type": "application/json", accept: "application/json, text/event-stream" };

type Init = { headers?: Record<string, string>; method?: string; signal?: AbortSignal };
const post = (room: HttpRoom, body: unknown, init: Init = {}) =>
  fetch(new URL("/mcp", room.url), {
    method: "POST",
    ...init,
    headers: { ...ACCEPT, ...init.headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

/** Opens a 2025 session by hand; its id. */
async function session(room: HttpRoom, agent?: string): Promise<string> {
  const response = await post(room, INITIALIZE, { headers: agent === undefined ? {} : { "x-agent": agent } });
  await response.text();
  expect(response.status).toBe(200);
  return response.headers.get("mcp-session-id") ?? "";
}

const listTools = (room: HttpRoom, id: string, agent?: string) =>
  post(
    room,
    { jsonrpc: "2.0", id: 2, method: "tools/list" },
    { headers: { "mcp-session-id": id, ...(agent !== undefined && { "x-agent": agent }) } },
  );

const get = (room: HttpRoom, id: string, init: Init = {}) =>
  fetch(new URL("/mcp", room.url), {
    ...init,
    headers: { accept: "text/event-stream", "mcp-session-id": id, ...init.headers },
  });

describe.each(Object.entries(clients))("%s", (_, connectTo) => {
  test("lists the tools, opens, reports, reads the live budget and the costs", async () => {
    const room = await newHttpRoom();
    const agent = await connectTo(room.url, "ada");
    expect(agent.protocol).toBe(connectTo === modern ? "2026-07-28" : "2025-11-25");
    expect(await agent.tools()).toEqual(TOOLS);
    const { session_id } = await agent.call("open_session");
    await agent.call("report_usage", { session_id, input_tokens: 10, output_tokens: 10, cost_usd: 0.25 });
    const { verdict: _verdict, ...checked } = await agent.call("check_budget", { session_id });
    expect(await agent.read(`budget://sessions/${session_id}`)).toMatchObject(checked);
    expect(await agent.read("budget://costs/month")).toMatchObject({ total_cost_usd: 0.25, by_agent: { ada: 0.25 } });
    expect(await agent.read("budget://policy")).toMatchObject({ agents: [{ agent_id: "ada" }] });
    await agent.leave();
    expect(room.logged).toEqual([]);
  });

  test("is answered about a foreign session, an absent one and no session at all in the same words", async () => {
    const room = await newHttpRoom();
    const { session_id } = await room.world.open();
    const bob = await connectTo(room.url, "bob");
    const answers = [];
    for (const uri of [`budget://sessions/${session_id}`, "budget://sessions/ses_zzz", "budget://sessions/%20"]) {
      const error = await bob.read(uri).then(
        () => null,
        (fault) => fault as { code: number; message: string },
      );
      answers.push([error?.code, error?.message.replaceAll(uri, "URI")]);
    }
    expect(answers[0]).toEqual([-32602, expect.stringContaining("Resource not found: URI")]);
    expect(answers).toEqual([answers[0], answers[0], answers[0]]);
    await expect(bob.read("budget://nothing/here")).rejects.toMatchObject({ code: -32602 });
    await expect(bob.read("file:///etc/passwd")).rejects.toMatchObject({ code: -32602 });
    expect(await bob.call("check_budget", { session_id })).toEqual({
      error: expect.stringMatching(/^session_not_found: /),
    });
  });
});

describe("a 2025 session", () => {
  test("belongs to the caller who initialized it: to another it is the same 404 as an unknown one", async () => {
    const room = await newHttpRoom();
    const id = await session(room, "ada");
    expect((await listTools(room, id, "ada")).status).toBe(200);
    const foreign = await listTools(room, id, "bob");
    const unknown = await listTools(room, "5d5f-nobody", "bob");
    expect([foreign.status, unknown.status]).toEqual([404, 404]);
    expect(await foreign.text()).toBe(await unknown.text());
    for (const method of ["GET", "DELETE"]) {
      const response = await get(room, id, { method, headers: { "x-agent": "bob" } });
      expect(response.status, method).toBe(404);
    }
    expect((await listTools(room, id, "ada")).status).toBe(200);
  });

  test("is over when its client deletes it", async () => {
    const room = await newHttpRoom();
    const id = await session(room);
    expect((await get(room, id, { method: "DELETE" })).status).toBe(200);
    expect((await listTools(room, id)).status).toBe(404);
  });

  test("gives way to a newer one of the same caller when it is the one idle for longest, and to no other's", async () => {
    const room = await newHttpRoom({ bounds: { mostSessionsOfCaller: 2, mostSessions: 3 } });
    const other = await session(room, "bob");
    const first = await session(room, "ada");
    const second = await session(room, "ada");
    await (await listTools(room, first, "ada")).text();
    const third = await session(room, "ada");
    const statuses = [];
    for (const id of [first, second, third]) statuses.push((await listTools(room, id, "ada")).status);
    expect(statuses).toEqual([200, 404, 200]);
    expect((await listTools(room, other, "bob")).status).toBe(200);
  });

  test("is refused when every place is taken by sessions in use, until one is free", async () => {
    const room = await newHttpRoom({ bounds: { mostSessions: 2 } });
    const streams = [];
    for (const agent of ["ada", "bob"]) {
      const id = await session(room, agent);
      const leaving = new AbortController();
      streams.push({ id, leaving });
      expect((await get(room, id, { headers: { "x-agent": agent }, signal: leaving.signal })).status).toBe(200);
    }
    const refused = await post(room, INITIALIZE, { headers: { "x-agent": "eve" } });
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({
      error: { code: -32000, message: expect.stringMatching(/^Too many/) },
    });
    streams[0]?.leaving.abort();
    await vi.waitFor(async () => expect(await session(room, "eve")).not.toBe(""));
  });

  test("is closed after it was idle for long enough, but not while its stream is open", async () => {
    const room = await newHttpRoom({ bounds: { idleMs: 300 } });
    const [idle, streaming] = [await session(room), await session(room)];
    const leaving = new AbortController();
    await get(room, streaming, { signal: leaving.signal });
    await wait(800);
    expect((await listTools(room, idle)).status).toBe(404);
    expect((await listTools(room, streaming)).status).toBe(200);
    leaving.abort();
    await wait(800);
    expect((await listTools(room, streaming)).status).toBe(404);
  });

  test("may open its stream again after the connection dropped", async () => {
    const room = await newHttpRoom();
    const id = await session(room);
    const leaving = new AbortController();
    expect((await get(room, id, { signal: leaving.signal })).status).toBe(200);
    expect((await get(room, id)).status).toBe(409);
    leaving.abort();
    await vi.waitFor(async () => expect((await get(room, id)).status).toBe(200));
  });

  test("leaves no session behind when its initialize was refused", async () => {
    const room = await newHttpRoom({ bounds: { mostSessions: 1 } });
    const id = await session(room);
    const refused = await post(room, INITIALIZE, { headers: { accept: "text/html" } });
    expect(refused.status).toBe(406);
    // The one before was idle and made place; the refused one is gone, too.
    expect((await listTools(room, id)).status).toBe(404);
    expect(await session(room)).not.toBe("");
  });
});

describe("a request that cannot be right", () => {
  const cases: [what: string, send: (room: HttpRoom) => Promise<Response>, status: number, code: number | null][] = [
    [
      "another content type",
      (room) => post(room, INITIALIZE, { headers: { "content-type": "text/plain" } }),
      415,
      -32000,
    ],
    ["no content type", (room) => post(room, INITIALIZE, { headers: { "content-type": "" } }), 415, -32000],
    ["no JSON", (room) => post(room, "{"), 400, -32700],
    ["an empty body", (room) => post(room, ""), 400, -32700],
    ["a declared body over 1 MiB", (room) => post(room, " ".repeat(1_048_577)), 413, -32000],
    [
      "an initialize over 64 KiB, of which much would be kept",
      (room) =>
        post(room, { ...INITIALIZE, params: { ...INITIALIZE.params, capabilities: { x: "x".repeat(70_000) } } }),
      413,
      -32000,
    ],
    ["null", (room) => post(room, "null"), 400, -32600],
    ["a number", (room) => post(room, "5"), 400, -32600],
    ["an empty batch", (room) => post(room, "[]"), 400, -32600],
    ["an object that is no message", (room) => post(room, {}), 400, -32600],
    ["a deep nest", (room) => post(room, `${"[".repeat(200_000)}${"]".repeat(200_000)}`), 400, -32600],
    ["a call without a session", (room) => post(room, { jsonrpc: "2.0", id: 1, method: "tools/list" }), 400, -32000],
    ["an initialize without params", (room) => post(room, { ...INITIALIZE, params: {} }), 400, -32000],
    ["a GET without a session", (room) => fetch(new URL("/mcp", room.url)), 400, -32000],
    [
      "a GET of the 2026 revision",
      (room) => fetch(new URL("/mcp", room.url), { headers: { "mcp-protocol-version": "2026-07-28" } }),
      405,
      -32000,
    ],
    ["another method", (room) => fetch(new URL("/mcp", room.url), { method: "PUT", body: "{}" }), 405, -32000],
    [
      "the 2026 header without its envelope",
      (room) =>
        post(
          room,
          { jsonrpc: "2.0", id: 1, method: "tools/list" },
          { headers: { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list" } },
        ),
      400,
      -32602,
    ],
  ];

  test.each(cases)("%s is refused in JSON-RPC, with no stack and no path", async (_, send, status, code) => {
    const room = await newHttpRoom();
    const response = await send(room);
    const text = await response.text();
    expect(response.status, text).toBe(status);
    expect(JSON.parse(text)).toMatchObject({ jsonrpc: "2.0", error: { code } });
    expect(text).not.toMatch(/node_modules|\.ts|\.mjs|\bat /);
    expect(await session(room)).not.toBe("");
  });

  test("a call without a session is told which header it lacks", async () => {
    const room = await newHttpRoom();
    const response = await post(room, { jsonrpc: "2.0", id: 1, method: "tools/list" });
    expect(await response.text()).toContain("Mcp-Session-Id is required; send initialize to get one.");
  });

  test("a body that never says how long it is ends at 1 MiB, and the server goes on", async () => {
    const room = await newHttpRoom();
    const socket = connect(Number(room.url.port), "127.0.0.1");
    let answer = "";
    let sent = 0;
    socket.on("data", (chunk) => {
      answer += String(chunk);
    });
    socket.on("error", () => {});
    socket.write(
      "POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
    );
    const chunk = `10000\r\n${" ".repeat(0x10000)}\r\n`;
    while (answer === "" && !socket.destroyed && sent < 400) {
      socket.write(chunk);
      sent++;
      await wait(1);
    }
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    socket.destroy();
    expect(await session(room)).not.toBe("");
  });

  test("a body that stops half way holds nothing when its connection drops", async () => {
    const room = await newHttpRoom();
    const socket = connect(Number(room.url.port), "127.0.0.1");
    socket.write(
      "POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{",
    );
    await wait(50);
    expect(await room.connections()).toBe(1);
    socket.destroy();
    await vi.waitFor(async () => expect(await room.connections()).toBe(0));
    expect(await session(room)).not.toBe("");
  });
});

test("a fault behind a tool or a resource tells the client nothing of it, and the log all", async () => {
  const room = await newHttpRoom();
  const agents = [await modern(room.url), await legacy(room.url)];
  await room.world.ledger.close();
  for (const agent of agents) {
    const told = JSON.stringify(await agent.call("get_costs"));
    const thrown = String(await agent.read("budget://costs/month").catch((error) => error.message));
    for (const text of [told, thrown]) {
      expect(text).toContain("internal: The server failed");
      expect(text).not.toMatch(/connection|\.ts|sqlite/i);
    }
  }
  expect(room.logged.filter((text) => /connection is not open/.test(text))).toHaveLength(4);
});

test("streams whose client went before they began hold no place", async () => {
  const room = await newHttpRoom({ bounds: { mostListensOfCaller: 3, mostSessions: 3 } });
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const params = { notifications: { resourceSubscriptions: ["budget://policy"] }, _meta };
  const listen = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "subscriptions/listen", params });
  const lines = [
    "POST /mcp HTTP/1.1",
    `host: ${room.url.host}`,
    "content-type: application/json",
    "accept: application/json, text/event-stream",
    "mcp-protocol-version: 2026-07-28",
    "mcp-method: subscriptions/listen",
    `content-length: ${listen.length}`,
  ];
  const id = await session(room);
  for (let i = 0; i < 12; i++) {
    for (const head of [
      [...lines, "", listen],
      ["GET /mcp HTTP/1.1", `host: ${room.url.host}`, "accept: text/event-stream", `mcp-session-id: ${id}`, "", ""],
    ]) {
      const socket = connect(Number(room.url.port), "127.0.0.1");
      socket.on("error", () => {});
      socket.write(head.join("\r\n"), () => setTimeout(() => socket.destroy(), i % 4));
      await new Promise((closed) => socket.on("close", closed));
    }
  }
  await vi.waitFor(async () => {
    const agent = await modern(room.url);
    expect(await agent.subscribe("budget://policy")).toEqual(["budget://policy"]);
  });
  await vi.waitFor(async () => expect((await get(room, id)).status).toBe(200));
});

test("a silent stream is kept alive by comments, and a call is not", async () => {
  const room = await newHttpRoom({ bounds: { keepAliveMs: 30 } });
  const id = await session(room);
  const reader = (await get(room, id)).body?.getReader();
  for (let i = 0; i < 3; i++)
    expect(new TextDecoder().decode((await reader?.read())?.value)).toMatch(/^(: keep-alive\n\n)+$/);
  await reader?.cancel();
  expect(await (await listTools(room, id)).text()).not.toContain("keep-alive");
});

test("a call under way is answered though the server is closed meanwhile", async () => {
  const room = await newHttpRoom();
  const agents = [await modern(room.url), await legacy(room.url)];
  let release = () => {};
  const gate = new Promise<void>((open) => {
    release = open;
  });
  const queued = room.world.ledger.read;
  Object.assign(room.world.ledger, {
    read: async (...args: Parameters<typeof queued>) => {
      await gate;
      return await queued(...args);
    },
  });
  const calls = agents.map((agent) => agent.call("get_costs"));
  await wait(200);
  const closing = room.http.close(900);
  await wait(50);
  release();
  for (const call of calls) expect(await call).toMatchObject({ total_cost_usd: 0 });
  await closing;
});

test("after it is closed, open streams have ended and no request is served", async () => {
  const room = await newHttpRoom();
  const id = await session(room);
  const stream = await get(room, id);
  const told = await modern(room.url);
  await told.subscribe("budget://policy");
  await room.http.close(900);
  expect(await stream.text()).toBe("");
  const response = await post(room, INITIALIZE);
  expect(response.status).toBe(503);
  await vi.waitFor(async () => expect(await room.connections()).toBeLessThanOrEqual(3));
});

test("lists may be cached by anybody, a budget by nobody", async () => {
  const room = await newHttpRoom();
  const { session_id } = await room.world.open();
  const ask = async (method: string, params: Record<string, unknown> = {}) => {
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
      "io.modelcontextprotocol/clientCapabilities": {},
    };
    const headers = {
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": method,
      ...(typeof params.uri === "string" && { "mcp-name": params.uri }),
    };
    const response = await post(room, { jsonrpc: "2.0", id: 1, method, params: { ...params, _meta } }, { headers });
    return (await response.json()) as { result: Record<string, unknown>; error?: { code: number } };
  };
  for (const method of ["tools/list", "resources/list", "resources/templates/list"]) {
    const [first, second] = [await ask(method), await ask(method)];
    expect(first.result, method).toMatchObject({ ttlMs: 300_000, cacheScope: "public" });
    expect(first, method).toEqual(second);
  }
  for (const uri of ["budget://policy", "budget://costs/month", `budget://sessions/${session_id}`])
    expect((await ask("resources/read", { uri })).result, uri).toMatchObject({ ttlMs: 0, cacheScope: "private" });
  // The handlers of 2025 are no methods of 2026.
  expect((await ask("resources/subscribe", { uri: "budget://policy" })).error?.code).toBe(-32601);
});
