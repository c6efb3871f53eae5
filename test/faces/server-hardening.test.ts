// What a hostile or careless caller tries next: other spellings of a path, keys that ended, settings that open doors.
import { describe, expect, test } from "vitest";
import { serveSettings } from "../../src/serve/settings.ts";
import { newServerRoom, rawRequest } from "./server-room.ts";

describe("the path that the gate sees is the one that is routed", () => {
  test.each(["/x/../auth/token", "/./auth/token", "/%61uth/token", "/auth/./token"])("%s", async (path) => {
    const room = await newServerRoom();
    const { headers } = await rawRequest(room.url, "POST", path, { ...room.owner.headers, host: room.url.host });
    expect(headers.get("x-ratelimit-limit")).toBe("10");
  });
});

test("every answer says that nobody may keep it, and that it is what it says it is", async () => {
  const room = await newServerRoom();
  for (const path of ["/healthz", "/costs", "/no/such", "/metrics", "/api/v1/keys"]) {
    const { headers } = await room.owner.get(path);
    expect([headers.get("cache-control"), headers.get("x-content-type-options")], path).toEqual([
      "no-store",
      "nosniff",
    ]);
  }
});

test("HEAD of the stream is 405, and opens none", async () => {
  const room = await newServerRoom();
  expect(await room.owner.send("HEAD", "/sse")).toMatchObject({ status: 405 });
  expect(room.logged.filter((line) => line.includes("Error"))).toEqual([]);
});

describe("what a key opened ends with it", () => {
  test.each(["revoked", "expired"])("%s: its streams are closed within two seconds", async (how) => {
    const room = await newServerRoom();
    const key = how === "expired" ? { expires_at: new Date(Date.now() + 700).toISOString() } : {};
    const { body } = await room.owner.post("/api/v1/keys", { name: "a", role: "agent", agent_id: "ada", ...key });
    const headers = { "x-api-key": body.secret, accept: "text/event-stream" };
    const stream = await fetch(new URL("/sse", room.url), { headers });
    const stays = await fetch(new URL("/sse", room.url), {
      headers: { ...room.owner.headers, accept: "text/event-stream" },
    });
    expect([stream.status, stays.status]).toEqual([200, 200]);
    if (how === "revoked") await room.owner.delete(`/api/v1/keys/${body.key_id}`);
    const from = performance.now();
    await stream.text();
    expect(performance.now() - from).toBeLessThan(2_500);
    expect((await fetch(new URL("/costs", room.url), { headers })).status).toBe(401);
    await stays.body?.cancel();
  });
});

describe("--insecure-no-auth", () => {
  test.each([
    { "public-url": "https://budget.example.com" },
    { "trust-proxy": true },
    { "allowed-host": ["lan.box"] },
  ] as const)("is refused together with %j", async (more) => {
    const settings = serveSettings({ port: "0", "insecure-no-auth": true, ...more }, {});
    await expect(newServerRoom({ settings })).rejects.toMatchObject({ code: "invalid_input" });
  });
});

test("settings that would do nothing are refused", () => {
  for (const values of [{ "allowed-host": ["box.lan:4747"] }, { "public-url": "https://x.example/budget" }])
    expect(() => serveSettings(values, {})).toThrow(/wrong arguments/);
});

describe("a task of another team", () => {
  const POLICY = {
    teams: [{ id: "eng" }, { id: "law" }],
    agents: [{ id: "ada", team: "eng" }],
    tasks: [
      { id: "secret", team: "law", tags: ["budget:1"] },
      { id: "open", team: "eng", depends_on: ["secret"] },
      { id: "free" },
    ],
  };

  test("is not there for an agent's key: not to look at, not to spend on, not by name", async () => {
    const room = await newServerRoom({ policy: POLICY });
    const ada = await room.callerOf("agent", "ada");
    expect(await ada.get("/api/v1/agents/ada/budget?task_id=secret")).toMatchObject({ status: 404 });
    expect(await ada.post("/api/v1/agents/ada/sessions", { task_id: "secret" })).toMatchObject({
      status: 404,
      body: { code: "task_not_found" },
    });
    const waiting = await ada.post("/api/v1/agents/ada/sessions", { task_id: "open" });
    expect(waiting).toMatchObject({ status: 409, body: { code: "dependency" } });
    expect(waiting.text).not.toContain("secret");
    expect(await ada.post("/api/v1/agents/ada/sessions", { task_id: "free" })).toMatchObject({ status: 201 });
    expect(await room.owner.get("/api/v1/agents/ada/budget?task_id=secret")).toMatchObject({
      status: 200,
      body: { task_limit_usd: 1 },
    });
  });
});

test("a hold that was denied may be asked for again under its key, and one that was given is the same", async () => {
  const room = await newServerRoom({ policy: { agents: [{ id: "ada", budget: { maxCostCents: 100 } }] } });
  const { body } = await room.owner.post("/api/v1/agents/ada/sessions", {});
  const ask = () =>
    room.owner.post(
      `/api/v1/sessions/${body.session_id}/check`,
      { estimate: { cost_usd: 1.5 }, hold: true },
      { "idempotency-key": "h" },
    );
  expect((await ask()).status).toBe(402);
  const until = new Date(Date.now() + 60_000).toISOString();
  const raise = { scope: "session", scope_id: body.session_id, amount: 1, expires_at: until, reason: "more" };
  expect((await room.owner.post("/api/v1/grants", raise)).status).toBe(201);
  const [first, second] = [await ask(), await ask()];
  expect([first.status, second.body.hold_id]).toEqual([200, first.body.hold_id]);
});

test("a grant of less than a nano-dollar is a fault of the caller", async () => {
  const room = await newServerRoom({ policy: { teams: [{ id: "t", dailyCostLimitUsd: 1 }] } });
  const until = new Date(Date.now() + 60_000).toISOString();
  const tiny = { scope: "team", scope_id: "t", amount: 1e-10, expires_at: until, reason: "x" };
  expect(await room.owner.post("/api/v1/grants", tiny)).toMatchObject({ status: 422 });
});
