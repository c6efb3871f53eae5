// The gate as hooks reach it: a tool of the stdio server that no list shows, no model may call and no other face has.
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Agent, type Connect, INFO, legacy, modern, old } from "./clients.ts";
import { CLI, newRoom, type Room } from "./room.ts";
import { legacyOverHttp, modernOverHttp, oldOverHttp, oldOverSse } from "./served-clients.ts";
import { batch, INSIDE, prompt, respond, transcriptOf } from "./transcripts.ts";

const FIVE = ["open_session", "report_usage", "check_budget", "end_session", "get_costs"];
const REQUIRED = "meters: { claudeCode: required }\n";
const CLIENTS = [
  ["2026-07-28", modern],
  ["2025-11-25", legacy],
  ["the SDK of the 2025 era", old()],
] as const satisfies readonly (readonly [string, Connect])[];

const gate = async (agent: Agent, input: Record<string, unknown>) =>
  JSON.parse((await agent.call("gate", input)).text) as Record<string, unknown>;

const spentIn = async (room: Room) => (await room.json(["costs"])).total_cost_usd;

describe.each(CLIENTS)("to a client of %s", (_, connect) => {
  test("no list shows the gate, before it was called and after; called, it answers", async () => {
    const room = newRoom();
    const agent = await connect(room, [], INSIDE);
    const names = async () => (await agent.tools()).map(({ name }) => name);
    expect(await names()).toEqual(FIVE);
    const file = transcriptOf(room);
    expect(await gate(agent, prompt(file))).toEqual({});
    respond(file, "msg_1", "a");
    expect(await gate(agent, batch(file, "a"))).toEqual({});
    expect(await names()).toEqual(FIVE);
    expect(await spentIn(room)).toBe(0.003);
  });

  test("all tools deny where Claude Code must be metered, until its hooks have asked for a conversation", async () => {
    const room = newRoom(REQUIRED);
    const agent = await connect(room, [], INSIDE);
    const ids = { session_id: "ses_1", agent_id: "ada" };
    for (const name of FIVE) {
      const { isError, text } = await agent.call(name, ids);
      expect({ name, isError }).toEqual({ name, isError: true });
      expect(text).toMatch(/^forbidden: .*hooks are not installed.*Tell a human\.$|^forbidden: .*install claude-code/);
    }
    for (const input of [{}, { event: "SessionEnd" }, prompt("/etc/passwd.jsonl")]) await gate(agent, input);
    expect((await agent.call("check_budget", { agent_id: "ada" })).isError).toBe(true);
    expect(await gate(agent, prompt(transcriptOf(room)))).toEqual({});
    expect((await agent.call("check_budget", { agent_id: "ada" })).isError).toBe(false);
  });
});

test("a new server lets the tools of a conversation work that was metered before; other clients are asked nothing", async () => {
  const room = newRoom(REQUIRED);
  const first = await modern(room, [], INSIDE);
  await gate(first, prompt(transcriptOf(room)));
  await first.leave();
  const again = await modern(room, [], INSIDE);
  expect((await again.call("check_budget", { agent_id: "ada" })).isError).toBe(false);
  const other = await modern(room, [], { ...INSIDE, CLAUDE_CODE_SESSION_ID: "conversation-2" });
  expect((await other.call("check_budget", { agent_id: "ada" })).isError).toBe(true);
  const outside = await modern(room);
  expect((await outside.call("check_budget", { agent_id: "ada" })).isError).toBe(false);
});

test.each([
  ["/mcp of 2026-07-28", modernOverHttp],
  ["/mcp of 2025-11-25", legacyOverHttp],
  ["/mcp of the SDK of the 2025 era", oldOverHttp],
  ["/sse", oldOverSse],
] as const)("over %s there is no gate", async (_, connect) => {
  const agent = await connect(newRoom());
  expect((await agent.tools()).map(({ name }) => name)).toEqual(FIVE);
  const called = await agent.call("gate", prompt("/x.jsonl")).catch((error: Error) => ({ text: error.message }));
  expect(called.text).toMatch(/gate not found|unknown tool/i);
});

test("a model of Claude Code that calls it is turned away: nothing is read, opened, ended or renewed for it", async () => {
  const room = newRoom();
  const client = new Client(INFO);
  onTestFinished(() => client.close());
  const args = [CLI, "stdio"];
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args, env: { ...room.env, ...INSIDE }, cwd: room.folder }),
  );
  const file = transcriptOf(room);
  respond(file, "msg_1", "a");
  for (const input of [
    prompt(file),
    batch(file, "a"),
    { event: "SubagentStop", transcript_path: file, agent_id: "x" },
  ]) {
    const answer = await client.callTool({
      name: "gate",
      arguments: input,
      _meta: { "claudecode/toolUseId": "toolu_1" },
    });
    expect(answer).toMatchObject({ isError: true, content: [{ text: expect.stringContaining("hooks alone") }] });
  }
  expect((await room.json(["sessions"])).sessions).toEqual([]);
});

test("what a model of another client says to the gate frees it of reporting nothing", async () => {
  const room = newRoom();
  const agent = await modern(room);
  await gate(agent, {});
  respond(transcriptOf(room), "msg_1", "a");
  await gate(agent, batch(transcriptOf(room), "a"));
  const opened = await agent.call("open_session", { agent_id: "ada" });
  const { session_id } = opened.data;
  await agent.call("report_usage", { session_id, model: "claude-sonnet-5", input_tokens: 1000, output_tokens: 100 });
  expect(await spentIn(room)).toBe(0.006);
});

test.each(["SIGINT", "SIGTERM", "the end of its input"])(
  "on %s the rest is booked and the session ended, in half a second",
  async (way) => {
    const room = newRoom();
    const agent = await modern(room, [], INSIDE);
    const file = transcriptOf(room);
    await gate(agent, prompt(file));
    for (let nth = 0; nth < 500; nth++) respond(file, `msg_${nth}`, `c${nth}`);
    const from = performance.now();
    if (way === "the end of its input") await agent.leave();
    else process.kill(agent.pid, way);
    while (isAlive(agent.pid)) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(performance.now() - from).toBeLessThan(500);
    expect(await spentIn(room)).toBeCloseTo(1.5, 9);
    const { sessions } = (await room.json(["sessions"])) as { sessions: { status: string }[] };
    expect(sessions.map(({ status }) => status)).toEqual(["success"]);
  },
);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
