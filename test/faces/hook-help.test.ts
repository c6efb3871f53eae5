// `hook --help`: the settings it shows can be pasted as they stand, and ask the gate that it means.
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { newRoom } from "./room.ts";

type Handler = { type: string; command: string; timeout: number };
type Settings = { hooks: Record<string, { hooks: Handler[] }[]> };

const help = async () => (await newRoom().run(["hook", "--help"])).stdout;
const blocks = (text: string) => [...text.matchAll(/^\{\n.*?^\}$/gms)].map(([block]) => JSON.parse(block));

test("shows settings that are whole, for each client whose hooks start a process", async () => {
  const [codex, gemini, opencode, ...more] = blocks(await help());
  expect(more).toEqual([]);
  const handlers = ({ hooks }: Settings) =>
    Object.entries(hooks).map(([event, groups]) => [event, groups.flatMap((group) => group.hooks)]);
  const one = (command: string, timeout: number) => [{ type: "command", command, timeout }];
  expect(Object.fromEntries(handlers(codex))).toEqual({
    UserPromptSubmit: one("astra-budget hook codex || exit 2", 60),
    PreToolUse: one("astra-budget hook codex", 60),
    SubagentStop: one("astra-budget hook codex", 60),
    Stop: one("astra-budget hook codex", 60),
  });
  expect(Object.fromEntries(handlers(gemini))).toEqual({
    BeforeAgent: one("astra-budget hook gemini-cli || exit 2", 60_000),
    BeforeModel: one("astra-budget hook gemini-cli || exit 2", 60_000),
    AfterAgent: one("astra-budget hook gemini-cli", 60_000),
  });
  expect(opencode.plugin).toHaveLength(1);
  expect(existsSync(opencode.plugin[0])).toBe(true);
});

test("names the clients where another is asked for, and stops whoever asks", async () => {
  const { code, stdout, stderr } = await newRoom().run(["hook", "cursor"]);
  expect({ code, answer: JSON.parse(stdout) }).toMatchObject({ code: 0, answer: { continue: false } });
  expect(stderr).toContain("CLIENT: expected claude-code, codex, gemini-cli, opencode");
});

test("stops a client in its own form where the options are wrong, and takes an agent's name for no client", async () => {
  const room = newRoom();
  const wrong = await room.run(["hook", "gemini-cli", "--colour", "red"]);
  expect(JSON.parse(wrong.stdout)).toMatchObject({ decision: "deny" });
  expect(wrong.stderr).toContain("unknown option");
  const claude = await room.run(["hook", "--agent", "codex"]);
  expect(claude.stderr).toContain("not in a form that astra-budget knows");
});
