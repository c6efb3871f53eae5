// Conversations of the past as their files tell them: each response once, with its thread, and where to read on.
import { appendFileSync, utimesSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { readClaudeConversation } from "../../../src/meters/claude-code/past.ts";
import { claudeConversations } from "../../../src/meters/claude-code/places.ts";
import { type PastFile, since } from "../../../src/meters/past-file.ts";
import { put, temporaryFolder } from "../temporary.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");

type Line = { id: string; at?: string; output?: number; tool?: string; session?: string; isSidechain?: boolean };

const line = ({ id, at = "2026-11-20T09:00:00Z", output = 10, tool, session = "s", isSidechain = false }: Line) =>
  `${JSON.stringify({
    type: "assistant",
    isSidechain,
    sessionId: session,
    timestamp: at,
    message: {
      id,
      role: "assistant",
      model: "claude-sonnet-5",
      content: tool === undefined ? [] : [{ type: "tool_use", id: tool, name: "Bash" }],
      usage: { input_tokens: 1, output_tokens: output },
    },
  })}\n`;

/** All conversations below a folder, read from where they are booked. */
const readAll = (root: string, booked: Readonly<Record<string, number>> = {}) =>
  claudeConversations(root).map((conversation) =>
    readClaudeConversation(
      root,
      {
        ...conversation,
        files: conversation.files.map((file): PastFile => ({ ...file, booked: booked[basename(file.path)] ?? 0 })),
      },
      NOW,
    ),
  );

const threadsOf = (read: ReturnType<typeof readAll>) =>
  read.flatMap(({ threads }) =>
    threads.map(({ threadId, parentId, responses }) => [
      threadId,
      parentId,
      responses.map(({ responseId, outputTokens, toolCalls }) => [responseId, outputTokens, toolCalls.length]),
    ]),
  );

const old = (file: string) => utimesSync(file, NOW / 1000 - 3600, NOW / 1000 - 3600);

describe("a conversation", () => {
  test("has each response once: in the main thread what its file tells, in a sub-agent's only its own", () => {
    const root = temporaryFolder();
    const text = line({ id: "m1", output: 1 }) + line({ id: "m1", output: 9, tool: "t1" }) + line({ id: "m2" });
    put(join(root, "p", "s.jsonl"), text);
    put(join(root, "p", "s", "subagents", "agent-a.jsonl"), line({ id: "m1", output: 9 }) + line({ id: "a1" }));
    expect(threadsOf(readAll(root))).toEqual([
      [
        "s",
        null,
        [
          ["m1", 9, 1],
          ["m2", 10, 0],
        ],
      ],
      ["s/a", "s", [["a1", 10, 0]]],
    ]);
  });

  test("is named by its lines where an old version kept a sub-agent's file beside the main one", () => {
    const root = temporaryFolder();
    put(join(root, "agent-a.jsonl"), line({ id: "a1", session: "s", isSidechain: true }));
    expect(threadsOf(readAll(root))).toEqual([["s/a", "s", [["a1", 10, 0]]]]);
  });

  test("at rest is booked to its end; one being written is read again from its newest response", () => {
    const root = temporaryFolder();
    const [first, begun] = [line({ id: "m1", tool: "t1" }), line({ id: "m2", tool: "t2" })];
    const file = put(join(root, "s.jsonl"), first + begun);
    const [busy] = readAll(root);
    expect(busy?.files).toEqual([{ path: file, bytes: first.length }]);
    appendFileSync(file, line({ id: "m2", tool: "t3" }));
    expect(threadsOf(readAll(root, { "s.jsonl": first.length }))).toEqual([["s", null, [["m2", 10, 2]]]]);
    old(file);
    expect(readAll(root)[0]?.files).toEqual([{ path: file, bytes: first.length + 2 * begun.length }]);
  });

  test("is read from the start where the file was replaced by a shorter one", () => {
    const root = temporaryFolder();
    put(join(root, "s.jsonl"), line({ id: "m1" }));
    expect(threadsOf(readAll(root, { "s.jsonl": 1_000_000 }))).toEqual([["s", null, [["m1", 10, 0]]]]);
  });

  test("names the first faulty lines of a file by their number, wherever reading began, and counts the rest", () => {
    const root = temporaryFolder();
    const head = `{"type":"user"}\n`;
    const faulty = `{"type":"assistant","message":{}}\n`;
    const path = put(join(root, "s.jsonl"), `${head}${line({ id: "m1" })}{"type":"assistant"\n${faulty.repeat(7)}`);
    const [whole] = readAll(root);
    expect([whole?.faults, whole?.files]).toEqual([8, []]);
    expect(whole?.named).toEqual([
      { path, line: 3, what: "not_json" },
      ...[4, 5, 6, 7].map((number) => ({ path, line: number, what: "no_usage" })),
    ]);
    expect(readAll(root, { "s.jsonl": head.length })[0]?.named[0]).toEqual({ path, line: 3, what: "not_json" });
  });

  test("of which the beginning is left out is not marked as booked", () => {
    const root = temporaryFolder();
    put(join(root, "s.jsonl"), line({ id: "m1", at: "2026-11-19T23:59:59Z" }) + line({ id: "m2" }));
    const [read] = readAll(root);
    if (!read) throw new Error("there is a conversation");
    const later = since(read, Date.parse("2026-11-20T00:00:00Z"));
    expect([threadsOf([later]), later.files]).toEqual([[["s", null, [["m2", 10, 0]]]], []]);
    expect(since(read, 0).files).toEqual(read.files);
    expect(dirname(read.files[0]?.path ?? "")).toBe(root);
  });
});
