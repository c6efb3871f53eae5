// OpenCode's messages: its counts exclude each other, thinking is billed as output, an answer not begun costs nothing.
import { describe, expect, test } from "vitest";
import { readMessage } from "../../../src/meters/opencode/message.ts";
import { fixture } from "../fixtures.ts";

const ROWS: readonly { id: string; data: Record<string, unknown> }[] = JSON.parse(fixture("opencode/messages.json"));
const ANSWER = ROWS[1]?.data;
const changed = (change: Record<string, unknown>, id = "msg_1") => readMessage(id, { ...ANSWER, ...change });

describe("readMessage", () => {
  test("reads an answer, and nothing from prompts and answers not begun", () => {
    expect(ROWS.map(({ id, data }) => readMessage(id, data))).toEqual([
      { kind: "other" },
      {
        kind: "response",
        response: {
          responseId: "msg_a2",
          model: "claude-sonnet-5",
          provider: "anthropic",
          occurredAt: 1795165204000,
          inputTokens: 10,
          outputTokens: 150,
          cacheReadTokens: 5000,
          cacheWriteTokens: 2000,
          cacheWrite1hTokens: 0,
          webSearches: 0,
          speed: "standard",
          region: null,
          toolCalls: [],
        },
      },
      { kind: "other" },
    ]);
  });

  test("reads an unfinished answer by the time it began, and one of an odd provider by its model", () => {
    const early = changed({ time: { created: 1795165201000 }, providerID: "a b", tokens: { input: 1, output: 2 } });
    expect(early).toMatchObject({
      response: { occurredAt: 1795165201000, provider: null, inputTokens: 1, outputTokens: 2, cacheReadTokens: 0 },
    });
  });

  test.for([
    ["no_usage", { tokens: undefined }],
    ["bad_usage", { tokens: { input: 1 } }],
    ["bad_usage", { tokens: { input: 1, output: Number.NaN } }],
    ["bad_usage", { tokens: { input: 1, output: 6e8, reasoning: 6e8 } }],
    ["bad_usage", { tokens: { input: 1, output: 1, cache: { read: -1 } } }],
    ["bad_model", { modelID: 7 }],
    ["bad_time", { time: { created: "now" } }],
    ["bad_time", { time: null }],
  ] as const)("tells damage: %s in %o", ([what, change]) => {
    expect(changed(change)).toEqual({ kind: "fault", what });
  });

  test("refuses an id that the ledger cannot take, and what is no message", () => {
    expect(changed({}, "msg 1")).toEqual({ kind: "fault", what: "bad_id" });
    for (const none of [null, undefined, [], "text", 7, {}])
      expect(readMessage("msg_1", none)).toEqual({ kind: "other" });
  });
});
