// Gemini CLI's chat files: messages that are written again and again count once, thoughts as output, cached input apart.
import { describe, expect, test } from "vitest";
import { type Collected, collect } from "../../../src/meters/collected.ts";
import { readChatLine } from "../../../src/meters/gemini/chat.ts";
import { fixtureLines, jsonLine } from "../fixtures.ts";

const CHAT = fixtureLines("gemini/session-2026-11-20T09-00-7da2.jsonl");
const FIRST = JSON.parse(String(CHAT[4]));

function collected(lines: readonly Buffer[]): Collected {
  const all: Collected = new Map();
  for (const line of lines.map(readChatLine))
    if (line.kind === "responses")
      for (const response of line.responses) collect(all, { response, isSidechain: false });
  return all;
}

const fault = (change: Record<string, unknown>) => readChatLine(jsonLine({ ...FIRST, ...change }));
const damaged = (what: string) => ({ kind: "responses", responses: [], faults: [what] });

describe("readChatLine", () => {
  test("reads each response once, however often it is written and whatever is taken back", () => {
    expect([...collected(CHAT).values()].map(({ response }) => response)).toEqual([
      {
        responseId: "7da20000-0000-4000-8000-000000000001",
        model: "gemini-2.5-pro",
        provider: null,
        occurredAt: Date.UTC(2026, 10, 20, 9, 0, 2),
        inputTokens: 200,
        outputTokens: 70,
        cacheReadTokens: 800,
        cacheWriteTokens: 0,
        cacheWrite1hTokens: 0,
        webSearches: 0,
        speed: "standard",
        region: null,
        toolCalls: [{ id: "run_shell_command-1", tool: "run_shell_command" }],
      },
      expect.objectContaining({ inputTokens: 240, outputTokens: 35, cacheReadTokens: 1000, toolCalls: [] }),
    ]);
  });

  test("reads the same from the history that a patch or an older file repeats", () => {
    expect(collected(CHAT.slice(8, 9))).toEqual(collected(CHAT));
    const { $set } = JSON.parse(String(CHAT[8]));
    expect(collected([jsonLine({ sessionId: "s1", messages: $set.messages })])).toEqual(collected(CHAT));
  });

  test("finds nothing in prompts, patches without messages, rewinds and messages not counted yet", () => {
    expect([0, 1, 2, 5, 7, 9].map((i) => readChatLine(CHAT[i] as Buffer))).toEqual(Array(6).fill({ kind: "other" }));
  });

  test("tells damage, and reads what is whole beside it", () => {
    expect(fault({ id: "<b>" })).toEqual(damaged("bad_id"));
    expect(fault({ model: undefined })).toEqual(damaged("bad_model"));
    expect(fault({ timestamp: "soon" })).toEqual(damaged("bad_time"));
    expect(fault({ tokens: { input: -1, output: 0 } })).toEqual(damaged("bad_usage"));
    expect(fault({ tokens: { input: 1, output: 6e8, thoughts: 6e8 } })).toEqual(damaged("bad_usage"));
    expect(readChatLine((CHAT[4] as Buffer).subarray(0, 180))).toEqual({ kind: "fault", what: "not_json" });
    const both = jsonLine({ $set: { messages: [FIRST, { ...FIRST, id: "" }, null, 7] } });
    expect(readChatLine(both)).toMatchObject({ responses: [{ responseId: FIRST.id }], faults: ["bad_id"] });
  });

  test("never counts input below zero, and takes names that do not fit as safe ones", () => {
    const odd = fault({
      tokens: { input: 5, output: 1, cached: 9 },
      model: "<b>",
      toolCalls: [{ id: "a b", name: "" }, {}, 1],
    });
    expect(odd).toMatchObject({
      responses: [{ inputTokens: 0, cacheReadTokens: 9, model: "unknown", toolCalls: [{ tool: "other" }] }],
    });
  });
});
