// JSON Web Tokens as credentials: ours for a key, an identity provider's by its public keys, and all that is refused.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { describe, expect, onTestFinished, test } from "vitest";
import { mcpAgent } from "./server-mcp.ts";
import { type Caller, callerAt, newServerRoom, type ServerRoom, tokenFor } from "./server-room.ts";

const SECRET = "a secret of thirty-two bytes or more";
const WHO = "/api/v1/sessions";
const NOW = () => Math.floor(Date.now() / 1000);

type Making = { alg?: string; claims?: JWTPayload; key: CryptoKey | Uint8Array; kid?: string };

/** A token that is good unless `claims` spoil it. */
async function signed({ alg = "HS256", claims = {}, key, kid }: Making): Promise<string> {
  const usual = { iss: "astra-budget", aud: "astra-budget", sub: "alice", iat: NOW(), exp: NOW() + 60, role: "viewer" };
  const header = { alg, ...(kid === undefined ? {} : { kid }) };
  return await new SignJWT({ ...usual, ...claims }).setProtectedHeader(header).sign(key);
}

const bearer = ({ url }: ServerRoom, token: string): Caller => callerAt(url, { authorization: `Bearer ${token}` });
const statusOf = async (room: ServerRoom, token: string, path = WHO) => (await bearer(room, token).get(path)).status;

/** An identity provider: its key pairs by algorithm, and a room whose server knows its public keys. */
async function provider() {
  const pairs = {
    RS256: await generateKeyPair("RS256", { extractable: true }),
    ES256: await generateKeyPair("ES256", { extractable: true }),
    EdDSA: await generateKeyPair("EdDSA", { extractable: true }),
    PS256: await generateKeyPair("PS256", { extractable: true }),
  };
  const keys = await Promise.all(
    Object.entries(pairs).map(async ([alg, { publicKey }]) => ({
      ...(await exportJWK(publicKey)),
      alg,
      kid: alg,
      use: "sig",
    })),
  );
  const server = createServer((_, response) => {
    response.setHeader("content-type", "application/json").end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
  const room = await newServerRoom({ env: { ASTRA_JWKS_URL: jwksUrl } });
  const sign = (alg: keyof typeof pairs, claims: JWTPayload = {}) =>
    signed({ alg, claims, key: pairs[alg].privateKey, kid: alg });
  return { room, pairs, sign };
}

describe("POST /auth/token", () => {
  test("trades a key for a token of the same rights that lives a quarter of an hour, and is not stored", async () => {
    const room = await newServerRoom();
    const ada = await room.callerOf("agent", "ada");
    const { status, body, headers } = await ada.post("/auth/token");
    expect([status, headers.get("cache-control")]).toEqual([200, "no-store"]);
    expect(body).toMatchObject({ token_type: "Bearer", expires_in: 900 });
    const claims = JSON.parse(Buffer.from(body.access_token.split(".")[1] ?? "", "base64url").toString());
    expect(claims).toMatchObject({ role: "agent", agent_id: "ada", iss: "astra-budget", aud: "astra-budget" });
    expect(claims.exp - claims.iat).toBe(900);
    const token = bearer(room, body.access_token);
    expect((await token.post("/api/v1/agents/ada/sessions")).status).toBe(201);
    expect((await token.get("/api/v1/agents/eve/budget")).status).toBe(404);
    expect((await token.get("/api/v1/limits")).status).toBe(403);
    const agent = await mcpAgent(room.url, body.access_token);
    expect((await agent.call("open_session")).data).toMatchObject({ agent_id: "ada" });
  });

  test("takes no token: one cannot be made to live on", async () => {
    const room = await newServerRoom();
    const { status, body } = await bearer(room, await tokenFor(room.owner)).post("/auth/token");
    expect([status, body.code]).toEqual([403, "forbidden"]);
  });

  test("gives no token that outlives its key", async () => {
    const room = await newServerRoom();
    const expires_at = new Date(Date.now() + 60_000).toISOString();
    const { secret } = (await room.owner.post("/api/v1/keys", { name: "x", role: "viewer", expires_at })).body;
    const { body } = await callerAt(room.url, { "x-api-key": secret }).post("/auth/token");
    expect(body.expires_in).toBeLessThanOrEqual(60);
  });

  test("gives tokens that other servers of the same secret take, and none of another", async () => {
    const room = await newServerRoom({ env: { ASTRA_JWT_SECRET: SECRET } });
    const same = await newServerRoom({ beside: room, env: { ASTRA_JWT_SECRET: SECRET } });
    const other = await newServerRoom({ beside: room });
    const token = await tokenFor(room.owner);
    expect(await statusOf(same, token)).toBe(200);
    expect(await statusOf(other, token)).toBe(401);
  });
});

describe("a token signed with the shared secret", () => {
  const key = new TextEncoder().encode(SECRET);
  const roomWithSecret = () => newServerRoom({ env: { ASTRA_JWT_SECRET: SECRET } });

  test("has the role it names; an agent's sees its own only", async () => {
    const room = await roomWithSecret();
    expect(await statusOf(room, await signed({ key }))).toBe(200);
    expect(await statusOf(room, await signed({ key }), "/api/v1/keys")).toBe(403);
    expect(await statusOf(room, await signed({ key, claims: { role: "owner" } }), "/api/v1/keys")).toBe(200);
    const ada = await signed({ key, claims: { role: "agent", agent_id: "ada" } });
    expect(await statusOf(room, ada, "/api/v1/agents/ada/budget")).toBe(200);
    expect(await statusOf(room, ada, "/api/v1/agents/eve/budget")).toBe(404);
  });

  test.each([
    ["that has expired", { exp: NOW() - 60 }],
    ["that never expires", { exp: undefined }],
    ["that is not yet valid", { nbf: NOW() + 60 }],
    ["of another issuer", { iss: "somebody" }],
    ["for another audience", { aud: "another-service" }],
    ["of nobody", { sub: undefined }],
    ["of a subject that is a sentence", { sub: "ignore all limits" }],
    ["without a role", { role: undefined }],
    ["of a role that is none", { role: "root" }],
    ["of two roles", { role: ["viewer", "owner"] }],
    ["of an agent without a name", { role: "agent" }],
    ["of an agent of no name", { role: "agent", agent_id: "" }],
    ["of an agent that is a list", { role: "agent", agent_id: ["ada"] }],
    ["of a workspace that is not here", { workspace: "elsewhere" }],
    ["that says it is of a key that never was", { key: "key_0", sub: "key_0" }],
  ])("%s is refused", async (_, claims) => {
    const room = await roomWithSecret();
    expect(await statusOf(room, await signed({ key, claims: claims as JWTPayload }))).toBe(401);
  });

  test("that was changed, cut, signed with another secret or by another algorithm is refused", async () => {
    const room = await roomWithSecret();
    const good = await signed({ key });
    const [header = "", payload = "", signature = ""] = good.split(".");
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const owner = part({ ...JSON.parse(Buffer.from(payload, "base64url").toString()), role: "owner" });
    const none = ["none", "None", "NONE", "nOnE"].map((alg) => `${part({ alg, typ: "JWT" })}.${owner}.`);
    const wrong = [
      ...none,
      `${header}.${owner}.${signature}`,
      `${header}.${payload}.`,
      `${header}.${payload}`,
      await signed({ key: new TextEncoder().encode(`${SECRET}!`) }),
      await signed({ key: new Uint8Array(32) }),
      await signed({ key, alg: "HS384" }),
      await signed({ key, alg: "HS512" }),
    ];
    for (const token of wrong) expect(await statusOf(room, token), token).toBe(401);
    expect(await statusOf(room, good)).toBe(200);
  });

  test("needs a secret of 32 bytes: a shorter one starts no server", async () => {
    await expect(newServerRoom({ env: { ASTRA_JWT_SECRET: "short" } })).rejects.toMatchObject({
      code: "invalid_input",
      faults: [{ path: "ASTRA_JWT_SECRET" }],
    });
  });
});

describe("a token of an identity provider", () => {
  test.each(["RS256", "ES256", "EdDSA"] as const)("signed %s lets in with its role, over REST and MCP", async (alg) => {
    const { room, sign } = await provider();
    expect(await statusOf(room, await sign(alg))).toBe(200);
    expect(await statusOf(room, await sign(alg), "/api/v1/keys")).toBe(403);
    const token = await sign(alg, { role: "agent", agent_id: "ada" });
    expect((await (await mcpAgent(room.url, token)).call("open_session")).data).toMatchObject({ agent_id: "ada" });
  });

  test("is refused by another algorithm, another key, when too old, and when anything in it is wrong", async () => {
    const { room, sign, pairs } = await provider();
    const { privateKey: stranger } = await generateKeyPair("RS256");
    const wrong = {
      PS256: await sign("PS256"),
      "a stranger's key": await signed({ alg: "RS256", key: stranger, kid: "RS256" }),
      "another key's name": await signed({ alg: "RS256", key: pairs.RS256.privateKey, kid: "ES256" }),
      expired: await sign("RS256", { exp: NOW() - 60 }),
      "older than a day": await sign("RS256", { iat: NOW() - 90_000 }),
      "of no age": await sign("RS256", { iat: undefined } as unknown as JWTPayload),
      issuer: await sign("RS256", { iss: "https://elsewhere.example" }),
      audience: await sign("RS256", { aud: "elsewhere" }),
      role: await sign("RS256", { role: "admin" }),
    };
    for (const [what, token] of Object.entries(wrong)) expect(await statusOf(room, token), what).toBe(401);
  });

  test("signed with its public key as if that were a secret is refused", async () => {
    const { room, pairs } = await provider();
    const pem = await exportSPKI(pairs.RS256.publicKey);
    const jwk = JSON.stringify(await exportJWK(pairs.RS256.publicKey));
    for (const text of [pem, pem.trim(), jwk]) {
      const key = new TextEncoder().encode(text);
      expect(await statusOf(room, await signed({ key, kid: "RS256", claims: { role: "owner" } }))).toBe(401);
    }
  });

  test("never speaks for one of our keys, whatever it says of itself", async () => {
    const { room, sign } = await provider();
    const { keys } = (await room.owner.get("/api/v1/keys")).body as unknown as { keys: { key_id: string }[] };
    const key = keys[0]?.key_id ?? "";
    expect(await statusOf(room, await sign("RS256", { role: "viewer", key, sub: key }), "/api/v1/keys")).not.toBe(200);
  });

  test("is refused where no provider is named, and an unsafe address of its keys starts no server", async () => {
    const { sign } = await provider();
    expect(await statusOf(await newServerRoom(), await sign("RS256"))).toBe(401);
    for (const url of ["http://idp.example.com/jwks", "file:///etc/passwd", "nonsense"])
      await expect(newServerRoom({ env: { ASTRA_JWKS_URL: url } })).rejects.toMatchObject({ code: "invalid_input" });
  });
});
