// Idempotency-Key on every POST: a repeat gets the same answer and changes nothing, alone or among many at once.
import { describe, expect, test } from "vitest";
import { WIDE } from "../world.ts";
import { type Body, type Caller, callerAt, newServerRoom, type ServerRoom, tokenFor } from "./server-room.ts";

const POLICY = {
  hardCaps: WIDE,
  teams: [{ id: "eng", dailyCostLimitUsd: 50 }],
  agents: [
    { id: "ada", team: "eng" },
    { id: "eve", team: "eng" },
  ],
};
const SOON = new Date(Date.now() + 3_600_000).toISOString();
const USAGE = { input_tokens: 10, output_tokens: 5, cost_usd: 0.25 };
const HOLD = { estimate: { cost_usd: 0.5 }, hold: true };
const RAISE = { scope: "team", scope_id: "eng", amount: 1, expires_at: SOON, reason: "a test" };
const KEY = { "idempotency-key": "the-key-1" };

/** Every POST that takes a key, another body for it, and what of the answer is the thing that was made. */
const POSTS = [
  ["/api/v1/agents/ada/sessions", { task_id: 1 }, { task_id: 2 }, "session_id"],
  ["/api/v1/sessions/$/usage", USAGE, { ...USAGE, cost_usd: 0.26 }, "charge_id"],
  ["/api/v1/sessions/$/check", HOLD, { ...HOLD, estimate: { cost_usd: 0.6 } }, "hold_id"],
  ["/api/v1/teams/eng/tasks", { title: "One" }, { title: "Two" }, "task_id"],
  ["/api/v1/stops", { task_id: "t", reason: "One." }, { task_id: "t", reason: "Two." }, "stop_id"],
  ["/api/v1/grants", RAISE, { ...RAISE, amount: 2 }, "grant_id"],
  ["/api/v1/keys", { name: "One", role: "viewer" }, { name: "Two", role: "viewer" }, "key_id"],
] as const satisfies readonly (readonly [string, object, object, keyof Body])[];

async function sessionRoom(): Promise<ServerRoom & { in(path: string): string }> {
  const room = await newServerRoom({ policy: POLICY });
  const { session_id } = (await room.owner.post("/api/v1/agents/ada/sessions")).body;
  return { ...room, in: (path: string) => path.replace("$", session_id) };
}
type Made = Awaited<ReturnType<typeof sessionRoom>>;

/** All that a request could have made, as one text. */
async function stateOf({ owner }: Pick<ServerRoom, "owner">): Promise<string> {
  const lists = ["sessions", "tasks", "stops", "grants", "keys", "audit", "limits"];
  const texts = await Promise.all(lists.map(async (list) => (await owner.get(`/api/v1/${list}?`)).text));
  return [...texts, (await owner.get("/costs")).text].join("\n").replaceAll(/"(duration_ms|last_used_at)":[^,]*/g, "");
}

describe.each(POSTS)("POST %s", (path, body, other, made) => {
  test("twice with one key is answered the same, and is done once", async () => {
    const room = await sessionRoom();
    const first = await room.owner.post(room.in(path), body, KEY);
    expect(first.body[made]).toMatch(/^[a-z]{3}_/);
    const state = await stateOf(room);
    const again = await room.owner.post(room.in(path), body, KEY);
    expect(again.status).toBe(first.status);
    expect(again.body[made]).toBe(first.body[made]);
    // A repeat of a report says that it is one, and the secret of a key is shown once.
    const changing = { duplicate: expect.anything(), verdict: expect.anything(), secret: null };
    const kept = Object.keys(first.body).filter((name) => !(name in changing) && !/^(daily|task)_.*usd$/.test(name));
    for (const name of kept) expect(again.body[name], name).toEqual(first.body[name]);
    expect(await stateOf(room)).toBe(state);
  });

  test("with the same key and another body is 409 id_reused, and is not done", async () => {
    const room = await sessionRoom();
    await room.owner.post(room.in(path), body, KEY);
    const state = await stateOf(room);
    const { status, body: answer, headers } = await room.owner.post(room.in(path), other, KEY);
    expect([status, answer.code, headers.get("content-type")]).toEqual([409, "id_reused", "application/problem+json"]);
    expect(await stateOf(room)).toBe(state);
  });

  test("takes the key in the body as well, the same in both, and not two", async () => {
    const room = await sessionRoom();
    const inBody = { ...body, idempotency_key: "the-key-1" };
    const first = await room.owner.post(room.in(path), inBody);
    for (const again of [
      await room.owner.post(room.in(path), body, KEY),
      await room.owner.post(room.in(path), inBody, KEY),
    ])
      expect(again.body[made]).toBe(first.body[made]);
    const two = await room.owner.post(room.in(path), inBody, { "idempotency-key": "another" });
    expect([two.status, two.body.faults[0]?.path]).toEqual([422, "idempotency_key"]);
  });

  test("twenty times at once with one key is done once", async () => {
    const room = await sessionRoom();
    const answers = await Promise.all(Array.from({ length: 20 }, () => room.owner.post(room.in(path), body, KEY)));
    expect(new Set(answers.map(({ status }) => status)).size).toBe(1);
    expect(new Set(answers.map((answer) => answer.body[made])).size).toBe(1);
    const state = await stateOf(room);
    await room.owner.post(room.in(path), body, KEY);
    expect(await stateOf(room)).toBe(state);
  });

  test.each(["", "two words", "x".repeat(129)])("refuses the key %j", async (key) => {
    const room = await sessionRoom();
    const { status, body: answer } = await room.owner.post(room.in(path), body, { "idempotency-key": key });
    expect([status, answer.code]).toEqual([422, "invalid_input"]);
  });
});

test("a report that is repeated twenty times at once is one charge", async () => {
  const room = await sessionRoom();
  await Promise.all(Array.from({ length: 20 }, () => room.owner.post(room.in("/api/v1/sessions/$/usage"), USAGE, KEY)));
  expect((await room.owner.get("/costs")).body.totalCost).toBe(0.25);
});

test("repeats at once over two servers of one ledger are one, and are told the same", async () => {
  const room = await sessionRoom();
  const beside = await newServerRoom({ beside: room, policy: POLICY });
  for (const [path, body, , made] of POSTS) {
    const send = (i: number) => (i % 2 ? room : beside).owner.post(room.in(path), body, { "idempotency-key": path });
    const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => send(i)));
    expect(new Set(answers.map((answer) => answer.body[made])).size, path).toBe(1);
  }
  expect((await room.owner.get("/costs")).body.totalCost).toBe(0.25);
});

test("a key creation's repeat tells which key it was and never the secret; the first one's secret works", async () => {
  const { owner, url } = await sessionRoom();
  const create = () => owner.post("/api/v1/keys", { name: "One", role: "viewer" }, KEY);
  const [first, ...repeats] = [await create(), await create(), await create()];
  expect(first.body.secret).toMatch(/^oc_/);
  for (const repeat of repeats) expect(repeat.body).toMatchObject({ key_id: first.body.key_id, secret: null });
  expect((await callerAt(url, { "x-api-key": first.body.secret }).get("/costs")).status).toBe(200);
});

test("ending a session twice is the same with any key or none", async () => {
  const room = await sessionRoom();
  const first = await room.owner.post(room.in("/api/v1/sessions/$/end"), undefined, KEY);
  for (const headers of [KEY, { "idempotency-key": "another" }, {}]) {
    const again = await room.owner.post(room.in("/api/v1/sessions/$/end"), undefined, headers);
    expect(again.body).toMatchObject({ already_ended: true, ended_at: first.body.ended_at });
  }
});

describe("the same key of two callers is two keys", () => {
  const twice = async (room: Made, callers: readonly Caller[], path: string, body: object, made: keyof Body) => {
    const answers = [];
    for (const caller of callers) answers.push(await caller.post(room.in(path), body, KEY));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    return new Set(answers.map((answer) => answer.body[made])).size;
  };

  test("for operators, each with an own body", async () => {
    const room = await sessionRoom();
    const [one, two] = [await room.callerOf("operator"), await room.callerOf("operator")];
    for (const [path, body, , made] of POSTS.slice(3, 6)) {
      const operators = [await room.callerOf("operator"), await room.callerOf("operator")];
      expect(await twice(room, operators, path, body, made), path).toBe(2);
    }
    const key = { "idempotency-key": "k2" };
    expect((await one.post("/api/v1/stops", { task_id: "a", reason: "A." }, key)).status).toBe(201);
    expect((await two.post("/api/v1/stops", { task_id: "b", reason: "B." }, key)).status).toBe(201);
  });

  test("for agents, each in its own sessions", async () => {
    const room = await sessionRoom();
    const open = async (agent: string) => {
      const caller = await room.callerOf("agent", agent);
      const { session_id } = (await caller.post(`/api/v1/agents/${agent}/sessions`, {}, KEY)).body;
      const report = await caller.post(`/api/v1/sessions/${session_id}/usage`, USAGE, KEY);
      expect([report.status, report.body.duplicate]).toEqual([200, false]);
      return session_id;
    };
    expect(new Set([await open("ada"), await open("eve")]).size).toBe(2);
    expect((await room.owner.get("/costs")).body.totalCost).toBe(0.5);
  });

  test("but a key and the token it was traded for are one caller", async () => {
    const room = await sessionRoom();
    const token = callerAt(room.url, { authorization: `Bearer ${await tokenFor(room.owner)}` });
    expect(await twice(room, [room.owner, token], "/api/v1/teams/eng/tasks", { title: "One" }, "task_id")).toBe(1);
  });
});

test("a refused opening keeps no key: when there is money again, its repeat opens", async () => {
  const { owner, setPolicy } = await newServerRoom({
    policy: { hardCaps: WIDE, agents: [{ id: "ada", dailyCostLimitUsd: 0 }] },
  });
  expect((await owner.post("/api/v1/agents/ada/sessions", {}, KEY)).status).toBe(402);
  setPolicy(POLICY);
  expect((await owner.post("/api/v1/agents/ada/sessions", {}, KEY)).status).toBe(201);
});
