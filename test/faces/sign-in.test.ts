// Signing in with a browser: a key is traded for a cookie that says no more than the key, and ends with it.
import { describe, expect, test, vi } from "vitest";
import { signIn } from "./browser.ts";
import { callerAt, newServerRoom, tokenFor } from "./server-room.ts";

const WITHIN = { timeout: 2_500, interval: 50 };

/** Waits where the minute is about to end: what a test counts must lie in one. */
async function inOneMinute(): Promise<void> {
  const left = 60_000 - (Date.now() % 60_000);
  if (left < 5_000) await new Promise((resolve) => setTimeout(resolve, left + 50));
}

describe("POST /auth/session", () => {
  test("answers who signed in, and a cookie that no script sees and no other site sends", async () => {
    const room = await newServerRoom({ policy: { workspace: { id: "acme", timezone: "Europe/Vienna" } } });
    const key = await room.keyOf("operator");
    const { answer, csrf } = await signIn(room, key);
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      role: "operator",
      actor: expect.stringMatching(/^key_/),
      workspace_id: "acme",
      timezone: "Europe/Vienna",
      version: "0.0.0-test",
    });
    expect(Date.parse(String(answer.body.expires_at)) - Date.now()).toBeGreaterThan(11.9 * 3_600_000);
    expect(csrf).toMatch(/^[\w-]{43}$/);
    expect(answer.headers.get("set-cookie")).toMatch(
      /^astra_session=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/; Max-Age=43200$/,
    );
    expect(answer.text + room.logged.slice(-1)).not.toContain(key);
  });

  test("makes the cookie Secure where the public URL is https, and no longer than the key lives", async () => {
    const room = await newServerRoom({ settings: { publicUrl: new URL("https://budget.example.com") } });
    const expires_at = new Date(Date.now() + 60_000).toISOString();
    const { body } = await room.owner.post("/api/v1/keys", { name: "short", role: "viewer", expires_at });
    const { answer } = await signIn(room, body.secret);
    expect(answer.headers.get("set-cookie")).toMatch(/; Max-Age=(59|60); Secure$/);
    expect(answer.body.expires_at).toBe(expires_at);
  });

  test("refuses an agent's key, a token, a cookie, a wrong key and none, and sets no cookie then", async () => {
    const room = await newServerRoom();
    const { page } = await signIn(room, room.ownerKeys[0] ?? "");
    const token = { authorization: `Bearer ${await tokenFor(room.owner)}` };
    const answers = [
      await (await room.callerOf("agent", "ada")).post("/auth/session"),
      await callerAt(room.url, token).post("/auth/session"),
      await page.post("/auth/session"),
      await callerAt(room.url, { "x-api-key": "oc_wrong" }).post("/auth/session"),
      await callerAt(room.url, {}).post("/auth/session"),
    ];
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 401, 401]);
    expect(answers.map(({ headers }) => headers.get("set-cookie")).filter(Boolean)).toEqual([]);
    expect(answers[0]?.body.hint).toMatch(/viewer, an operator or an owner/);
  });

  test("is for ten attempts a minute, whatever the key; to ask who one is and to sign out are none", async () => {
    await inOneMinute();
    const room = await newServerRoom();
    const guess = callerAt(room.url, { "x-api-key": "oc_guess" });
    const statuses = [];
    for (let i = 0; i < 12; i++) statuses.push((await guess.post("/auth/session")).status);
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429]);
    const { page } = await signIn(room, room.ownerKeys[0] ?? "");
    for (let i = 0; i < 15; i++) expect((await page.get("/auth/session")).status).toBe(200);
    expect((await page.delete("/auth/session")).status).toBe(204);
  });
});

describe("a browser that signed in", () => {
  test("may what its key's role may, in its key's workspace, and is who the key is in the audit", async () => {
    const room = await newServerRoom({ policies: [{ workspace: { id: "a" } }, { workspace: { id: "b" } }] });
    const [first, second] = await Promise.all(room.ownerKeys.map((key) => signIn(room, key)));
    const viewer = await signIn(room, await room.keyOf("viewer"));
    expect((await second?.get("/auth/session"))?.body.workspace_id).toBe("b");
    expect((await viewer.get("/api/v1/keys")).status).toBe(403);
    expect((await viewer.get("/metrics")).status).toBe(200);
    await first?.page.post("/api/v1/stops", { agent_id: "ada", reason: "a test" });
    const stops = async (of = first) => (await of?.get("/api/v1/stops"))?.body.stops;
    expect([await stops(), await stops(second)]).toMatchObject([[{ scope_id: "ada" }], []]);
    const { entries } = (await room.owner.get("/api/v1/audit")).body as unknown as { entries: object[] };
    const actor = first?.answer.body.actor;
    expect(entries[0]).toMatchObject({ action: "stop", actor });
    const signedIn = entries.filter((entry) => "action" in entry && entry.action === "sign_in");
    expect(signedIn).toContainEqual(expect.objectContaining({ actor, target: `key ${actor}`, before: null }));
    expect(signedIn).toHaveLength(2);
    expect(JSON.stringify(entries)).not.toContain(first?.cookie.slice(14));
  });

  test("learns again who it is from the cookie alone; a key in a header wins over the cookie", async () => {
    const room = await newServerRoom();
    const { cookie, answer, get } = await signIn(room, await room.keyOf("viewer"));
    expect((await get("/auth/session")).body).toEqual(answer.body);
    const both = { cookie, "x-api-key": room.ownerKeys[0] ?? "" };
    expect((await callerAt(room.url, both).post("/api/v1/keys", { name: "x", role: "viewer" })).status).toBe(201);
    expect((await callerAt(room.url, { cookie, "x-api-key": "oc_wrong" }).get("/costs")).status).toBe(401);
    expect((await callerAt(room.url, both).get("/auth/session")).status).toBe(403);
  });

  test("is out at once when it signs out, here and in the audit, and others of its key are not", async () => {
    const room = await newServerRoom();
    const [one, other] = [await signIn(room, room.ownerKeys[0] ?? ""), await signIn(room, room.ownerKeys[0] ?? "")];
    expect((await one.get("/costs")).status).toBe(200);
    const { status, headers } = await one.page.delete("/auth/session");
    expect(status).toBe(204);
    expect(headers.get("set-cookie")).toMatch(/^astra_session=; .*Max-Age=0/);
    expect((await one.get("/costs")).status).toBe(401);
    expect((await one.get("/auth/session")).body.code).toBe("unauthenticated");
    expect((await other.get("/costs")).status).toBe(200);
    const { entries } = (await room.owner.get("/api/v1/audit?limit=1")).body;
    expect(entries).toMatchObject([{ action: "sign_out", after: null }]);
  });

  test.each(["revoked", "expired"])("is out within two seconds of its key being %s", async (how) => {
    const room = await newServerRoom();
    const expires = how === "expired" ? { expires_at: new Date(Date.now() + 900).toISOString() } : {};
    const { body } = await room.owner.post("/api/v1/keys", { name: "a", role: "viewer", ...expires });
    const { get } = await signIn(room, body.secret);
    expect((await get("/costs")).status).toBe(200);
    // By another server on the ledger: this one is told nothing.
    const beside = await newServerRoom({ beside: room });
    if (how === "revoked") await beside.owner.delete(`/api/v1/keys/${body.key_id}`);
    await vi.waitFor(async () => expect((await get("/costs")).status).toBe(401), WITHIN);
  });

  test("has a minute of requests of its own: the key's programs keep theirs", async () => {
    await inOneMinute();
    const room = await newServerRoom({ settings: { rateLimit: 50 } });
    const { get } = await signIn(room, room.ownerKeys[0] ?? "");
    for (let i = 0; i < 5; i++) await get("/costs");
    const left = async (of: typeof get) => Number((await of("/costs")).headers.get("x-ratelimit-remaining"));
    expect(await left(room.owner.get)).toBeGreaterThan(await left(get));
  });
});
