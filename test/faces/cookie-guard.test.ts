// What a browser sends by itself proves little: where the cookie is taken, and what must stand beside it.
import { describe, expect, test } from "vitest";
import { signIn } from "./browser.ts";
import { callerAt, newServerRoom, rawRequest } from "./server-room.ts";

const STOP = { agent_id: "ada", reason: "a test" };

async function signedIn(settings = {}) {
  const room = await newServerRoom({ settings });
  const browser = await signIn(room, room.ownerKeys[0] ?? "");
  const stopped = async () => ((await room.owner.get("/api/v1/stops")).body.stops as unknown[]).length > 0;
  return { room, browser, stopped };
}

describe("with the cookie a change is made by our own page only", () => {
  test("with its token: POST, PATCH and DELETE", async () => {
    const { browser } = await signedIn();
    const { status, body } = await browser.page.post("/api/v1/stops", STOP);
    expect(status).toBe(201);
    expect((await browser.page.patch("/api/v1/settings/teams/none", {})).status).toBe(404);
    expect((await browser.page.delete(`/api/v1/stops/${body.stop_id}`)).status).toBe(200);
  });

  test("without the token, with a wrong one or another session's it is refused, and nothing happens", async () => {
    const { room, browser, stopped } = await signedIn();
    const other = await signIn(room, room.ownerKeys[0] ?? "");
    for (const token of [undefined, "", "wrong", "\u00e9", other.csrf, `${browser.csrf}x`]) {
      const headers = token === undefined ? {} : { "x-csrf-token": token };
      const { status, body } = await browser.post("/api/v1/stops", STOP, headers);
      expect([status, body.code], token).toEqual([403, "forbidden"]);
      expect(body.detail).toContain("X-CSRF-Token");
    }
    expect((await browser.delete("/auth/session")).status).toBe(403);
    expect((await browser.get("/costs")).status).toBe(200);
    expect(await stopped()).toBe(false);
  });

  test("from another port of this host, or as another site's request, it is refused even with the token", async () => {
    const { room, browser, stopped } = await signedIn();
    const port = Number(room.url.port);
    const wrong = [
      { origin: `http://127.0.0.1:${port + 1}` },
      { origin: `http://localhost:${port}` },
      { origin: "http://127.0.0.1" },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "cross-site" },
      { origin: room.url.origin, "sec-fetch-site": "same-site" },
    ];
    for (const headers of wrong) {
      const given = { ...headers, "x-csrf-token": browser.csrf };
      const { status, body } = await browser.post("/api/v1/stops", STOP, given as Record<string, string>);
      expect([status, body.code], JSON.stringify(headers)).toEqual([403, "origin_not_allowed"]);
      const read = await browser.send("GET", "/costs", { headers: headers as Record<string, string> });
      expect(read.status, JSON.stringify(headers)).toBe(403);
    }
    expect(await stopped()).toBe(false);
  });

  test("behind a proxy our page is the public one, by its scheme too", async () => {
    const publicUrl = new URL("https://budget.example.com");
    const { room, browser } = await signedIn({ publicUrl, allowedHosts: ["inside.example"] });
    const from = async (origin: string, host: string) =>
      (await rawRequest(room.url, "GET", "/costs", { cookie: browser.cookie, origin, host })).status;
    expect(await from("https://budget.example.com", "budget.example.com")).toBe(200);
    expect(await from("https://budget.example.com", "127.0.0.1:4747")).toBe(200);
    expect(await from("https://inside.example", "inside.example")).toBe(200);
    expect(await from("http://budget.example.com", "budget.example.com")).toBe(403);
    expect(await from("https://budget.example.com:444", "budget.example.com")).toBe(403);
    expect(await from("https://inside.example", "budget.example.com")).toBe(403);
  });
});

describe("the cookie", () => {
  test.each([
    ["POST", "/mcp"],
    ["GET", "/sse"],
    ["POST", "/messages?sessionId=x"],
    ["POST", "/%6dcp"],
  ])("is not taken by %s %s", async (method, path) => {
    const { browser } = await signedIn();
    const { status, body } = await browser.page.send(method, path, method === "GET" ? {} : { body: {} });
    expect([status, body.code]).toEqual([401, "unauthenticated"]);
  });

  test("is no key to trade for a token", async () => {
    const { browser } = await signedIn();
    expect((await browser.page.post("/auth/token")).status).toBe(403);
  });

  test("spoilt, twice or made up lets nobody in and breaks nothing", async () => {
    const { room, browser } = await signedIn();
    const { cookie } = browser;
    const hostile = [
      `${cookie}; ${cookie}`,
      `${cookie}; astra_session=x`,
      cookie.replace("=", '="'),
      `${cookie}x`,
      `astra_session=${"x".repeat(43)}`,
      `astra_session=${"x".repeat(9_000)}`,
      "astra_session=; ".repeat(900),
      ";=;=\"';%00",
    ];
    for (const each of hostile) {
      const { status, body } = await callerAt(room.url, { cookie: each }).get("/api/v1/keys");
      expect([status, body.code], each.slice(0, 60)).toEqual([401, "unauthenticated"]);
    }
    expect(room.logged.join("\n")).not.toMatch(/Error/);
  });
});

describe("under --insecure-no-auth", () => {
  test("everybody is the owner without a cookie, and there is nothing to sign in to", async () => {
    const room = await newServerRoom({ settings: { auth: "insecure_none" } });
    const anybody = callerAt(room.url, {});
    expect(await anybody.get("/auth/session")).toMatchObject({
      status: 200,
      body: { role: "owner", actor: "anonymous", csrf_token: null, expires_at: null },
    });
    expect((await anybody.post("/auth/session")).status).toBe(403);
    expect((await anybody.delete("/auth/session")).status).toBe(204);
  });

  test("programs and our own page may change all, a page of another port nothing", async () => {
    const room = await newServerRoom({ settings: { auth: "insecure_none" } });
    const anybody = callerAt(room.url, {});
    const foreign = { origin: `http://127.0.0.1:${Number(room.url.port) + 1}` };
    expect((await anybody.post("/api/v1/stops", STOP)).status).toBe(201);
    expect((await anybody.post("/api/v1/stops", STOP, { origin: room.url.origin })).status).toBe(201);
    for (const headers of [foreign, { origin: "http://localhost:3000" }, { "sec-fetch-site": "same-site" }])
      for (const path of ["/api/v1/stops", "/api/v1/ledger/vacuum", "/mcp"]) {
        const { status, body } = await anybody.post(path, STOP, headers as Record<string, string>);
        expect([status, body.code], `${path} ${JSON.stringify(headers)}`).toEqual([403, "origin_not_allowed"]);
      }
    expect((await anybody.get("/api/v1/stops")).body.stops).toHaveLength(2);
  });
});
