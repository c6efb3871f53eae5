// Lists by the page: every cursor goes on where the page before ended, without a gap, a repeat, or a guess.
import { describe, expect, test } from "vitest";
import { WIDE } from "../world.ts";
import { type Caller, newServerRoom, type ServerRoom } from "./server-room.ts";

const POLICY = {
  hardCaps: WIDE,
  teams: [{ id: "eng", dailyCostLimitUsd: 50 }],
  agents: [{ id: "ada", team: "eng" }],
  tasks: [
    { id: "listed-1", title: "Listed", team: "eng" },
    { id: "listed-2", title: "Listed" },
  ],
};
const SOON = new Date(Date.now() + 3_600_000).toISOString();
const RAISE = { scope: "team", scope_id: "eng", amount: 0.01, expires_at: SOON, reason: "a test" };

async function openSwarm(by: Caller): Promise<void> {
  const { session_id } = (await by.post("/api/v1/agents/ada/sessions")).body;
  await by.post("/api/v1/agents/ada/sessions", { parent_session_id: session_id });
}

/** Each list: where, under which name, what identifies its items, and what makes one more. */
const LISTS: readonly (readonly [
  path: string,
  name: string,
  id: string,
  make: (by: Caller, i: number) => Promise<unknown>,
])[] = [
  ["/api/v1/sessions", "sessions", "session_id", (by) => by.post("/api/v1/agents/ada/sessions")],
  ["/api/v1/agents/ada/sessions", "sessions", "session_id", (by) => by.post("/api/v1/agents/ada/sessions")],
  ["/api/v1/sessions?open=true", "sessions", "session_id", (by) => by.post("/api/v1/agents/ada/sessions")],
  ["/api/v1/swarms", "swarms", "session_id", openSwarm],
  ["/api/v1/tasks", "tasks", "task_id", (by, i) => by.post("/api/v1/teams/eng/tasks", { title: `Task ${i}` })],
  [
    "/api/v1/teams/eng/tasks",
    "tasks",
    "task_id",
    (by, i) => by.post("/api/v1/teams/eng/tasks", { title: `Task ${i}` }),
  ],
  ["/api/v1/stops", "stops", "stop_id", (by, i) => by.post("/api/v1/stops", { task_id: `t${i}`, reason: "a test" })],
  ["/api/v1/grants", "grants", "grant_id", (by) => by.post("/api/v1/grants", RAISE)],
  ["/api/v1/keys", "keys", "key_id", (by) => by.post("/api/v1/keys", { name: "k", role: "viewer" })],
  ["/api/v1/audit", "entries", "seq", (by, i) => by.post("/api/v1/stops", { task_id: `t${i}`, reason: "a test" })],
];

type Item = Record<string, unknown>;

async function pageAt(
  by: Caller,
  path: string,
  name: string,
  query: string,
): Promise<{ items: Item[]; next: string | null }> {
  const { status, text, body } = await by.get(`${path}${path.includes("?") ? "&" : "?"}${query}`);
  expect(status, text).toBe(200);
  return { items: body[name] as Item[], next: body.next_cursor };
}

/** All pages, and how long each was. */
async function walk(by: Caller, path: string, name: string, limit: number, meanwhile?: () => Promise<unknown>) {
  const all: Item[] = [];
  const lengths: number[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const at: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const { items, next } = await pageAt(by, path, name, `limit=${limit}${at}`);
    all.push(...items);
    lengths.push(items.length);
    cursor = next;
    if (cursor !== null) await meanwhile?.();
  }
  return { all, lengths };
}

async function filled(make: (by: Caller, i: number) => Promise<unknown>): Promise<ServerRoom> {
  const room = await newServerRoom({ policy: POLICY });
  for (let i = 0; i < 12; i++) await make(room.owner, i);
  return room;
}

describe.each(LISTS)("GET %s", (path, name, id, make) => {
  const ids = (items: Item[]) => items.map((item) => item[id]);

  test("by pages of any size is the whole list in its order", async () => {
    const { owner } = await filled(make);
    const whole = await pageAt(owner, path, name, "limit=500");
    expect(whole.next).toBeNull();
    expect(whole.items.length).toBeGreaterThanOrEqual(12);
    expect(new Set(ids(whole.items)).size).toBe(whole.items.length);
    for (const limit of [1, 5, whole.items.length - 1, whole.items.length, whole.items.length + 1]) {
      const { all, lengths } = await walk(owner, path, name, limit);
      expect(ids(all)).toEqual(ids(whole.items));
      expect(lengths.slice(0, -1)).toEqual(lengths.slice(0, -1).map(() => limit));
      expect(lengths.at(-1)).toBeGreaterThan(0);
    }
  });

  test("neither leaves out nor repeats what was there, when more is made between the pages", async () => {
    const { owner } = await filled(make);
    const before = ids((await pageAt(owner, path, name, "limit=500")).items);
    let i = 100;
    const { all } = await walk(owner, path, name, 4, () => make(owner, i++));
    const seen = ids(all);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((each) => before.includes(each))).toEqual(before);
  });

  test("refuses a cursor that is none, and a limit that is too small, too large, or no number", async () => {
    const { owner } = await newServerRoom({ policy: POLICY });
    const ask = (query: string) => owner.get(`${path}${path.includes("?") ? "&" : "?"}${query}`);
    for (const cursor of ["x", "0", "-1", "ses_0", "1.ses_0.", "99999999999999999999", "../..", "' or 1=1", ""]) {
      const { status, body } = await ask(`cursor=${encodeURIComponent(cursor)}`);
      expect([status, body.faults?.[0]?.path], cursor).toEqual([422, "cursor"]);
    }
    for (const limit of ["0", "501", "-1", "1.5", "many", ""]) {
      const { status, body } = await ask(`limit=${limit}`);
      expect([status, body.faults?.[0]?.path], limit).toEqual([422, "limit"]);
    }
  });
});

test("the newest sessions come first, also those that were opened in one millisecond", async () => {
  const room = await newServerRoom({ policy: POLICY });
  room.at(Date.parse("2026-11-22T12:00:00Z"));
  await Promise.all(Array.from({ length: 10 }, () => room.owner.post("/api/v1/agents/ada/sessions")));
  room.at(Date.parse("2026-11-22T12:00:01Z"));
  const last = (await room.owner.post("/api/v1/agents/ada/sessions")).body.session_id;
  const { all } = await walk(room.owner, "/api/v1/sessions", "sessions", 3);
  expect(all[0]?.session_id).toBe(last);
  expect(new Set(all.map((each) => each.session_id)).size).toBe(11);
});

test("a cursor of one agent's list shows nothing of another's", async () => {
  const { owner, callerOf } = await newServerRoom({ policy: POLICY });
  for (const agent of ["eve", "eve", "ada", "eve"]) await owner.post(`/api/v1/agents/${agent}/sessions`);
  const { next } = await pageAt(owner, "/api/v1/sessions", "sessions", "limit=1");
  const ada = await callerOf("agent", "ada");
  const { body } = await ada.get(`/api/v1/sessions?cursor=${next}`);
  expect((body.sessions as Item[]).map((each) => each.agent_id)).toEqual(["ada"]);
});
