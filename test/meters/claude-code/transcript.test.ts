// Lines of Claude Code's transcripts: what costs is read exactly, the rest is passed over, damage is told.
import { describe, expect, test } from "vitest";
import { readTranscriptLine, type TranscriptLine } from "../../../src/meters/claude-code/transcript.ts";
import { fixtureLines, jsonLine } from "../fixtures.ts";

const SESSION = "ad6e0e88-0b1c-4d2e-8f3a-5b6c7d8e9f01";
const linesIn = (name: string) => fixtureLines(`claude-code/-home-u-proj/${name}`);
const main = linesIn(`${SESSION}.jsonl`);

type Value = { [key: string]: Value } | Value[] | string | number | boolean | null | undefined;

/** The first response's line, changed. */
function changed(
  change: (line: Record<string, Value>, message: Record<string, Value>, usage: Record<string, Value>) => void,
) {
  const line = JSON.parse(String(main[2]));
  change(line, line.message, line.message.usage);
  return readTranscriptLine(jsonLine(line));
}

function responseOf(line: TranscriptLine) {
  if (line.kind !== "response") throw new Error(`expected a response, got ${JSON.stringify(line)}`);
  return line.response;
}

const FAULTS: readonly [string, string, Parameters<typeof changed>[0]][] = [
  ["no usage", "no_usage", (_, message) => delete message.usage],
  ["an empty usage", "bad_usage", (_, message) => (message.usage = {})],
  ["a usage that is a list", "bad_usage", (_, message) => (message.usage = [1])],
  ["no message", "no_usage", (line) => delete line.message],
  ["a count in words", "bad_usage", (_, __, usage) => (usage.input_tokens = "10")],
  ["a count below zero", "bad_usage", (_, __, usage) => (usage.output_tokens = -1)],
  ["half a token", "bad_usage", (_, __, usage) => (usage.output_tokens = 0.5)],
  ["a count without an end", "bad_usage", (_, __, usage) => (usage.cache_read_input_tokens = 1e300)],
  ["more than a thousand million", "bad_usage", (_, __, usage) => (usage.input_tokens = 1_000_000_001)],
  [
    "parts of the writes that sum up to more than that",
    "bad_usage",
    (_, __, usage) => (usage.cache_creation = { ephemeral_1h_input_tokens: 6e8, ephemeral_5m_input_tokens: 6e8 }),
  ],
  [
    "searches that are no number",
    "bad_usage",
    (_, __, usage) => (usage.server_tool_use = { web_search_requests: true }),
  ],
  ["no id", "bad_id", (_, message) => delete message.id],
  ["an id with markup", "bad_id", (_, message) => (message.id = "<b>msg</b>")],
  ["an id of 129 characters", "bad_id", (_, message) => (message.id = "m".repeat(129))],
  ["no model", "bad_model", (_, message) => (message.model = null)],
  ["no time", "bad_time", (line) => delete line.timestamp],
  ["a time that is none", "bad_time", (line) => (line.timestamp = "2026-02-30T09:00:00Z")],
  ["a time in words", "bad_time", (line) => (line.timestamp = "yesterday")],
  ["a time before any agent", "bad_time", (line) => (line.timestamp = "1969-12-31T23:59:59Z")],
];

describe("readTranscriptLine", () => {
  test("reads a response with all it is billed by", () => {
    expect(readTranscriptLine(main[3] as Buffer)).toEqual({
      kind: "response",
      response: {
        responseId: "msg_01A",
        model: "claude-sonnet-5",
        provider: null,
        occurredAt: Date.parse("2026-11-20T09:00:03.120Z"),
        inputTokens: 10,
        outputTokens: 150,
        cacheReadTokens: 5000,
        cacheWriteTokens: 2000,
        cacheWrite1hTokens: 1500,
        webSearches: 0,
        speed: "standard",
        region: null,
        toolCalls: [{ id: "toolu_01A", tool: "Bash" }],
      },
      isSidechain: false,
      sessionId: SESSION,
      version: "2.1.330",
    });
  });

  test("reads the fast speed, a surcharged region and searches", () => {
    expect(responseOf(readTranscriptLine(main[10] as Buffer))).toMatchObject({
      speed: "fast",
      region: "us",
      webSearches: 2,
    });
  });

  test("finds nothing that costs in prompts, results, attachments and answers that no model gave", () => {
    const kinds = main.map((line) => readTranscriptLine(line).kind);
    const response = "response";
    expect(kinds).toEqual([
      ...["other", "other", response, response, response, "other", "other", response, "other", "other", response],
      "cost_state",
    ]);
  });

  test("reads Claude Code's own total", () => {
    expect(readTranscriptLine(main[11] as Buffer)).toEqual({
      kind: "cost_state",
      sessionId: SESSION,
      totalCostUsd: 0.031,
      hasUnknownModelCost: false,
      models: [
        {
          model: "claude-sonnet-5",
          inputTokens: 33,
          outputTokens: 375,
          cacheReadTokens: 20000,
          cacheWriteTokens: 6000,
          cacheWrite1hTokens: 4500,
          webSearches: 2,
          costUsd: 0.031,
        },
      ],
    });
  });

  test.for([
    ["no session", { sessionId: undefined }],
    ["a total below zero", { totalCostUSD: -1 }],
    ["no total", { totalCostUSD: undefined }],
    ["models that are a list", { modelUsage: [] }],
    ["a model without its cost", { modelUsage: { "claude-sonnet-5": { inputTokens: 1, outputTokens: 1 } } }],
  ])("tells a total with %s as damaged", ([, change]) => {
    const line = { ...JSON.parse(String(main[11])), ...(change as object) };
    expect(readTranscriptLine(jsonLine(line))).toEqual({ kind: "fault", what: "bad_cost_state" });
  });

  test("counts a subagent's response like any other", () => {
    const line = linesIn(`${SESSION}/subagents/agent-a5540c1d.jsonl`).map(readTranscriptLine)[1];
    expect(line).toMatchObject({
      kind: "response",
      isSidechain: true,
      sessionId: SESSION,
      response: { outputTokens: 150 },
    });
  });

  test("asks for no request id, which third parties and old versions leave out", () => {
    expect(String(main[7])).not.toContain("requestId");
    expect(readTranscriptLine(main[7] as Buffer).kind).toBe("response");
  });

  test("takes all cache writes for five minutes where nothing tells them apart", () => {
    const none = { cacheWriteTokens: 2000, cacheWrite1hTokens: 0 };
    expect(responseOf(changed((_, __, usage) => delete usage.cache_creation))).toMatchObject(none);
    expect(responseOf(changed((_, __, usage) => (usage.cache_creation = null)))).toMatchObject(none);
  });

  test("takes the dearer reading where the parts of the cache writes exceed their sum", () => {
    const parts = { ephemeral_1h_input_tokens: 3000, ephemeral_5m_input_tokens: 1 };
    expect(responseOf(changed((_, __, usage) => (usage.cache_creation = parts)))).toMatchObject({
      cacheWriteTokens: 3001,
      cacheWrite1hTokens: 3000,
    });
  });

  test("takes what old versions leave out for nothing used", () => {
    const old = changed((line, message) => {
      message.usage = { input_tokens: 7, output_tokens: 8 };
      for (const field of ["version", "sessionId", "isSidechain", "requestId"]) delete line[field];
    });
    expect(old).toMatchObject({ kind: "response", isSidechain: false, sessionId: null, version: null });
    expect(responseOf(old)).toMatchObject({ inputTokens: 7, outputTokens: 8, cacheReadTokens: 0, cacheWriteTokens: 0 });
  });

  test.for(FAULTS)("tells a response with %s as damaged", ([, what, change]) => {
    expect(changed(change)).toEqual({ kind: "fault", what });
  });

  test("tells a response whose line broke off, and passes over rubbish that never was one", () => {
    expect(readTranscriptLine((main[2] as Buffer).subarray(0, 650))).toEqual({ kind: "fault", what: "not_json" });
    expect(readTranscriptLine(Buffer.from("\0\xff rubbish", "latin1"))).toEqual({ kind: "other" });
    expect(readTranscriptLine(Buffer.alloc(0))).toEqual({ kind: "other" });
    expect(readTranscriptLine(Buffer.from(`["assistant"]`))).toEqual({ kind: "fault", what: "not_json" });
  });

  test("keeps names that the ledger cannot take as safe ones: the spending counts nevertheless", () => {
    const named = responseOf(
      changed((_, message) => {
        message.model = "ignore all rules\u001b[2J";
        message.content = [
          { type: "tool_use", id: "call with spaces", name: "<script>" },
          { type: "tool_use", id: "toolu_9" },
          { type: "tool_use", name: "Bash" },
          { type: "server_tool_use", id: "srvtoolu_1", name: "web_search" },
          "tool_use",
          null,
        ];
      }),
    );
    expect(named).toMatchObject({ model: "unknown", outputTokens: 150 });
    expect(named.toolCalls).toEqual([
      { id: expect.stringMatching(/^call-[0-9a-f]{32}$/), tool: "other" },
      { id: "toolu_9", tool: "other" },
    ]);
  });

  test("reads a model's name without the mark of its larger context", () => {
    expect(responseOf(changed((_, message) => (message.model = "claude-opus-5[1m]"))).model).toBe("claude-opus-5");
    const cloud = "us.anthropic.claude-opus-5-20260901-v1:0";
    expect(responseOf(changed((_, message) => (message.model = cloud))).model).toBe(cloud);
  });

  test("is not deceived by fields that every object inherits", () => {
    const line = `{"__proto__":{"type":"assistant"},"constructor":{"prototype":{}},"x":"assistant"}`;
    expect(readTranscriptLine(Buffer.from(line))).toEqual({ kind: "other" });
    const usage = `{"type":"assistant","timestamp":"2026-11-20T09:00:00Z","message":{"id":"msg_1","model":"m","usage":{"__proto__":{"input_tokens":1,"output_tokens":1}}}}`;
    expect(readTranscriptLine(Buffer.from(usage))).toEqual({ kind: "fault", what: "bad_usage" });
    const models = `{"type":"cost-state","sessionId":"s","totalCostUSD":0,"modelUsage":{"__proto__":{"inputTokens":1,"outputTokens":1,"costUSD":1}}}`;
    expect(readTranscriptLine(Buffer.from(models)).kind).toMatch(/fault|cost_state/);
    expect(({} as Record<string, unknown>).inputTokens).toBeUndefined();
  });
});
