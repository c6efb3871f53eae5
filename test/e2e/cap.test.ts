// A cap on a real Claude Code: a loop ends at the cap, and our sum is the client's own to the millionth of a dollar.
import { describe, expect, test } from "vitest";
import { CROSSING, roomWithCap, startBudgeted, startBudgetedByCommand, TIGHT_CENTS } from "./budget.ts";
import { IS_ABSENT } from "./claude.ts";
import { newMockApi, type Pace } from "./mock-api.ts";
import { ANSWER_USD } from "./mock-message.ts";
import { inBackground, loop, once, subagents, times } from "./scripts.ts";
import { expectBooked } from "./sums.ts";

/** Six threads meet it after two or three answers each. */
const PARALLEL_CENTS = 15;

const PACES: readonly Pace[] = ["instant", "slow"];

describe.skipIf(IS_ABSENT).each(PACES)("at %s answers", (pace) => {
  test("under the cap nothing is stopped, and the last answer is counted too", async () => {
    const room = roomWithCap(TIGHT_CENTS);
    const api = await newMockApi(times(3), pace);
    const ended = await startBudgeted(room, { api }).ended;
    expect(ended).toMatchObject({ code: 0, stderr: "", result: { terminal_reason: "completed", result: "Done." } });
    expect(api.requests).toHaveLength(4);
    await expectBooked(room, api, ended);
  });

  test("a loop makes no request after the answer that crosses the cap", async () => {
    const room = roomWithCap(TIGHT_CENTS);
    const api = await newMockApi(loop, pace);
    const ended = await startBudgeted(room, { api }).ended;
    expect(ended).toMatchObject({ code: 0, result: { is_error: false, terminal_reason: "hook_stopped" } });
    expect(api.requests).toHaveLength(CROSSING);
    await expectBooked(room, api, ended);
  });

  test("a looping subagent ends at its session's cap, and the main thread with it", async () => {
    const room = roomWithCap(TIGHT_CENTS);
    const api = await newMockApi(subagents(1, loop), pace);
    const ended = await startBudgeted(room, { api }).ended;
    expect(ended.result.terminal_reason).toBe("hook_stopped");
    expect(api.requests.filter(({ agentId }) => agentId === null)).toHaveLength(1);
    expect(api.requests).toHaveLength(CROSSING);
    await expectBooked(room, api, ended);
  });

  test("six looping subagents at once end under the cap: what all of them may ask next is reckoned with", async () => {
    const room = roomWithCap(PARALLEL_CENTS);
    const api = await newMockApi(subagents(6, loop), pace);
    const ended = await startBudgeted(room, { api }).ended;
    expect(ended.result.terminal_reason).toBe("hook_stopped");
    expect(ended.result.total_cost_usd).toBeLessThanOrEqual(PARALLEL_CENTS / 100);
    expect(ended.result.total_cost_usd).toBeGreaterThan(PARALLEL_CENTS / 100 - 6 * ANSWER_USD);
    await expectBooked(room, api, ended);
  });

  test("subagents in the background are held to it, and no prompt of theirs wakes the main thread", async () => {
    const room = roomWithCap(TIGHT_CENTS);
    const api = await newMockApi(inBackground(subagents(3, loop)), pace);
    const ended = await startBudgeted(room, { api }).ended;
    expect(ended.result.result).toContain("blocked by hook");
    expect(new Set(api.requests.map(({ agentId }) => agentId)).size).toBe(1 + 3);
    expect(api.requests.length).toBeLessThanOrEqual(CROSSING);
    await expectBooked(room, api, ended);
  });
});

describe.skipIf(IS_ABSENT)("by hooks that start a command", () => {
  test("a loop ends at the cap as well", async () => {
    const room = roomWithCap(TIGHT_CENTS);
    const api = await newMockApi(loop);
    const ended = await startBudgetedByCommand(room, { api }).ended;
    expect(ended.result.terminal_reason).toBe("hook_stopped");
    expect(api.requests).toHaveLength(CROSSING);
    await expectBooked(room, api, ended);
  });

  test("six subagents at once, whose gates know nothing of each other, overshoot by an answer each at most", async () => {
    const room = roomWithCap(PARALLEL_CENTS);
    const api = await newMockApi(subagents(6, loop));
    const ended = await startBudgetedByCommand(room, { api }).ended;
    // Where they stop short of the cap, what is left may do for the main thread's last words: not always "hook_stopped".
    expect(ended.result.total_cost_usd).toBeLessThan(PARALLEL_CENTS / 100 + 6 * ANSWER_USD);
    await expectBooked(room, api, ended);
  });
});

test.skipIf(IS_ABSENT)("no model is offered the gate, only what agents ask by themselves", async () => {
  const room = roomWithCap(TIGHT_CENTS);
  const api = await newMockApi(once);
  await startBudgeted(room, { api, env: { ENABLE_TOOL_SEARCH: "false" } }).ended;
  expect(api.requests[0]?.tools).toContain("mcp__astra-budget__check_budget");
  expect(api.requests[0]?.tools).not.toContain("mcp__astra-budget__gate");
});
