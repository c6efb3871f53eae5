// Keys as credentials: which let a caller in and which do not, over REST and over MCP, and what a 401 tells.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { mcpAgent } from "./server-mcp.ts";
import { type Caller, callerAt, newServerRoom, type Reply, type ServerRoom, tokenFor } from "./server-room.ts";

const LIST = "/api/v1/sessions";
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function expectRefused({ status, body, headers }: Reply, url: URL, path = ""): void {
  expect(status).toBe(401);
  expect(body).toMatchObject({ code: "unauthenticated", status: 401, type: "urn:astra-budget:error:unauthenticated" });
  expect(headers.get("content-type")).toBe("application/problem+json");
  const metadata = new URL(`/.well-known/oauth-protected-resource${path}`, url).href;
  expect(headers.get("www-authenticate")).toBe(`Bearer resource_metadata="${metadata}"`);
}

/** A new key with the one who holds it. */
async function made({ owner, url }: ServerRoom, args: object): Promise<{ id: string; secret: string; caller: Caller }> {
  const { status, text, body } = await owner.post("/api/v1/keys", { name: "a key", ...args });
  if (status !== 201) throw new Error(text);
  return { id: body.key_id, secret: body.secret, caller: callerAt(url, { "x-api-key": body.secret }) };
}

describe("a key", () => {
  test("is 32 random bytes after oc_, is shown once, and nothing of it but its hash is in the ledger", async () => {
    const room = await newServerRoom();
    const { id, secret } = await made(room, { role: "viewer" });
    expect(secret).toMatch(/^oc_[A-Za-z0-9_-]{43}$/);
    expect(Buffer.from(secret.slice(3), "base64url")).toHaveLength(32);
    const { text, body } = await room.owner.get("/api/v1/keys");
    expect(text).not.toContain(secret);
    expect(text).not.toMatch(/[0-9a-f]{64}/);
    expect(body.keys).toContainEqual(
      expect.objectContaining({ key_id: id, name: "a key", role: "viewer", secret_start: secret.slice(0, 7) }),
    );
    expect((await room.owner.get("/api/v1/audit")).text).not.toContain(secret);
    await room.close();
    expect(readFileSync(room.ledgerFile, "latin1")).not.toContain(secret);
  });

  test("lets in as X-API-Key and as a bearer, for REST and for MCP in both eras, and its use is noted", async () => {
    const room = await newServerRoom();
    const { id, secret, caller } = await made(room, { role: "agent", agent_id: "ada" });
    expect((await caller.get(LIST)).status).toBe(200);
    expect((await callerAt(room.url, { authorization: `Bearer ${secret}` }).get(LIST)).status).toBe(200);
    expect((await callerAt(room.url, { authorization: `bearer  ${secret}` }).get(LIST)).status).toBe(200);
    for (const era of ["2025", "2026"] as const) {
      const agent = await mcpAgent(room.url, secret, era);
      expect((await agent.call("open_session")).data).toMatchObject({ agent_id: "ada", status: "open" });
    }
    const { keys } = (await room.owner.get("/api/v1/keys")).body as unknown as { keys: Record<string, string>[] };
    const used = keys.find(({ key_id }) => key_id === id)?.last_used_at ?? "";
    expect(Math.abs(Date.now() - Date.parse(used))).toBeLessThan(30_000);
  });

  test("of an agent names one, and no other role's does", async () => {
    const { owner } = await newServerRoom();
    for (const args of [{ role: "agent" }, { role: "owner", agent_id: "ada" }]) {
      const { status, body } = await owner.post("/api/v1/keys", { name: "x", ...args });
      expect([status, body.faults[0]?.path]).toEqual([422, "agent_id"]);
    }
  });

  test("that is revoked is refused by the very next request, its token and its MCP session too", async () => {
    const room = await newServerRoom();
    const { id, secret, caller } = await made(room, { role: "agent", agent_id: "ada" });
    const token = await tokenFor(caller);
    const bearer = callerAt(room.url, { authorization: `Bearer ${token}` });
    const agents = [await mcpAgent(room.url, secret, "2025"), await mcpAgent(room.url, token, "2026")];
    for (const each of [caller, bearer]) expect((await each.get(LIST)).status).toBe(200);
    for (const agent of agents) expect((await agent.call("get_costs")).isError).toBe(false);
    expect((await room.owner.delete(`/api/v1/keys/${id}`)).status).toBe(200);
    for (const each of [caller, bearer]) expectRefused(await each.get(LIST), room.url);
    for (const agent of agents) await expect(agent.call("get_costs")).rejects.toThrow();
    expectRefused(await bearer.post("/auth/token"), room.url);
  });

  test("that is revoked on another server of the ledger is refused within two seconds", async () => {
    const room = await newServerRoom();
    const beside = await newServerRoom({ beside: room });
    const { id, secret } = await made(room, { role: "viewer" });
    const there = callerAt(beside.url, { "x-api-key": secret });
    expect((await there.get(LIST)).status).toBe(200);
    await room.owner.delete(`/api/v1/keys/${id}`);
    await sleep(2_000);
    expectRefused(await there.get(LIST), beside.url);
  });

  test("that has expired is refused, its token and its MCP session too", async () => {
    const room = await newServerRoom();
    const expires_at = new Date(Date.now() + 1_500).toISOString();
    const { secret, caller } = await made(room, { role: "agent", agent_id: "ada", expires_at });
    const bearer = callerAt(room.url, { authorization: `Bearer ${await tokenFor(caller)}` });
    const agent = await mcpAgent(room.url, secret);
    for (const each of [caller, bearer]) expect((await each.get(LIST)).status).toBe(200);
    await sleep(1_700);
    for (const each of [caller, bearer]) expectRefused(await each.get(LIST), room.url);
    await expect(agent.call("get_costs")).rejects.toThrow();
  });

  test("cannot be made to end in the past", async () => {
    const { owner } = await newServerRoom();
    const { status } = await owner.post("/api/v1/keys", {
      name: "x",
      role: "viewer",
      expires_at: "2020-01-01T00:00:00Z",
    });
    expect(status).toBe(422);
  });
});

describe("a credential", () => {
  test.each([
    ["of nobody", { "x-api-key": `oc_${"A".repeat(43)}` }],
    ["that is empty", { "x-api-key": "" }],
    ["without its beginning", { "x-api-key": "A".repeat(43) }],
    ["of 10,000 characters", { "x-api-key": `oc_${"A".repeat(10_000)}` }],
    ["that is the hash of a key", { "x-api-key": `oc_${"0".repeat(64)}` }],
    ["that is SQL", { "x-api-key": "oc_' or 1=1 --" }],
    ["that is a bearer of nothing", { authorization: "Bearer" }],
    ["that is a bearer of two words", { authorization: "Bearer oc_a oc_b" }],
    ["that is no token", { authorization: "Bearer a.b.c" }],
    ["of another scheme", { authorization: "Basic b3duZXI6b3duZXI=" }],
  ])("%s is refused", async (_, headers) => {
    const room = await newServerRoom();
    expectRefused(await callerAt(room.url, headers).get(LIST), room.url);
  });

  test("more than one is refused, even where each is good", async () => {
    const room = await newServerRoom();
    const [key = ""] = room.ownerKeys;
    const token = await tokenFor(room.owner);
    for (const authorization of [`Bearer ${key}`, `Bearer ${token}`, "Bearer x", ""])
      expectRefused(await callerAt(room.url, { "x-api-key": key, authorization }).get(LIST), room.url);
    expectRefused(await callerAt(room.url, { "x-api-key": `${key}, ${key}` }).get(LIST), room.url);
  });

  test("in the query or the body is none", async () => {
    const room = await newServerRoom();
    const [key] = room.ownerKeys;
    const nobody = callerAt(room.url, {});
    expectRefused(await nobody.get(`${LIST}?api_key=${key}&access_token=${key}`), room.url);
    expectRefused(await nobody.post("/auth/token", { api_key: key }), room.url);
  });
});

describe("whoever is not let in", () => {
  test("is told at which metadata to look, and finds it there without a key", async () => {
    const room = await newServerRoom();
    const nobody = callerAt(room.url, {});
    const parts = [
      ["/mcp", "/mcp"],
      ["/api/v1/sessions", ""],
    ] as const;
    for (const [path, suffix] of parts) {
      const answer = await nobody.post(path, { jsonrpc: "2.0", id: 1, method: "tools/list" });
      expectRefused(answer, room.url, suffix);
      const metadata = /resource_metadata="([^"]+)"/.exec(answer.headers.get("www-authenticate") ?? "")?.[1] ?? "";
      const { status, body } = await nobody.get(metadata);
      expect(status).toBe(200);
      expect(body).toMatchObject({
        resource: new URL(suffix || "/", room.url).href,
        bearer_methods_supported: ["header"],
      });
    }
  });

  test("is told of the address that clients use where a proxy stands in front", async () => {
    const publicUrl = new URL("https://budget.example.com");
    const room = await newServerRoom({ settings: { publicUrl } });
    expectRefused(await callerAt(room.url, {}).post("/mcp", {}), publicUrl, "/mcp");
    const { body } = await callerAt(room.url, {}).get("/.well-known/oauth-protected-resource/mcp");
    expect(body.resource).toBe("https://budget.example.com/mcp");
  });

  test("gets no MCP session", async () => {
    const room = await newServerRoom();
    for (const bearer of [null, "oc_wrong", "a.b.c"]) await expect(mcpAgent(room.url, bearer)).rejects.toThrow();
  });
});
