// Gemini CLI's hooks, through the real command: chats are booked once and exactly, and over budget no model is called.
import { describe, expect, test } from "vitest";
import { type HookRoom, lines, newHookRoom, stamp } from "./hook-room.ts";

const ID = "2d471981-f2ea-4a66-90b7-c01e305c9150";
const MAIN = ".gemini/tmp/proj/chats/session-2026-11-22T20-17-2d471981.jsonl";
const CHILD = `.gemini/tmp/proj/chats/${ID}/b8ff925a-1685-4254-b2fa-34b306c7ae36.jsonl`;

const head = (kind = "main") => ({ sessionId: ID, projectHash: "h", startTime: stamp(), kind });

/** Input includes what was cached, output is without the thoughts: 201 at $1.25, 803 at $0.125, 51 + 20 at $10 a million. */
const TOKENS = { input: 1004, output: 51, cached: 803, thoughts: 20, tool: 0, total: 1075 };
const RESPONSE_USD = 0.001061625;
const answer = (id: string, more: object = {}) => ({
  id,
  timestamp: stamp(),
  type: "gemini",
  content: "",
  tokens: TOKENS,
  model: "gemini-2.5-pro",
  ...more,
});
const withTool = { toolCalls: [{ id: "run_shell_command-1", name: "run_shell_command", status: "success" }] };

const input = (event: string, path: string, more: object = {}) => ({
  session_id: ID,
  transcript_path: path,
  cwd: "/srv/proj",
  hook_event_name: event,
  timestamp: stamp(),
  ...more,
});
const request = { llm_request: { model: "gemini-2.5-pro", messages: [], config: {} } };
const call = (path: string) => input("BeforeModel", path, request);
const prompt = (path: string) => input("BeforeAgent", path, { prompt: "go on" });
const dollars = (count: number) => ({ "gemini-cli": Math.round(RESPONSE_USD * 1e9 * count) / 1e9 });

/** A conversation whose first prompt was let through and answered so. */
async function answered(room: HookRoom, ...answers: readonly object[]): Promise<string> {
  const path = room.put(MAIN, lines(head()));
  expect(await room.ask("gemini-cli", prompt(path))).toEqual({});
  expect(await room.ask("gemini-cli", call(path))).toEqual({});
  room.put(MAIN, lines(head(), ...answers));
  return path;
}

describe("a Gemini CLI session", () => {
  test("goes on under its cap, and an answer written again and again is booked once, to the nano-dollar", async () => {
    const room = newHookRoom(10);
    const path = await answered(room, answer("a1"));
    expect(await room.ask("gemini-cli", call(path))).toEqual({});
    const history = { $set: { messages: [answer("a1", withTool), answer("a2")] } };
    room.put(MAIN, lines(head(), answer("a1"), answer("a1", withTool), answer("a2"), history));
    expect(await room.ask("gemini-cli", call(path))).toEqual({});
    expect(await room.ask("gemini-cli", input("AfterAgent", path))).toEqual({});
    expect(await room.spent()).toEqual(dollars(2));
    expect(await room.sessions()).toMatchObject([{ status: "open", cost_usd: dollars(2)["gemini-cli"] }]);
  });

  test("calls no model over its cap, and gets no prompt", async () => {
    const room = newHookRoom(1);
    const path = await answered(room, ...Array.from({ length: 10 }, (_, i) => answer(`a${i}`)));
    const denial = {
      decision: "deny",
      reason: expect.stringMatching(/^astra-budget: Over budget: \$0\.01061625 of \$0\.01 used \(session\)/),
    };
    expect(await room.ask("gemini-cli", call(path))).toEqual(denial);
    expect(await room.ask("gemini-cli", prompt(path))).toEqual(denial);
    expect(await room.ask("gemini-cli", input("AfterAgent", path))).toEqual({});
  });

  test("calls no model when its session has ended, until a person prompts", async () => {
    const room = newHookRoom(100);
    const path = await answered(room, answer("a1"));
    await room.end();
    expect(await room.ask("gemini-cli", call(path))).toMatchObject({ decision: "deny" });
    expect(await room.sessions()).toHaveLength(1);
    expect(await room.ask("gemini-cli", prompt(path))).toEqual({});
    expect(await room.ask("gemini-cli", call(path))).toEqual({});
    expect(await room.sessions()).toHaveLength(2);
    expect(await room.spent()).toEqual(dollars(1));
  });

  test("counts the chats of its sub-agents, whose calls are told as its own", async () => {
    const room = newHookRoom(100);
    const path = await answered(room, answer("a1"));
    room.put(CHILD, lines(head("subagent"), answer("s1"), answer("s2")));
    expect(await room.ask("gemini-cli", call(path))).toEqual({});
    expect(await room.spent()).toEqual(dollars(3));
  });

  test("tells a person once that its cap is near", async () => {
    const room = newHookRoom(1);
    const path = await answered(room, ...Array.from({ length: 9 }, (_, i) => answer(`a${i}`)));
    expect(await room.ask("gemini-cli", call(path))).toEqual({
      systemMessage: "astra-budget: 95 % of $0.01 used (session).",
    });
    expect(await room.ask("gemini-cli", call(path))).toEqual({});
  });
});

describe("a gate that cannot read", () => {
  const denial = (words: RegExp) => ({ decision: "deny", reason: expect.stringMatching(words) });

  test("denies the call where the chat is missing, foreign or no longer written", async () => {
    const room = newHookRoom(100);
    expect(await room.ask("gemini-cli", call(`${room.folder}/${MAIN}`))).toEqual(denial(/wrote no transcript/));
    expect(await room.ask("gemini-cli", call(""))).toEqual(denial(/wrote no transcript/));
    const foreign = room.put("elsewhere/session.jsonl", lines(head(), answer("a1")));
    expect(await room.ask("gemini-cli", call(foreign))).toEqual(denial(/not lie in.*GEMINI_CLI_HOME/));
    expect(await room.ask("gemini-cli", { ...call(foreign), session_id: "../.." })).toEqual(denial(/not in a form/));
    expect(await room.spent()).toEqual({});
  });

  test("denies one call for a damaged answer, and books those beside it", async () => {
    const room = newHookRoom(100);
    const path = await answered(room, answer("a1"), answer("a2", { tokens: { input: "many" } }), answer("a3"));
    expect(await room.ask("gemini-cli", call(path))).toEqual(denial(/cannot be read/));
    expect(await room.spent()).toEqual(dollars(2));
    expect(await room.ask("gemini-cli", call(path))).toEqual({});
  });

  test("lets through where the policy says so", async () => {
    const room = newHookRoom(100, "onMeterFailure: allow\n");
    expect(await room.ask("gemini-cli", call(""))).toEqual({});
  });
});
