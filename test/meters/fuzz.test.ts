// Spoilt, shuffled, repeated and broken session files: no reader fails, counts are counts, and nothing counts twice.
import { appendFileSync, closeSync, openSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MeteredResponse } from "../../src/core/metered.ts";
import { readTranscriptLine } from "../../src/meters/claude-code/transcript.ts";
import { Rollout } from "../../src/meters/codex/rollout.ts";
import { type Collected, collect } from "../../src/meters/collected.ts";
import { readChatLine } from "../../src/meters/gemini/chat.ts";
import { readLines } from "../../src/meters/line-reader.ts";
import { readMessage } from "../../src/meters/opencode/message.ts";
import { fitsAsId } from "../../src/meters/safe-names.ts";
import { fixture, fixtureLines, jsonLine } from "./fixtures.ts";
import { spoiltLine } from "./spoilt.ts";
import { linesOf, put, temporaryFolder } from "./temporary.ts";

const RUNS = 3000;
const MIB = 1024 * 1024;
/** No response has more tokens of a kind. */
const MAX_SANE = 1_000_000_000;

const folder = temporaryFolder();
const SESSION = "claude-code/-home-u-proj/ad6e0e88-0b1c-4d2e-8f3a-5b6c7d8e9f01";
const MAIN = fixtureLines(`${SESSION}.jsonl`);
const SUBAGENT = fixtureLines(`${SESSION}/subagents/agent-a5540c1d.jsonl`);
const ROLLOUTS = ["records", "counts", "fork-restamped", "spawned"].map((name) =>
  fixtureLines(`codex/rollout-${name}.jsonl`),
);
const CHAT = fixtureLines("gemini/session-2026-11-20T09-00-7da2.jsonl");
const MESSAGES = (JSON.parse(fixture("opencode/messages.json")) as readonly object[]).map(jsonLine);

function expectSane(response: MeteredResponse): void {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, cacheWrite1hTokens, webSearches } = response;
  for (const count of [inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, cacheWrite1hTokens, webSearches])
    expect(Number.isInteger(count) && count >= 0 && count <= MAX_SANE, `count ${count}`).toBe(true);
  expect(cacheWrite1hTokens).toBeLessThanOrEqual(cacheWriteTokens);
  expect(Number.isInteger(response.occurredAt) && response.occurredAt >= 0).toBe(true);
  const names = [response.responseId, response.model, response.provider ?? "none"];
  for (const name of [...names, ...response.toolCalls.flatMap(({ id, tool }) => [id, tool])])
    expect(fitsAsId(name), name).toBe(true);
}

describe("spoilt lines", () => {
  test("of Claude Code are read, passed over or told as damaged", () => {
    fc.assert(
      fc.property(spoiltLine([...MAIN, ...SUBAGENT]), (line) => {
        const read = readTranscriptLine(line);
        if (read.kind === "response") expectSane(read.response);
        if (read.kind !== "cost_state") return;
        for (const { model, ...figures } of read.models)
          for (const figure of Object.values(figures)) expect(figure, model).toBeGreaterThanOrEqual(0);
        expect(read.totalCostUsd).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: RUNS },
    );
  });

  test("of Codex, in whole files of them", () => {
    const lines = fc.oneof(...ROLLOUTS.map((rollout) => fc.array(spoiltLine(rollout), { maxLength: 12 })));
    fc.assert(
      fc.property(fc.constantFrom(...ROLLOUTS), lines, (whole, spoilt) => {
        const rollout = new Rollout();
        for (const line of [...whole.slice(0, 2), ...spoilt, ...whole]) {
          const read = rollout.read(line);
          if (read.kind === "response") expectSane(read.response);
        }
      }),
      { numRuns: RUNS / 3 },
    );
  });

  test("of Gemini CLI and OpenCode", () => {
    fc.assert(
      fc.property(spoiltLine(CHAT), (line) => {
        const read = readChatLine(line);
        if (read.kind === "responses") for (const response of read.responses) expectSane(response);
      }),
      { numRuns: RUNS },
    );
    fc.assert(
      fc.property(spoiltLine(MESSAGES), fc.oneof(fc.string(), fc.constant("msg_1")), (line, id) => {
        let row: unknown;
        try {
          row = JSON.parse(String(line));
        } catch {
          row = String(line);
        }
        const data = typeof row === "object" && row && "data" in row ? row.data : row;
        const read = readMessage(id, data);
        if (read.kind === "response") expectSane(read.response);
      }),
      { numRuns: RUNS },
    );
  });
});

/** Reads a transcript from an offset into what is known; gives the offset to go on from. */
function follow(file: string, from: number, into: Collected): number {
  const { lines, end } = linesOf(file, from);
  for (const line of lines.map(readTranscriptLine)) if (line.kind === "response") collect(into, line);
  return end;
}

const outcome = (known: Collected) => [...known].sort(([a], [b]) => (a < b ? -1 : 1));

function collectedFrom(files: readonly string[]): Collected {
  const known: Collected = new Map();
  for (const file of files) follow(file, 0, known);
  return known;
}

describe("transcripts", () => {
  const line = spoiltLine([...MAIN, ...SUBAGENT]).filter((bytes) => !bytes.includes("\n"));
  const lines = fc.array(fc.tuple(line, fc.constantFrom("a", "b")), { maxLength: 20 });

  test("tell the same in whatever order their lines stand, in whichever file, and however often", () => {
    const shuffled = lines.chain((list) =>
      fc.tuple(
        fc.constant(list),
        fc.shuffledSubarray([...list, ...list], { minLength: list.length * 2, maxLength: list.length * 2 }),
      ),
    );
    const write = (name: string, list: readonly (readonly [Buffer, string])[]) =>
      ["a", "b"].map((file) =>
        put(
          join(folder, `${name}-${file}`),
          Buffer.concat(list.filter(([, to]) => to === file).map(([one]) => withLf(one))),
        ),
      );
    fc.assert(
      fc.property(shuffled, fc.boolean(), ([list, again], swap) => {
        const other = again.map(([one, file]) => [one, swap ? "a" : file] as const);
        expect(outcome(collectedFrom(write("again", other)))).toEqual(outcome(collectedFrom(write("once", list))));
      }),
      { numRuns: 500 },
    );
  });

  test("tell the same read while they grow, in any steps, again from any offset, and after being cut and written anew", () => {
    fc.assert(
      fc.property(lines, fc.array(fc.nat(3000), { maxLength: 8 }), fc.nat(), (list, steps, again) => {
        const whole = Buffer.concat(list.map(([one]) => withLf(one)));
        const file = put(join(folder, "growing"), "");
        const known: Collected = new Map();
        let offset = 0;
        let written = 0;
        for (const step of [...steps, whole.length]) {
          appendFileSync(file, whole.subarray(written, written + step));
          written += step;
          offset = follow(file, offset, known);
        }
        expect(outcome(known)).toEqual(outcome(collectedFrom([put(join(folder, "whole"), whole)])));
        const before = structuredClone(outcome(known));
        follow(file, again % (whole.length + 1), known);
        truncateSync(file, whole.length >> 1);
        offset = follow(file, offset, known);
        appendFileSync(file, whole.subarray(whole.length >> 1));
        follow(file, offset, known);
        expect(outcome(known)).toEqual(before);
      }),
      { numRuns: 300 },
    );
  });

  test("are read on past a line of 100 MB, which is not held in memory", () => {
    const file = put(join(folder, "huge"), Buffer.concat(MAIN.slice(0, 5).map(withLf)));
    const rest = Buffer.concat([Buffer.from("\n"), ...MAIN.slice(5).map(withLf)]);
    const fd = openSync(file, "r+");
    try {
      const size = Buffer.concat(MAIN.slice(0, 5).map(withLf)).length;
      writeSync(fd, rest, 0, rest.length, size + 100 * MIB);
      const before = process.memoryUsage().rss;
      let most = 0;
      const known: Collected = new Map();
      const read = readLines(fd, 0, (line) => {
        most = Math.max(most, process.memoryUsage().rss - before);
        const told = readTranscriptLine(line);
        if (told.kind === "response") collect(known, told);
      });
      expect(read).toMatchObject({ tooLong: 1, end: size + 100 * MIB + rest.length });
      const usual = collectedFrom([put(join(folder, "usual"), Buffer.concat(MAIN.map(withLf)))]);
      expect(outcome(known)).toEqual(outcome(usual));
      expect(most).toBeLessThan(48 * MIB);
    } finally {
      closeSync(fd);
    }
  });
});

function withLf(line: Buffer): Buffer {
  return Buffer.concat([line, Buffer.from("\n")]);
}
