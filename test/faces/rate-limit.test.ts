// The rate limiter: so many requests a minute for each key or address, told in headers, counted over all servers.
import { describe, expect, test } from "vitest";
import { serveSettings } from "../../src/serve/settings.ts";
import { newRoom } from "./room.ts";
import { startServer } from "./server-process.ts";
import { type Caller, callerAt, newServerRoom, type Reply, type ServerRoom, tokenFor } from "./server-room.ts";

/** Waits where the minute is about to end: what a test counts must lie in one. */
async function inOneMinute(): Promise<void> {
  const left = 60_000 - (Date.now() % 60_000);
  if (left < 8_000) await new Promise((resolve) => setTimeout(resolve, left + 50));
}

async function limitedRoom(rateLimit: number, rest: object = {}): Promise<ServerRoom> {
  await inOneMinute();
  return await newServerRoom({ settings: { rateLimit, ...rest } });
}

const rateOf = ({ headers }: Reply) =>
  ["limit", "remaining", "reset"]
    .map((name) => headers.get(`x-ratelimit-${name}`))
    .map((text) => (text === null ? null : Number(text)));

async function statuses(count: number, send: () => Promise<Reply>): Promise<number[]> {
  const seen = [];
  for (let i = 0; i < count; i++) seen.push((await send()).status);
  return seen;
}
const times = (count: number, status: number): number[] => Array.from({ length: count }, () => status);

function expectLimited(answer: Reply, limit: number): void {
  expect(answer.status).toBe(429);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.body.code).toBe("rate_limited");
  const [shown, remaining, reset = 0] = rateOf(answer);
  expect([shown, remaining]).toEqual([limit, 0]);
  const seconds = Number(answer.headers.get("retry-after"));
  expect(seconds).toBeGreaterThanOrEqual(1);
  expect(seconds).toBeLessThanOrEqual(60);
  expect(Math.abs(Math.floor(Date.now() / 1000) + seconds - Number(reset))).toBeLessThanOrEqual(1);
}

describe("how many requests a minute", () => {
  const limitOf = (env: NodeJS.ProcessEnv, values = {}) => serveSettings(values, env).rateLimit;

  test("is 100, or what a variable says, ours before Entourage's, or what the option says before both", () => {
    expect(limitOf({})).toBe(100);
    expect(limitOf({ OPENCLAW_RATE_LIMIT_RPM: "300" })).toBe(300);
    expect(limitOf({ OPENCLAW_RATE_LIMIT_RPM: "300", ASTRA_RATE_LIMIT_RPM: "200" })).toBe(200);
    expect(limitOf({ OPENCLAW_RATE_LIMIT_RPM: "", ASTRA_RATE_LIMIT_RPM: "" })).toBe(100);
    expect(limitOf({ ASTRA_RATE_LIMIT_RPM: "200" }, { "rate-limit": "7" })).toBe(7);
    expect(limitOf({ ASTRA_RATE_LIMIT_RPM: "200" }, { "rate-limit": "0" })).toBe(0);
    for (const wrong of ["many", "-1", "1.5", "1e3", "99999999999"])
      expect(() => limitOf({ OPENCLAW_RATE_LIMIT_RPM: wrong }), wrong).toThrow("wrong arguments");
  });

  test.each([
    [[], {}, "100"],
    [[], { OPENCLAW_RATE_LIMIT_RPM: "300" }, "300"],
    [["--rate-limit", "7"], { OPENCLAW_RATE_LIMIT_RPM: "300" }, "7"],
  ])("is what the real command is told: %j %j", async (args, env, expected) => {
    const server = await startServer(newRoom("workspace: { id: home }"), args, env as Record<string, string>);
    const { headers } = await server.caller(server.keys()[0] ?? "").get("/costs");
    expect(headers.get("x-ratelimit-limit")).toBe(expected);
  });

  test("is kept to the very request: the 100th passes, the 101st does not", async () => {
    const room = await limitedRoom(100);
    const viewer = await room.callerOf("viewer");
    expect(await statuses(100, () => viewer.get("/leaderboard"))).toEqual(times(100, 200));
    expectLimited(await viewer.get("/leaderboard"), 100);
  });

  test("is kept to the very request when all come at once", async () => {
    const room = await limitedRoom(100);
    const viewer = await room.callerOf("viewer");
    const answers = await Promise.all(Array.from({ length: 130 }, () => viewer.get("/leaderboard")));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(100);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(30);
    expect(new Set(answers.map((answer) => rateOf(answer)[1])).size).toBe(100);
  });

  test("is none with 0, but for /auth/*, which is always 10", async () => {
    const room = await limitedRoom(0);
    expect(await statuses(150, () => room.owner.get("/leaderboard"))).toEqual(times(150, 200));
    expect(rateOf(await room.owner.get("/leaderboard"))).toEqual([null, null, null]);
    expect(await statuses(12, () => room.owner.post("/auth/token"))).toEqual([...times(10, 200), 429, 429]);
  });

  test("is 10 for /auth/* whatever the rest is, counted apart from it, for keys and for guesses", async () => {
    const room = await limitedRoom(50);
    const viewer = await room.callerOf("viewer");
    expect(rateOf(await viewer.post("/auth/token")).slice(0, 2)).toEqual([10, 9]);
    expect(await statuses(10, () => viewer.post("/auth/token"))).toEqual([...times(9, 200), 429]);
    expectLimited(await viewer.post("/auth/token"), 10);
    expect(rateOf(await viewer.get("/costs")).slice(0, 2)).toEqual([50, 49]);
    const guess = (i: number) => callerAt(room.url, { "x-api-key": `oc_guess${i}` }).post("/auth/token");
    let i = 0;
    expect(await statuses(12, () => guess(i++))).toEqual([...times(10, 401), 429, 429]);
  });
});

describe("every answer shows where the caller stands", () => {
  test("whatever its status, counting down, with the reset on a whole minute to come", async () => {
    const room = await limitedRoom(50);
    const viewer = await room.callerOf("viewer");
    const requests: [number, () => Promise<Reply>][] = [
      [200, () => viewer.get("/costs")],
      [404, () => viewer.get("/nothing")],
      [404, () => viewer.get("/api/v1/teams/none/costs")],
      [403, () => viewer.post("/api/v1/keys", {})],
      [405, () => viewer.delete("/costs")],
      [422, () => viewer.get("/costs?months=0")],
      [200, () => viewer.get("/leaderboard")],
      [200, () => viewer.get("/metrics")],
      [200, () => viewer.get("/openapi.json")],
      [400, () => viewer.send("POST", "/api/v1/sessions/ses_0/check", { text: "{" })],
      [415, () => viewer.send("POST", "/mcp", { text: "x", headers: { "content-type": "text/plain" } })],
      [413, () => viewer.send("POST", "/api/v1/sessions/ses_0/check", { text: `"${"x".repeat(1_100_000)}"` })],
    ];
    for (const [i, [status, send]] of requests.entries()) {
      const answer = await send();
      expect(answer.status, answer.text).toBe(status);
      const [limit, remaining, reset = 0] = rateOf(answer);
      expect([limit, remaining]).toEqual([50, 49 - i]);
      expect(Number(reset) % 60).toBe(0);
      const ahead = Number(reset) - Date.now() / 1000;
      expect(ahead > -1 && ahead <= 60, String(ahead)).toBe(true);
    }
  });

  test("a 401 and a 429 as well", async () => {
    const room = await limitedRoom(3);
    const nobody = callerAt(room.url, {});
    const seen = [];
    for (let i = 0; i < 4; i++) seen.push(await nobody.get("/costs"));
    expect(seen.map((answer) => [answer.status, ...rateOf(answer).slice(0, 2)])).toEqual([
      [401, 3, 2],
      [401, 3, 1],
      [401, 3, 0],
      [429, 3, 0],
    ]);
    expectLimited(seen[3] as Reply, 3);
  });
});

describe("who is counted", () => {
  const left = async (callers: Caller[]) => {
    const seen = [];
    for (const caller of callers) seen.push(rateOf(await caller.get("/costs"))[1]);
    return seen;
  };

  test("is each key by itself, with the tokens it was traded for", async () => {
    const room = await limitedRoom(10);
    const [one, two] = [await room.callerOf("viewer"), await room.callerOf("viewer")];
    const token = callerAt(room.url, { authorization: `Bearer ${await tokenFor(one)}` });
    expect(await left([one, two, one, token, two])).toEqual([9, 9, 8, 7, 8]);
  });

  test("is the address for whoever has no key that works; a key's own count is not spent by them", async () => {
    const room = await limitedRoom(10);
    const viewer = await room.callerOf("viewer");
    const strangers = [{}, { "x-api-key": "oc_wrong" }, { authorization: "Bearer x.y.z" }].map((each) =>
      callerAt(room.url, each),
    );
    expect(await left([...strangers, viewer])).toEqual([9, 8, 7, 9]);
    const forged = callerAt(room.url, { "x-forwarded-for": "203.0.113.7" });
    expect(await left([forged])).toEqual([6]);
  });

  test("is the address that a trusted proxy saw last, and not what a client wrote before it", async () => {
    const room = await limitedRoom(10, { addressFrom: "proxy" });
    const from = (list: string) => callerAt(room.url, { "x-forwarded-for": list });
    const callers = ["203.0.113.7", "203.0.113.8", "1.1.1.1, 203.0.113.7", "2.2.2.2,203.0.113.7"].map(from);
    expect(await left(callers)).toEqual([9, 9, 8, 7]);
  });

  test("is the same at two servers of one ledger", async () => {
    const room = await limitedRoom(10);
    const beside = await newServerRoom({ beside: room, settings: { rateLimit: 10 } });
    const key = { "x-api-key": await room.keyOf("viewer") };
    const [here, there] = [callerAt(room.url, key), callerAt(beside.url, key)];
    const answers = await Promise.all(Array.from({ length: 14 }, (_, i) => (i % 2 ? here : there).get("/costs")));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(4);
  });
});
