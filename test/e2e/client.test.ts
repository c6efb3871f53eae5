// The real Claude Code on the mock alone: what the other end-to-end tests stand on.
import { describe, expect, test } from "vitest";
import { newRoom } from "../faces/room.ts";
import { IS_ABSENT, startClaude } from "./claude.ts";
import { newMockApi } from "./mock-api.ts";
import { LOOP_END, loop, once, subagents, times } from "./scripts.ts";
import { expectCounted } from "./sums.ts";

const MUST_BE_HERE = process.env.CI === "true" && process.platform === "linux" && process.arch === "x64";

test("where CI runs on Linux, the real client is there and nothing below is skipped", () => {
  expect(MUST_BE_HERE && IS_ABSENT).toBe(false);
});

describe.skipIf(IS_ABSENT)("Claude Code on the mock", () => {
  test.for([
    { name: "one tool call", script: once, requests: 2 },
    { name: "a loop, which nothing stops before its end", script: loop, requests: LOOP_END + 1 },
    { name: "a subagent", script: subagents(1, once), requests: 2 + 2 },
    { name: "six subagents at once", script: subagents(6, times(2)), requests: 2 + 6 * 3 },
  ])("$name makes $requests requests and costs so many answers", async ({ script, requests }) => {
    const room = newRoom();
    const api = await newMockApi(script);
    const ended = await startClaude(room, { api }).ended;
    expect(ended).toMatchObject({ code: 0, stderr: "", result: { is_error: false, terminal_reason: "completed" } });
    expect(api.requests).toHaveLength(requests);
    expectCounted(room, api, ended);
  });

  test("at a real model's pace it makes the same requests", async () => {
    const api = await newMockApi(subagents(2, once), "slow");
    const { result } = await startClaude(newRoom(), { api }).ended;
    expect(api.requests).toHaveLength(2 + 2 * 2);
    expect(new Set(api.requests.map(({ agentId }) => agentId)).size).toBe(3);
    expect(new Set(api.requests.map(({ sessionId }) => sessionId))).toEqual(new Set([result.session_id]));
  });
});
