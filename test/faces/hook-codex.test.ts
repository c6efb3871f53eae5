// Codex's hooks, through the real command: rollouts are booked once and exactly, and what is over budget gets no next prompt.
import { describe, expect, test } from "vitest";
import { type HookRoom, lines, newHookRoom, stamp } from "./hook-room.ts";

const MAIN = "01a204e7-dba0-73d3-a47b-acd7f922dcd9";
const CHILD = "01a204eb-2607-7343-b521-e27071a5a559";
const fileOf = (thread: string) => `.codex/sessions/2026/11/22/rollout-2026-11-22T20-17-13-${thread}.jsonl`;

const meta = (id: string, more: object = {}) => ({
  timestamp: stamp(),
  type: "session_meta",
  payload: { id, ...more },
});
const turn = () => ({ timestamp: stamp(), type: "turn_context", payload: { model: "gpt-5.2-codex" } });

/** Input includes what was cached, output the reasoning: 1,998 at $1.75, 8,003 at $0.175, 301 at $14 a million. */
const USAGE = { input_tokens: 10001, cached_input_tokens: 8003, output_tokens: 301, reasoning_output_tokens: 200 };
const RESPONSE_USD = 0.009111025;
const record = (responseId: string, thread = MAIN) => ({
  timestamp: stamp(),
  type: "token_usage_record",
  payload: { thread_id: thread, session_id: MAIN, response_id: responseId, usage: USAGE },
});
const rollout = (...ids: readonly string[]) => lines(meta(MAIN), turn(), ...ids.map((id) => record(id)));

const input = (event: string, path: string | null, more: object = {}) => ({
  session_id: MAIN,
  turn_id: "01a204e7-dbb1-7f12-b777-e65340c2ff54",
  transcript_path: path,
  cwd: "/srv/proj",
  hook_event_name: event,
  model: "gpt-5.2-codex",
  permission_mode: "default",
  ...more,
});
const prompt = (path: string | null) => input("UserPromptSubmit", path, { prompt: "go on" });
const dollars = (count: number) => ({ codex: (RESPONSE_USD * 1e9 * count) / 1e9 });

/** A conversation whose first prompt was let through and answered so. */
async function answered(room: HookRoom, ...ids: readonly string[]): Promise<string> {
  const path = room.put(fileOf(MAIN), rollout());
  expect(await room.ask("codex", prompt(path))).toEqual({});
  room.put(fileOf(MAIN), rollout(...ids));
  return path;
}

describe("a Codex session", () => {
  test("goes on under its cap, and what it used is booked once, to the nano-dollar", async () => {
    const room = newHookRoom(10);
    const path = await answered(room, "resp_1", "resp_2");
    expect(await room.ask("codex", input("PreToolUse", path, { tool_name: "Bash", tool_use_id: "call_1" }))).toEqual(
      {},
    );
    expect(await room.spent()).toEqual(dollars(2));
    expect(await room.ask("codex", input("Stop", path))).toEqual({});
    expect(await room.ask("codex", prompt(path))).toEqual({});
    expect(await room.spent()).toEqual(dollars(2));
    expect(await room.sessions()).toMatchObject([{ status: "open", cost_usd: dollars(2).codex }]);
  });

  test("gets no prompt over its cap, and no other answer, since none would stop it", async () => {
    const room = newHookRoom(1);
    const path = await answered(room, "resp_1", "resp_2");
    for (const event of ["PreToolUse", "PostToolUse", "SubagentStop", "Stop", "SessionEnd"])
      expect(await room.ask("codex", input(event, path)), event).toEqual({});
    expect(await room.ask("codex", prompt(path))).toEqual({
      decision: "block",
      reason: expect.stringMatching(/^astra-budget: Over budget: \$0\.01822205 of \$0\.01 used \(session\)/),
    });
  });

  test("tells a person once that its cap is near", async () => {
    const room = newHookRoom(2);
    const path = await answered(room, "resp_1", "resp_2");
    expect(await room.ask("codex", input("Stop", path))).toEqual({
      systemMessage: "astra-budget: 91 % of $0.02 used (session).",
    });
    expect(await room.ask("codex", prompt(path))).toEqual({});
  });

  test("counts a sub-agent's rollout, and lets none begin over the cap", async () => {
    const room = newHookRoom(2);
    const path = await answered(room, "resp_1");
    const child = room.put(fileOf(CHILD), lines(meta(CHILD, { parent_thread_id: MAIN }), turn()));
    const begin = input("UserPromptSubmit", child, { agent_id: CHILD, agent_type: "default", prompt: "look" });
    expect(await room.ask("codex", begin)).toEqual({});
    const used = ["resp_c1", "resp_c2"].map((id) => record(id, CHILD));
    room.put(fileOf(CHILD), lines(meta(CHILD, { parent_thread_id: MAIN }), turn(), ...used));
    const end = input("SubagentStop", path, { agent_id: CHILD, agent_transcript_path: child });
    expect(await room.ask("codex", end)).toEqual({});
    expect(await room.spent()).toEqual(dollars(3));
    expect(await room.ask("codex", begin)).toMatchObject({ decision: "block" });
    expect(await room.sessions()).toHaveLength(1);
  });

  test("begins anew with a prompt after its end, not with what is left of the turn, and is charged for nothing twice", async () => {
    const room = newHookRoom(10);
    const path = await answered(room, "resp_1");
    await room.end();
    expect(await room.ask("codex", input("Stop", path))).toEqual({});
    expect(await room.sessions()).toMatchObject([{ cost_usd: RESPONSE_USD }]);
    expect(await room.ask("codex", prompt(path))).toEqual({});
    expect(await room.sessions()).toMatchObject([{ status: "open", cost_usd: 0 }, { cost_usd: RESPONSE_USD }]);
    expect(await room.spent()).toEqual(dollars(1));
  });

  test("is not charged for the history that a fork replays", async () => {
    const room = newHookRoom(100);
    const path = await answered(room, "resp_1", "resp_2");
    await room.ask("codex", input("Stop", path));
    const fork = lines(
      meta(CHILD, { forked_from_id: MAIN }),
      meta(MAIN),
      turn(),
      record("resp_1"),
      record("resp_2"),
      turn(),
      record("resp_3", CHILD),
    );
    const forked = room.put(fileOf(CHILD), fork);
    const resumed = { ...prompt(forked), session_id: CHILD };
    expect(await room.ask("codex", resumed)).toEqual({});
    expect(await room.ask("codex", resumed)).toEqual({});
    expect(await room.spent()).toEqual(dollars(3));
  });

  test("is read anew where its file was replaced by a shorter one", async () => {
    const room = newHookRoom(100);
    const path = await answered(room, "resp_1", "resp_2", "resp_3");
    await room.ask("codex", input("Stop", path));
    room.put(fileOf(MAIN), rollout("resp_4"));
    await room.ask("codex", input("Stop", path));
    expect(await room.spent()).toEqual(dollars(4));
  });

  test("is not looked at where nothing is asked", async () => {
    const room = newHookRoom(100);
    const path = await answered(room, "resp_1");
    expect(await room.ask("codex", input("SessionStart", path, { source: "startup" }))).toEqual({});
    expect(await room.spent()).toEqual({});
  });
});

describe("a gate that cannot read", () => {
  const refusal = (words: RegExp) => ({ decision: "block", reason: expect.stringMatching(words) });

  test("blocks the prompt where the rollout is missing, foreign or not kept at all, and says how to mend it", async () => {
    const room = newHookRoom(100);
    const missing = prompt(`${room.folder}/${fileOf(MAIN)}`);
    expect(await room.ask("codex", missing)).toEqual(refusal(/wrote no transcript.*--ephemeral/));
    expect(await room.ask("codex", prompt(null))).toEqual(refusal(/wrote no transcript/));
    const foreign = prompt(room.put("elsewhere/rollout.jsonl", rollout("resp_1")));
    expect(await room.ask("codex", foreign)).toEqual(refusal(/not lie in.*CODEX_HOME/));
    expect(await room.ask("codex", input("Stop", null))).toEqual({});
    expect(await room.spent()).toEqual({});
  });

  test("blocks one prompt for a damaged line, and books what stands beside it", async () => {
    const room = newHookRoom(100);
    const path = await answered(room);
    const damaged = lines({ ...record("resp_2"), payload: { response_id: "resp_2", usage: { input_tokens: -1 } } });
    room.put(fileOf(MAIN), `${rollout("resp_1")}${damaged}${lines(record("resp_3"))}`);
    expect(await room.ask("codex", prompt(path))).toEqual(refusal(/cannot be read\. Update astra-budget/));
    expect(await room.spent()).toEqual(dollars(2));
    expect(await room.ask("codex", prompt(path))).toEqual({});
  });

  test("waits for a line that is not whole yet", async () => {
    const room = newHookRoom(100);
    const path = await answered(room);
    const [whole, half] = [rollout("resp_1"), lines(record("resp_2")).slice(0, 90)];
    room.put(fileOf(MAIN), whole + half);
    expect(await room.ask("codex", prompt(path))).toEqual({});
    room.put(fileOf(MAIN), whole + lines(record("resp_2")));
    expect(await room.ask("codex", prompt(path))).toEqual({});
    expect(await room.spent()).toEqual(dollars(2));
  });

  test("blocks what is no hook's input, and what comes from a policy it cannot use", async () => {
    const room = newHookRoom(100);
    for (const odd of ["", "{", "[]", "null", { hook_event_name: "UserPromptSubmit", session_id: "../x" }])
      expect(await room.ask("codex", odd), JSON.stringify(odd)).toEqual(refusal(/not in a form.*hook --help/));
    room.put("astra.yml", "agents: 7\n");
    expect(await room.ask("codex", prompt(null))).toEqual(refusal(/The meter failed/));
  });

  test("lets through where the policy says so", async () => {
    const room = newHookRoom(100, "onMeterFailure: allow\n");
    expect(await room.ask("codex", prompt(null))).toEqual({});
    expect(await room.ask("codex", "{")).toEqual({});
  });
});
