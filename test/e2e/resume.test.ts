// Claude Code goes on in an old session or forks one: its budget goes on too, and nothing is charged twice.
import { describe, expect, test } from "vitest";
import { CROSSING, roomWithCap, startBudgeted, TIGHT_CENTS, WIDE_CENTS } from "./budget.ts";
import { IS_ABSENT } from "./claude.ts";
import { newMockApi } from "./mock-api.ts";
import { loop, once } from "./scripts.ts";
import { expectBooked } from "./sums.ts";

describe.skipIf(IS_ABSENT)("a session of Claude Code", () => {
  test("that is over its cap asks no model again", async () => {
    const room = roomWithCap(TIGHT_CENTS);
    const api = await newMockApi(loop);
    const first = await startBudgeted(room, { api }).ended;
    const again = await startBudgeted(room, { api, args: ["--continue"] }).ended;
    expect(again.result).toMatchObject({
      session_id: first.result.session_id,
      result: expect.stringContaining("blocked by hook"),
    });
    expect(api.requests).toHaveLength(CROSSING);
    await expectBooked(room, api, again);
  });

  test("is charged for what it adds when it is resumed, and a fork not for what it copied", async () => {
    const room = roomWithCap(WIDE_CENTS);
    const api = await newMockApi(once);
    const first = await startBudgeted(room, { api }).ended;
    const resume = ["--resume", first.result.session_id];
    await expectBooked(room, api, await startBudgeted(room, { api, args: resume }).ended);
    expect(api.requests).toHaveLength(2 + 1);
    const fork = await startBudgeted(room, { api, args: [...resume, "--fork-session"] }).ended;
    expect(fork.result.session_id).not.toBe(first.result.session_id);
    expect(api.requests).toHaveLength(2 + 1 + 2);
    await expectBooked(room, api, fork);
  });
});
