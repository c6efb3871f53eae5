// What the rate limiter refuses has not happened: nothing is recorded, over REST and MCP, and the words say so.
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { rateLimitsIn } from "../../src/serve/rate-limit.ts";
import { mcpAgent } from "./server-mcp.ts";
import { callerAt, newFolder, newServerRoom } from "./server-room.ts";

const USAGE = { input_tokens: 1, output_tokens: 1, cost_usd: 0.25 };

/** Waits where the minute is about to end: what a test counts must lie in one. */
async function inOneMinute(): Promise<void> {
  const left = 60_000 - (Date.now() % 60_000);
  if (left < 8_000) await new Promise((resolve) => setTimeout(resolve, left + 50));
}

async function limited(rateLimit: number) {
  await inOneMinute();
  const room = await newServerRoom({ settings: { rateLimit } });
  const key = await room.keyOf("agent", "ada");
  const { session_id } = (await room.owner.post("/api/v1/agents/ada/sessions")).body;
  const spent = async () => (await room.owner.get("/costs")).body.totalCost;
  return { room, key, ada: callerAt(room.url, { "x-api-key": key }), session_id, spent };
}

describe("a request over the limit", () => {
  test("records nothing of a report: as many charges as answers that say so", async () => {
    const { ada, session_id, spent } = await limited(20);
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => ada.post(`/api/v1/sessions/${session_id}/usage`, USAGE)),
    );
    const recorded = answers.filter(({ status }) => status === 200);
    expect(recorded).toHaveLength(20);
    expect(await spent()).toBe(20 * 0.25);
  });

  test("uses up no idempotency key: the repeat in the next minute is the first", async () => {
    const { room, ada, key, session_id, spent } = await limited(5);
    const report = (by: typeof ada) =>
      by.post(`/api/v1/sessions/${session_id}/usage`, USAGE, { "idempotency-key": "k" });
    for (let i = 0; i < 5; i++) await ada.get("/costs");
    expect((await report(ada)).status).toBe(429);
    expect(await spent()).toBe(0);
    // Another server, that has no limit, stands for the next minute.
    const later = await newServerRoom({ beside: room });
    const answer = await report(callerAt(later.url, { "x-api-key": key }));
    expect([answer.status, answer.body.duplicate]).toEqual([200, false]);
  });

  test("is not read: what is wrong with it is not told", async () => {
    const { ada } = await limited(1);
    await ada.get("/costs");
    expect((await ada.send("POST", "/api/v1/sessions/ses_0/usage", { text: "{" })).status).toBe(429);
  });

  test("says when to come back, that it is not the budget, and never 402", async () => {
    const { ada } = await limited(1);
    await ada.get("/costs");
    const { body, headers } = await ada.post("/api/v1/agents/ada/sessions");
    expect(body.detail).toMatch(/at most 1 a minute\. Come back in \d+ s\. This is the rate limiter, not the budget/);
    expect(body.detail).toContain(`in ${headers.get("retry-after")} s`);
    expect(body.verdict).toBeUndefined();
  });
});

describe("over MCP", () => {
  test("the text of a 429 says when to come back and that it is not the budget; nothing is recorded", async () => {
    const { room, key, session_id, spent } = await limited(20);
    const agent = await mcpAgent(room.url, key);
    const refusals: string[] = [];
    let recorded = 0;
    for (let i = 0; i < 30; i++) {
      const call = agent.call("report_usage", { session_id, ...USAGE });
      await call.then(
        () => void recorded++,
        (error: Error) => void refusals.push(error.message),
      );
    }
    expect(refusals.length).toBeGreaterThan(9);
    for (const text of refusals) {
      expect(text).toMatch(/Come back in \d+ s/);
      expect(text).toMatch(/rate limiter, not the budget/);
    }
    expect(await spent()).toBe(recorded * 0.25);
  });

  test("a 429 is JSON-RPC with the headers of every other, on /mcp and on /messages", async () => {
    const { ada } = await limited(1);
    await ada.get("/costs");
    for (const path of ["/mcp", "/messages?sessionId=x"]) {
      const { status, body, headers } = await ada.post(path, { jsonrpc: "2.0", id: 1, method: "tools/list" });
      expect(status).toBe(429);
      expect(body).toMatchObject({
        jsonrpc: "2.0",
        id: null,
        error: { message: expect.stringMatching(/not the budget/) },
      });
      expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
      expect(headers.get("x-ratelimit-limit")).toBe("1");
    }
  });

  test("requests are counted with those over REST", async () => {
    const { room, key, ada } = await limited(50);
    await ada.get("/costs");
    const agent = await mcpAgent(room.url, key);
    await agent.call("get_costs");
    const left = Number((await ada.get("/costs")).headers.get("x-ratelimit-remaining"));
    expect(left).toBeLessThan(47);
  });
});

describe("the count", () => {
  test("begins anew with each whole minute, and not a minute after the first request", async () => {
    const rates = rateLimitsIn(join(newFolder(), "rates"), 2, () => {});
    onTestFinished(() => rates.close());
    // Its table is made while the server begins to listen.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const minute = Math.floor(Date.now() / 60_000) * 60_000;
    const at = async (ms: number) => {
      const { remaining, isOver, resetsAt } = await rates.count("key k", "general", minute + ms);
      return [remaining, isOver, resetsAt - minute / 1000];
    };
    expect(await at(59_000)).toEqual([1, false, 60]);
    expect(await at(59_500)).toEqual([0, false, 60]);
    expect(await at(59_999)).toEqual([0, true, 60]);
    expect(await at(60_000)).toEqual([1, false, 120]);
    expect(await at(119_999)).toEqual([0, false, 120]);
  });

  test("goes on in the process alone while its file is locked by another, and holds no request up", async () => {
    const { room, ada } = await limited(20);
    const db = new Database(`${room.ledgerFile}.rate`);
    onTestFinished(() => void db.close());
    db.exec("begin exclusive");
    const from = performance.now();
    const answers = await Promise.all(Array.from({ length: 25 }, () => ada.get("/costs")));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(20);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(5);
    expect(performance.now() - from).toBeLessThan(3_000);
    db.exec("rollback");
  });
});
