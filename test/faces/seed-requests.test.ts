// Every request that the two documents print, as printed, against the running server, with the answers they show.
import { describe, expect, test } from "vitest";
import { WIDE } from "../world.ts";
import fixtures from "./seed-requests.json" with { type: "json" };
import {
  type Caller,
  callerAt,
  newServerRoom,
  type Reply,
  type Role,
  type ServerRoom,
  tokenFor,
} from "./server-room.ts";

type Fixture = {
  readonly from: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  /** The least who may send it. */
  readonly who: Role;
  readonly status: number;
  /** What the document shows of the answer; empty where it shows none. */
  readonly answer: Readonly<Record<string, unknown>>;
};
const FIXTURES: readonly Fixture[] = fixtures as Fixture[];

const POLICY = {
  workspace: { id: "ws_abc123" },
  hardCaps: WIDE,
  teams: [{ id: "eng", dailyCostLimitUsd: 5, taskCostLimitUsd: 2 }],
  agents: [
    { id: "eng-1", team: "eng" },
    { id: "eng-2", team: "eng" },
  ],
  tasks: [
    { id: "593", title: "Fix login bug", team: "eng" },
    { id: "594", title: "Write the tests", team: "eng" },
  ],
};

type Block = {
  at: string;
  agent: string;
  provider?: string;
  task?: number;
  user?: string;
  minutes?: number;
} & Readonly<Record<"cost_usd", number>> & { input_tokens?: number; output_tokens?: number };

/** Cost Control: $3.42 today, of it $0.85 on task 594, $4.23 in the week, and its 167,000 tokens. */
const WEEK: readonly Block[] = [
  { at: "2026-03-06T12:00Z", agent: "eng-2", cost_usd: 0.81, input_tokens: 84_000, output_tokens: 28_000 },
  { at: "2026-03-07T09:00Z", agent: "eng-2", cost_usd: 0.72 },
  { at: "2026-03-07T10:00Z", agent: "eng-1", cost_usd: 0.85, task: 594 },
  {
    at: "2026-03-07T11:00Z",
    agent: "eng-1",
    cost_usd: 1.85,
    task: 593,
    minutes: 12,
    input_tokens: 41_000,
    output_tokens: 14_000,
  },
];

/** Open Astra: $42.17 three ways: January 15.30, February 14.80, March 12.07. */
const QUARTER: readonly Block[] = [
  { at: "2026-01-05T12:00Z", agent: "research-agent", provider: "claude", cost_usd: 15.3 },
  { at: "2026-02-01T12:00Z", agent: "research-agent", provider: "claude", cost_usd: 3.2 },
  { at: "2026-02-14T12:00Z", agent: "code-agent", provider: "claude", cost_usd: 10.4 },
  { at: "2026-02-28T12:00Z", agent: "code-agent", provider: "groq", cost_usd: 1.2 },
  { at: "2026-03-01T12:00Z", agent: "code-agent", provider: "openai", cost_usd: 2.62 },
  { at: "2026-03-07T09:00Z", agent: "support-agent", provider: "openai", cost_usd: 7.5 },
  { at: "2026-03-07T10:00Z", agent: "support-agent", provider: "groq", cost_usd: 1.95, user: "uid_alice" },
];
const NOW = Date.parse("2026-03-07T12:00:00Z");

async function spend({ owner, at }: ServerRoom, blocks: readonly Block[]): Promise<void> {
  for (const { at: when, agent, provider, task, user, minutes = 1, cost_usd, ...tokens } of blocks) {
    at(Date.parse(when));
    const opened = await owner.post(`/api/v1/agents/${agent}/sessions`, { provider, task_id: task, user_id: user });
    const { session_id } = opened.body;
    const usage = { input_tokens: 0, output_tokens: 0, ...tokens, cost_usd };
    expect((await owner.post(`/api/v1/sessions/${session_id}/usage`, usage)).status).toBe(200);
    at(Date.parse(when) + minutes * 60_000);
    expect((await owner.post(`/api/v1/sessions/${session_id}/end`)).status).toBe(200);
  }
  at(NOW);
}

/** The server as the document finds it, and a session of eng-1 that is open. */
async function roomFor(from: string): Promise<{ room: ServerRoom; session_id: string }> {
  const room = await newServerRoom({ policy: POLICY });
  await spend(room, from.startsWith("Open Astra") ? QUARTER : WEEK);
  const { session_id } = (await room.owner.post("/api/v1/agents/eng-1/sessions")).body;
  return { room, session_id };
}

function execute(caller: Caller, { method, path, body }: Fixture, session_id: string, query = ""): Promise<Reply> {
  const names: Record<string, string> = { agent_id: "eng-1", team_id: "eng", session_id };
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => names[name] ?? "");
  return caller.send(method, filled + query, { body });
}

/** The names of what is shown, with the kinds of its values. */
function kindsOf(shown: unknown): unknown {
  if (Array.isArray(shown)) return expect.arrayContaining(shown.map(kindsOf));
  if (typeof shown !== "object" || shown === null) return expect.any(Object(shown).constructor);
  return expect.objectContaining(
    Object.fromEntries(Object.entries(shown).map(([name, value]) => [name, kindsOf(value)])),
  );
}

describe("with an owner's key, and with the token it was traded for,", () => {
  test.each(FIXTURES)("$from: $method $path", async (fixture) => {
    const { room, session_id } = await roomFor(fixture.from);
    // In the document one task is meant, though its line does not name one: without a name there is no task.
    const query = "task_limit_usd" in fixture.answer ? "?task_id=594" : "";
    const bearer = callerAt(room.url, { authorization: `Bearer ${await tokenFor(room.owner)}` });
    for (const caller of [room.owner, bearer]) {
      const { status, headers, body } = await execute(caller, fixture, session_id, query);
      expect(status).toBe(fixture.status);
      expect(headers.get("content-type")).toMatch(status < 400 ? /^application\/json/ : /^application\/problem\+json/);
      expect(body).toEqual(kindsOf(fixture.answer));
      const { sessions, ...exact } = fixture.answer;
      expect(body).toMatchObject(exact);
      for (const session of (sessions ?? []) as object[])
        expect(body.sessions).toContainEqual(expect.objectContaining(session));
    }
  });
});

describe("with a key of the least role that may,", () => {
  test.each(FIXTURES)("$from: $method $path", async (fixture) => {
    const { room, session_id } = await roomFor(fixture.from);
    const caller = await room.callerOf(fixture.who, fixture.who === "agent" ? "eng-1" : undefined);
    expect((await execute(caller, fixture, session_id)).status).toBe(fixture.status);
  });
});

test("without a credential none of them is answered, and 501 is told to callers only", async () => {
  const { room, session_id } = await roomFor("Cost Control");
  const nobody = callerAt(room.url, {});
  for (const fixture of FIXTURES) expect((await execute(nobody, fixture, session_id)).status, fixture.from).toBe(401);
  const { body } = await room.owner.get("/api/v1/sessions?open=true");
  expect(body.sessions).toEqual([expect.objectContaining({ session_id, cost_usd: 0 })]);
});

test("the budget as printed, without a task, has the day's numbers and no task's", async () => {
  const { room } = await roomFor("Cost Control");
  expect((await room.owner.get("/api/v1/agents/eng-1/budget")).body).toMatchObject({
    daily_limit_usd: 5,
    daily_spent_usd: 3.42,
    daily_remaining_usd: 1.58,
    task_limit_usd: null,
    task_spent_usd: null,
    over_budget: false,
  });
});

test("what the requests ask for is done", async () => {
  const { room, session_id } = await roomFor("Cost Control");
  const answers: Record<string, Reply["body"]> = {};
  const cost = FIXTURES.filter(({ from }) => from.startsWith("Cost Control"));
  for (const fixture of cost) answers[fixture.from] = (await execute(room.owner, fixture, session_id)).body;
  const of = (section: string) => answers[`Cost Control, ${section}`];
  expect(of("Sessions: open")).toMatchObject({ status: "open", agent_id: "eng-1", team_id: "eng", task_id: "594" });
  expect(of("Sessions: report")).toMatchObject({
    recorded: true,
    cost_usd: 0.012,
    session: { input_tokens: 2500, output_tokens: 800 },
    verdict: { decision: "allow" },
  });
  expect(of("Sessions: end")).toMatchObject({ session_id, status: "success", already_ended: false });
  expect(of("Agent stuck in a retry loop")).toMatchObject({ session_id, already_ended: true });
  expect(of("Team-level daily cap")).toMatchObject({
    team_id: "eng",
    daily_cost_limit_usd: 10,
    task_cost_limit_usd: 2,
  });
  expect(of("Per-task limits")).toMatchObject({
    title: "Fix typo in README",
    priority: "low",
    task_type: "bugfix",
    tags: ["budget:0.50"],
    cost_limit_usd: 0.5,
    team_id: "eng",
  });
  const sessions = of("Per-agent sessions")?.sessions as Record<string, unknown>[];
  expect(sessions.find((each) => each.session_id === session_id)).toMatchObject({ tokens: 3300, cost_usd: 0.012 });
  expect(of("Overnight cost surprises")).toMatchObject({ daily_cost_limit_usd: 5 });
});
