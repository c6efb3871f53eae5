// The doors of a server: by which Host and from which Origin it is reached, and who may open it without keys.
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { mcpAgent } from "./server-mcp.ts";
import { callerAt, newServerRoom, rawRequest, type ServerRoom } from "./server-room.ts";

/** One route of every kind. */
const KINDS = [
  ["GET", "/"],
  ["GET", "/assets/app.js"],
  ["POST", "/auth/session"],
  ["GET", "/healthz"],
  ["GET", "/readyz"],
  ["GET", "/.well-known/oauth-protected-resource"],
  ["GET", "/metrics"],
  ["GET", "/openapi.json"],
  ["GET", "/costs"],
  ["GET", "/api/v1/sessions"],
  ["POST", "/api/v1/agents/ada/sessions"],
  ["POST", "/auth/token"],
  ["POST", "/mcp"],
  ["GET", "/sse"],
  ["GET", "/events"],
  ["POST", "/messages?sessionId=x"],
  ["GET", "/leaderboard"],
  ["GET", "/no/such/route"],
  ["OPTIONS", "/mcp"],
] as const;

const FOREIGN_HOSTS = ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", "[::2]"];
const FOREIGN_ORIGINS = [
  "https://evil.example",
  "null",
  "http://127.0.0.1.evil.example",
  "file://",
  "chrome-extension://abc",
  "nonsense",
];

describe("the server answers 403, key or no key, on every kind of route", () => {
  test.each(FOREIGN_HOSTS)("to the Host %j", async (host) => {
    const room = await newServerRoom();
    for (const [method, path] of KINDS) {
      const { status, body } = await rawRequest(room.url, method, path, { ...room.owner.headers, host });
      expect([status, body.code], `${method} ${path}`).toEqual([403, "host_not_allowed"]);
    }
  });

  test.each(FOREIGN_ORIGINS)("to a page of the Origin %s", async (origin) => {
    const room = await newServerRoom();
    for (const [method, path] of KINDS) {
      const headers = { ...room.owner.headers, host: room.url.host, origin };
      const { status, body } = await rawRequest(room.url, method, path, headers);
      expect([status, body.code], `${method} ${path}`).toEqual([403, "origin_not_allowed"]);
    }
    expect((await room.owner.get("/api/v1/sessions")).body.sessions).toEqual([]);
  });
});

/** The answer to a request as it is written, byte by byte. */
async function written({ url }: ServerRoom, lines: readonly string[]): Promise<string> {
  const socket = connect(Number(url.port), url.hostname);
  socket.end(`${[...lines, "Connection: close"].join("\r\n")}\r\n\r\n`);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

test.each([
  ["no Host", ["GET /costs HTTP/1.1"]],
  ["no Host, as of old", ["GET /costs HTTP/1.0"]],
  ["an empty Host", ["GET /costs HTTP/1.1", "Host:"]],
  ["a user in the Host", ["GET /costs HTTP/1.1", "Host: user@127.0.0.1"]],
  ["a path in the Host", ["GET /costs HTTP/1.1", "Host: evil.example/127.0.0.1"]],
  ["a port that is none", ["GET /costs HTTP/1.1", "Host: 127.0.0.1:99999"]],
  ["a Host that is no name", ["GET /costs HTTP/1.1", "Host: ^%<>"]],
  ["a whole address as its path", ["GET http://evil.example/costs HTTP/1.1", "Host: evil.example"]],
])("a request with %s is the client's fault: answered by no route, and no failure of the server", async (_, lines) => {
  const room = await newServerRoom();
  const answer = await written(room, [...lines, `X-API-Key: ${room.owner.headers["x-api-key"]}`]);
  expect(answer).toMatch(/^HTTP\/1\.1 40[034] /);
  expect(answer).not.toContain("totalCost");
  expect(room.logged.join("\n")).not.toMatch(/\n\s+at /);
});

describe("the server answers", () => {
  test.each(["127.0.0.1", "localhost", "LOCALHOST", "[::1]", "localhost:1"])("to the Host %s", async (host) => {
    const room = await newServerRoom();
    const { status } = await rawRequest(room.url, "GET", "/costs", { ...room.owner.headers, host });
    expect(status).toBe(200);
  });

  test("to a page of its own, and tells no browser that others may read it", async () => {
    const room = await newServerRoom();
    for (const origin of [room.url.origin, "http://localhost:3000", "http://[::1]:1"]) {
      const answer = await room.owner.send("GET", "/costs", { headers: { origin } });
      expect(answer.status, origin).toBe(200);
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    }
  });

  test("by its public name and by those it was told of, as Host and as Origin", async () => {
    const settings = { publicUrl: new URL("https://budget.example.com"), allowedHosts: ["Inside.example"] };
    const room = await newServerRoom({ settings });
    for (const name of ["budget.example.com", "inside.example"]) {
      const headers = { ...room.owner.headers, host: name, origin: `https://${name}` };
      expect((await rawRequest(room.url, "GET", "/costs", headers)).status, name).toBe(200);
    }
    const other = { ...room.owner.headers, host: "other.example.com" };
    expect((await rawRequest(room.url, "GET", "/costs", other)).status).toBe(403);
  });
});

describe("--insecure-no-auth", () => {
  test.each(["0.0.0.0", "::", "192.0.2.1", "budget.example.com"])("opens no server at %s", async (host) => {
    await expect(newServerRoom({ settings: { host, auth: "insecure_none" } })).rejects.toMatchObject({
      code: "invalid_input",
      faults: [{ path: "--insecure-no-auth" }],
    });
  });

  test("opens no server for two workspaces", async () => {
    const policies = [{ workspace: { id: "a" } }, { workspace: { id: "b" } }];
    await expect(newServerRoom({ policies, settings: { auth: "insecure_none" } })).rejects.toMatchObject({
      faults: [{ path: "--insecure-no-auth" }],
    });
  });

  test("on loopback lets everybody in as the owner, says so aloud, makes no key, and issues no token", async () => {
    const room = await newServerRoom({ settings: { auth: "insecure_none" } });
    expect(room.ownerKeys).toEqual([]);
    expect(room.logged.join("\n")).toMatch(/WARNING: --insecure-no-auth/);
    const anybody = callerAt(room.url, {});
    expect((await anybody.get("/api/v1/keys")).body.keys).toEqual([]);
    expect((await anybody.post("/auth/token")).status).toBe(403);
    const evil = await rawRequest(room.url, "GET", "/api/v1/keys", {
      host: room.url.host,
      origin: "https://evil.example",
    });
    expect(evil.status).toBe(403);
    const agent = await mcpAgent(room.url, null);
    expect((await agent.call("open_session", { agent_id: "ada" })).data).toMatchObject({ status: "open" });
  });

  test("a server with keys that is reached from elsewhere without TLS warns; with an https name it does not", async () => {
    const open = await newServerRoom({ settings: { host: "0.0.0.0" } });
    expect(open.logged.join("\n")).toMatch(/WARNING: keys cross the network unencrypted/);
    expect((await callerAt(new URL(`http://127.0.0.1:${open.url.port}`), {}).get("/costs")).status).toBe(401);
    const publicUrl = new URL("https://budget.example.com");
    const proxied = await newServerRoom({ settings: { host: "0.0.0.0", publicUrl } });
    expect(proxied.logged.join("\n")).not.toMatch(/WARNING/);
  });
});
