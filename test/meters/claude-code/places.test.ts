// Where Claude Code's files are found: its root, a session's main file and its subagents', all conversations for an import.
import { mkdirSync, symlinkSync, utimesSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  claudeConversations,
  claudeRoot,
  sessionOfPath,
  subagentFiles,
  subagentsFolder,
} from "../../../src/meters/claude-code/places.ts";
import { put, temporaryFolder } from "../temporary.ts";

const SESSION = "ad6e0e88-0b1c-4d2e-8f3a-5b6c7d8e9f01";

describe("the root", () => {
  test("is in the home folder, or where Claude Code's own setting says", () => {
    expect(claudeRoot({})).toBe(join(homedir(), ".claude", "projects"));
    expect(claudeRoot({ CLAUDE_CONFIG_DIR: "" })).toBe(join(homedir(), ".claude", "projects"));
    expect(claudeRoot({ CLAUDE_CONFIG_DIR: "/elsewhere" })).toBe(join("/elsewhere", "projects"));
  });
});

describe("a session's files", () => {
  test("are found from its main file: each subagent's transcript with its id", () => {
    const root = fileURLToPath(new URL("../fixtures/claude-code/", import.meta.url));
    const main = join(root, "-home-u-proj", `${SESSION}.jsonl`);
    const path = join(root, "-home-u-proj", SESSION, "subagents", "agent-a5540c1d.jsonl");
    expect(subagentFiles(main)).toEqual([{ agentId: "a5540c1d", path }]);
  });

  test("are sorted, those in deeper folders included, those with other names, folders and links left out", () => {
    const main = join(temporaryFolder(), "s.jsonl");
    const folder = subagentsFolder(main);
    expect(subagentFiles(main)).toEqual([]);
    const outside = put(join(temporaryFolder(), "agent-outside.jsonl"), "");
    for (const name of ["agent-b.jsonl", "agent-a.jsonl", "deep/agent-c-1.jsonl"]) put(join(folder, name), "");
    for (const name of ["agent-a.meta.json", "agent-.jsonl", "agent-x y.jsonl", "notes.jsonl"])
      put(join(folder, name), "");
    mkdirSync(join(folder, "agent-d.jsonl"));
    symlinkSync(outside, join(folder, "agent-e.jsonl"));
    symlinkSync("..", join(folder, "loop"));
    expect(subagentFiles(main).map(({ agentId }) => agentId)).toEqual(["a", "b", "c-1"]);
  });

  test.for([
    [`/p/${SESSION}.jsonl`, SESSION],
    [`/p/${SESSION}/subagents/agent-a1.jsonl`, SESSION],
    [`/p/${SESSION}/subagents/deep/agent-a1.jsonl`, SESSION],
    [`C:\\p\\${SESSION}\\subagents\\agent-a1.jsonl`, SESSION],
    ["/p/agent-a1.jsonl", null],
    ["/subagents/agent-a1.jsonl", null],
    ["subagents/agent-a1.jsonl", null],
    ["agent-a1.jsonl", null],
    ["/p/a b/subagents/agent-a1.jsonl", null],
    ["/p/notes.txt", null],
    ["", null],
  ] as const)("%s is a file of session %s", ([path, session]) => {
    expect(sessionOfPath(path)).toBe(session);
  });
});

describe("all conversations", () => {
  const named = (root: string) =>
    claudeConversations(root).map(({ sessionId, files }) => [
      sessionId,
      ...files.map(({ path, agentId }) => `${path.slice(root.length + 1)} ${agentId}`),
    ]);

  test("come as they were last written to, with their sub-agents, those of old versions without a session at the end", () => {
    const root = temporaryFolder();
    const seconds = {
      "b/2.jsonl": 300,
      "b/1.jsonl": 100,
      "a/agent-x.jsonl": 50,
      "a/9.jsonl": 200,
      "a/9/subagents/agent-y.jsonl": 400,
      "a/9/subagents/deep/agent-z.jsonl": 100,
      "a/9/subagents/agent-y.meta.json": 100,
      "gone/subagents/agent-y.jsonl": 120,
      "stray.jsonl": 10,
      "not a session.jsonl": 10,
    };
    for (const [name, at] of Object.entries(seconds)) utimesSync(put(join(root, name), ""), at, at);
    symlinkSync(root, join(root, "loop"));
    expect(named(root)).toEqual([
      ["stray", "stray.jsonl null"],
      ["1", "b/1.jsonl null"],
      ["gone", "gone/subagents/agent-y.jsonl y"],
      ["2", "b/2.jsonl null"],
      ["9", "a/9.jsonl null", "a/9/subagents/agent-y.jsonl y", "a/9/subagents/deep/agent-z.jsonl z"],
      [null, "a/agent-x.jsonl x"],
    ]);
    expect(named(join(root, "none"))).toEqual([]);
    expect(named(join(root, "a"))).toHaveLength(2);
  });
});
