// Codex's rollouts: one account of each response, in the newer form and the older, and none of a copied history.
import { describe, expect, test } from "vitest";
import { Rollout, type RolloutLine } from "../../../src/meters/codex/rollout.ts";
import { fixtureLines, jsonLine } from "../fixtures.ts";

const PARENT = "01a2b3c4-0000-7000-8000-00000000000a";
const CHILD = "01a2b3c4-0000-7000-8000-00000000000b";
const at = (second: number, ms = 0) => Date.UTC(2026, 10, 20, 9, 0, second, ms);

function read(lines: readonly Buffer[]): RolloutLine[] {
  const rollout = new Rollout();
  return lines.map((line) => rollout.read(line)).filter((line) => line.kind !== "other");
}
const responses = (lines: readonly Buffer[]) =>
  read(lines).map((line) => (line.kind === "response" ? line.response : line));

const ROLLOUT = fixtureLines("codex/rollout-records.jsonl");
const COUNTS = fixtureLines("codex/rollout-counts.jsonl");

/** The first three lines and the first record, changed. */
function changed(change: (line: Record<string, unknown>, payload: Record<string, unknown>) => void): RolloutLine[] {
  const line = JSON.parse(String(ROLLOUT[6]));
  change(line, line.payload);
  return read([...ROLLOUT.slice(0, 3), jsonLine(line)]);
}

/** Older events after the given times and counts: input and output of the total, then of the last response. */
function counted(
  meta: object,
  ...events: [time: number, total: [number, number], last?: [number, number]][]
): RolloutLine[] {
  const usage = (two?: [number, number]) => two && { input_tokens: two[0], output_tokens: two[1] };
  const stamp = (time: number) => new Date(at(0) + time).toISOString();
  return read([
    jsonLine({ timestamp: stamp(0), type: "session_meta", payload: { id: CHILD, ...meta } }),
    ...events.map(([time, total, last]) =>
      jsonLine({
        timestamp: stamp(time),
        type: "event_msg",
        payload: { type: "token_count", info: { total_token_usage: usage(total), last_token_usage: usage(last) } },
      }),
    ),
  ]);
}
const counts = (lines: readonly RolloutLine[]) =>
  lines.map((line) => (line.kind === "response" ? [line.response.inputTokens, line.response.outputTokens] : line));

describe("a rollout with records", () => {
  test("tells each response once, the kinds of input apart, with its turn's model and what it called", () => {
    const plain = { provider: null, cacheWrite1hTokens: 0, speed: "standard", region: null };
    expect(read(ROLLOUT).map((line) => line.kind === "response" && [line.isSidechain, line.threadId])).toEqual(
      Array(3).fill([false, PARENT]),
    );
    expect(responses(ROLLOUT)).toEqual([
      {
        ...plain,
        responseId: "resp_1",
        model: "gpt-5.2-codex",
        occurredAt: at(3),
        inputTokens: 2000,
        outputTokens: 300,
        cacheReadTokens: 8000,
        cacheWriteTokens: 0,
        webSearches: 1,
        toolCalls: [{ id: "call_1", tool: "exec_command" }],
      },
      {
        ...plain,
        responseId: "resp_2",
        model: "gpt-5.2-codex",
        occurredAt: at(6),
        inputTokens: 1000,
        outputTokens: 50,
        cacheReadTokens: 9000,
        cacheWriteTokens: 1000,
        webSearches: 0,
        toolCalls: [],
      },
      {
        ...plain,
        responseId: "resp_3",
        model: "gpt-5.2",
        occurredAt: at(12),
        inputTokens: 12000,
        outputTokens: 10,
        cacheReadTokens: 0,
        cacheWriteTokens: 0,
        webSearches: 0,
        toolCalls: [],
      },
    ]);
  });

  test("leaves the calls of a response that was broken off, or of a copied history, to nobody", () => {
    const [begin, turn, , call, , , record] = ROLLOUT as [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer];
    expect(responses([begin, turn, call, turn, record])).toMatchObject([{ toolCalls: [] }]);
    const fork = fixtureLines("codex/rollout-fork-restamped.jsonl");
    const withoutOwnTurn = fork.filter((line, i) => i < 3 || !line.includes("turn_context"));
    expect(responses(withoutOwnTurn)).toMatchObject([{ toolCalls: [{ id: "call_3", tool: "shell" }] }]);
  });

  test("marks a record of another thread as that thread's copy", () => {
    expect(changed((_, payload) => (payload.thread_id = CHILD))).toMatchObject([
      { kind: "response", isSidechain: true },
    ]);
    expect(changed((_, payload) => delete payload.thread_id)).toMatchObject([{ kind: "response", isSidechain: false }]);
  });

  test("names a model that no turn told unknown, and counts it", () => {
    expect(responses([ROLLOUT[0] as Buffer, ROLLOUT[6] as Buffer])).toMatchObject([
      { model: "unknown", outputTokens: 300 },
    ]);
  });

  test("never counts input below zero where its parts exceed it", () => {
    const usage = { input_tokens: 10, cached_input_tokens: 20, cache_write_input_tokens: 5, output_tokens: 1 };
    expect(changed((_, payload) => (payload.usage = usage))).toMatchObject([
      { response: { inputTokens: 0, cacheReadTokens: 20, cacheWriteTokens: 5 } },
    ]);
  });

  test.for<[string, string, Parameters<typeof changed>[0]]>([
    ["no usage", "no_usage", (_, payload) => delete payload.usage],
    ["half a usage", "bad_usage", (_, payload) => (payload.usage = { input_tokens: 1 })],
    ["a count below zero", "bad_usage", (_, payload) => (payload.usage = { input_tokens: -1, output_tokens: 1 })],
    ["no id", "bad_id", (_, payload) => delete payload.response_id],
    ["an id with a space", "bad_id", (_, payload) => (payload.response_id = "resp 1")],
    ["no time", "bad_time", (line) => delete line.timestamp],
  ])("tells a record with %s as damaged", ([, what, change]) => {
    expect(changed(change)).toEqual([{ kind: "fault", what }]);
  });

  test("tells a broken line, and passes over one without anything in it", () => {
    expect(read([Buffer.from(`{"type":"token_usage_record","payl`)])).toEqual([{ kind: "fault", what: "not_json" }]);
    expect(read([Buffer.from(`{"type":"token_usage_record"}`), Buffer.from("\0\x01"), Buffer.alloc(0)])).toEqual([]);
  });
});

describe("an older rollout, which has only running totals", () => {
  test("tells each step once, under an id that is the same whenever it is read", () => {
    expect(responses(COUNTS)).toMatchObject([
      {
        responseId: `${PARENT}:1000-100`,
        model: "gpt-5-codex",
        occurredAt: at(3),
        inputTokens: 1000,
        outputTokens: 100,
        cacheReadTokens: 0,
        toolCalls: [{ id: "call_1", tool: "apply_patch" }],
      },
      {
        responseId: `${PARENT}:2500-150`,
        occurredAt: at(6),
        inputTokens: 600,
        outputTokens: 50,
        cacheReadTokens: 900,
        toolCalls: [{ id: "call_2", tool: "local_shell" }],
      },
    ]);
    expect(read(COUNTS)).toEqual(read(COUNTS));
  });

  test("leaves out a fork's copied history, whether its times are those of the copy or of the originals", () => {
    expect(responses(fixtureLines("codex/rollout-fork-restamped.jsonl"))).toMatchObject([
      {
        responseId: `${CHILD}:4500-190`,
        occurredAt: at(23),
        inputTokens: 500,
        cacheReadTokens: 1500,
        outputTokens: 40,
        toolCalls: [{ id: "call_3", tool: "shell" }],
      },
    ]);
    expect(responses(fixtureLines("codex/rollout-spawned.jsonl"))).toMatchObject([
      { responseId: `${CHILD}:700-20`, model: "gpt-5-codex-mini", inputTokens: 700, outputTokens: 20 },
      { responseId: `${CHILD}:1500-45`, inputTokens: 200, cacheReadTokens: 600, outputTokens: 25 },
    ]);
  });

  test("takes a copy that needs longer to write for a copy to its end, and what follows a pause for the thread's own", () => {
    const copy = counted(
      { parent_thread_id: PARENT },
      [600, [100, 1]],
      [1200, [200, 2]],
      [1900, [300, 3]],
      [3000, [450, 7]],
      [3100, [460, 8]],
    );
    expect(counts(copy)).toEqual([
      [150, 4],
      [10, 1],
    ]);
  });

  test("counts of a thread that goes on from another file's total only its own responses", () => {
    expect(
      counts(counted({ forked_from_id: PARENT }, [5000, [3_000_000_000, 900], [50, 5]], [9000, [3_000_000_070, 912]])),
    ).toEqual([
      [50, 5],
      [70, 12],
    ]);
    expect(counts(counted({}, [100, [500, 9], [50, 5]]))).toEqual([[50, 5]]);
    expect(counts(counted({}, [100, [500, 9]]))).toEqual([[500, 9]]);
  });

  test("counts on when the total begins anew, and nothing when it repeats", () => {
    expect(counts(counted({}, [1, [100, 10]], [2, [100, 10]], [3, [40, 4]], [4, [50, 5]]))).toEqual([
      [100, 10],
      [40, 4],
      [10, 1],
    ]);
  });

  test("tells a damaged total, one larger than any response, and one of no thread", () => {
    expect(counted({}, [1, [-1, 10]])).toEqual([{ kind: "fault", what: "bad_usage" }]);
    expect(counted({}, [1, [5, 5]], [2, [2_000_000_000, 5]])).toMatchObject([
      { kind: "response" },
      { what: "bad_usage" },
    ]);
    expect(read(COUNTS.slice(1)).every((line) => line.kind === "fault" && line.what === "bad_id")).toBe(true);
  });
});
