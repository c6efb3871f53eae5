// OpenCode's plugin on the real command: each answer is booked once and exactly, and over budget nothing more is asked for.
import { chmodSync } from "node:fs";
import { delimiter } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { AstraBudget } from "../../plugin/opencode/astra-budget.js";
import { type HookRoom, newHookRoom } from "./hook-room.ts";
import { CLI } from "./room.ts";

const ROOT = "ses_dfb17322effeYcWVOWgnCZMZmH";
const CHILD = "ses_dfb13a642ffe8wIzypL67AGnyF";

/** The counts exclude each other: 11 at $3, 109 + 40 at $15, 5,000 at $0.30, 2,001 at $3.75 a million. */
const TOKENS = { input: 11, output: 109, reasoning: 40, cache: { read: 5000, write: 2001 } };
const ANSWER_USD = 0.01127175;
const NOT_BEGUN = { input: 0, output: 0, reasoning: 0, cache: { read: 0, write: 0 } };
type Info = { id: string; sessionID: string; role: string; tokens?: object | undefined };
const answer = (id: string, sessionID = ROOT, tokens: object = TOKENS) => ({
  id,
  sessionID,
  role: "assistant",
  tokens,
  modelID: "claude-sonnet-4-5",
  providerID: "anthropic",
  time: { created: Date.now() },
  cost: 0.0091,
});
const dollars = (count: number) => ({ opencode: Math.round(ANSWER_USD * 1e9 * count) / 1e9 });

describe("the hook", () => {
  const message = (more: object, ...messages: readonly object[]) => ({
    hook_event_name: "message.updated",
    session_id: ROOT,
    agent_id: null,
    model: "claude-sonnet-4-5",
    messages,
    ...more,
  });

  test("books an answer once, whoever's session it is in, and blocks over the cap", async () => {
    const room = newHookRoom(2);
    expect(await room.ask("opencode", message({}, answer("msg_1")))).toEqual({});
    expect(await room.ask("opencode", message({}, answer("msg_1")))).toEqual({});
    expect(await room.spent()).toEqual(dollars(1));
    const inChild = message({ agent_id: CHILD }, answer("msg_2", CHILD));
    const block = { decision: "block", reason: expect.stringMatching(/^astra-budget: Over budget/) };
    expect(await room.ask("opencode", inChild)).toEqual(block);
    expect(await room.ask("opencode", message({ hook_event_name: "chat.message" }))).toEqual(block);
    expect(await room.spent()).toEqual(dollars(2));
    expect(await room.sessions()).toHaveLength(1);
  });

  test("blocks for what it cannot read, and books what is whole", async () => {
    const room = newHookRoom(100);
    const block = (words: RegExp) => ({ decision: "block", reason: expect.stringMatching(words) });
    const damaged = message({}, answer("msg_1"), answer("msg_2", ROOT, { input: -1 }));
    expect(await room.ask("opencode", damaged)).toEqual(block(/cannot be read/));
    expect(await room.spent()).toEqual(dollars(1));
    for (const odd of ["", {}, message({ session_id: "../x" }), message({ messages: [{}] })])
      expect(await room.ask("opencode", odd)).toEqual(block(/not in a form/));
  });
});

/** OpenCode as the plugin sees it: what it would be told, and what it then does to the sessions. */
async function hosted(room: HookRoom, command = `exec ${process.execPath} ${CLI} "$@"`) {
  const program = room.put("bin/astra-budget", `#!/bin/sh\n${command}\n`);
  chmodSync(program, 0o700);
  vi.stubEnv("PATH", `${room.folder}/bin${delimiter}${process.env.PATH}`);
  vi.stubEnv("HOME", room.folder);
  vi.stubEnv("ASTRA_LEDGER", `${room.folder}/data/ledger.db`);
  const stored: Info[] = [];
  const aborted: string[] = [];
  const shown: string[] = [];
  const client = {
    session: {
      get: async ({ path }: { path: { id: string } }) => ({ data: { parentID: path.id === CHILD ? ROOT : undefined } }),
      messages: async ({ path }: { path: { id: string } }) => ({
        data: stored.filter(({ sessionID }) => sessionID === path.id).map((info) => ({ info })),
      }),
      abort: async ({ path }: { path: { id: string } }) => void aborted.push(path.id),
    },
    tui: { showToast: async ({ body }: { body: { message: string } }) => void shown.push(body.message) },
  };
  const hooks = await AstraBudget({ client, directory: room.folder });
  return {
    stored,
    aborted,
    shown,
    updated: (info: Info) => hooks.event({ event: { type: "message.updated", properties: { info } } }),
    prompt: (sessionID = ROOT) => hooks["chat.message"]({ sessionID }, { message: { model: undefined } }),
    call: (sessionID = ROOT) => hooks["chat.params"]({ sessionID }),
  };
}

describe.skipIf(process.platform === "win32")("the plugin", () => {
  test("lets a session go on under its cap, and books an answer that is told three times once", async () => {
    const room = newHookRoom(100);
    const { prompt, call, updated, aborted } = await hosted(room);
    await prompt();
    await updated({ id: "msg_0", sessionID: ROOT, role: "user" });
    await updated(answer("msg_1", ROOT, NOT_BEGUN));
    await call();
    for (let time = 0; time < 3; time++) await updated(answer("msg_1"));
    await call();
    expect(aborted).toEqual([]);
    expect(await room.spent()).toEqual(dollars(1));
  });

  test("aborts with the answer that crosses the cap, its sub-agents too, and takes no further prompt", async () => {
    const room = newHookRoom(2);
    const { prompt, call, updated, aborted, shown } = await hosted(room);
    await prompt();
    await updated(answer("msg_1"));
    await prompt(CHILD);
    // The model is about to be asked again while the answer is still being booked.
    await Promise.all([updated(answer("msg_2", CHILD)), call(CHILD)]);
    expect(aborted).toEqual([CHILD, CHILD]);
    await call();
    expect(aborted).toEqual([CHILD, CHILD, ROOT]);
    await expect(prompt()).rejects.toThrow(/^astra-budget: Over budget: \$0\.0225435 of \$0\.02/);
    expect(shown).toHaveLength(2);
  });

  test("books with the next prompt what was answered while nobody could be asked", async () => {
    const room = newHookRoom(100);
    const { prompt, stored } = await hosted(room);
    stored.push(answer("msg_1"), { id: "msg_0", sessionID: ROOT, role: "user" }, answer("msg_2"));
    await prompt();
    expect(await room.spent()).toEqual(dollars(2));
  });

  test("aborts for an answer whose counts are missing", async () => {
    const { updated, aborted, shown } = await hosted(newHookRoom(100));
    await updated({ ...answer("msg_1"), tokens: undefined });
    expect(aborted).toEqual([ROOT]);
    expect(shown).toEqual([expect.stringMatching(/cannot be read/)]);
  });

  test.for(["exit 3", "echo no answer", "exec no-such-command"])(
    "stops where the command fails: %s",
    async (command) => {
      const room = newHookRoom(100);
      const { prompt, call, updated, aborted, stored } = await hosted(room, command);
      await expect(prompt()).rejects.toThrow(/cannot be asked.*hook --help/);
      stored.push(answer("msg_1"));
      await updated(answer("msg_1"));
      await call();
      expect(aborted).toEqual([ROOT, ROOT]);
      const mended = await hosted(room);
      mended.stored.push(...stored);
      await mended.prompt();
      expect(await room.spent()).toEqual(dollars(1));
    },
  );
});
