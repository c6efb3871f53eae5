// What ends a real Claude Code's run besides its cap: the operator, a server that is lost or never was, a missing transcript.
import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { gone } from "../process/servers.ts";
import { CROSSING, roomWithCap, signalServer, startBudgeted, TIGHT_CENTS, WIDE_CENTS } from "./budget.ts";
import { IS_ABSENT } from "./claude.ts";
import { newMockApi } from "./mock-api.ts";
import { loop, times } from "./scripts.ts";
import { expectBooked } from "./sums.ts";

describe.skipIf(IS_ABSENT)("a run of Claude Code", () => {
  test("ends when the operator stops everything, whatever is left of its budget", async () => {
    const room = roomWithCap(WIDE_CENTS);
    const api = await newMockApi(async (asked) => {
      if (asked.nth === 3) expect(await room.run(["stop", "--all", "--reason", "Enough"])).toMatchObject({ code: 0 });
      return loop(asked);
    });
    const ended = await startBudgeted(room, { api }).ended;
    expect(ended.result.terminal_reason).toBe("hook_stopped");
    expect(api.requests).toHaveLength(3);
    await expectBooked(room, api, ended);
  });

  test("does not begin where the server cannot start", async () => {
    const room = roomWithCap(TIGHT_CENTS);
    room.write("astra.yml", "agents: 5\n");
    const api = await newMockApi(loop);
    await startBudgeted(room, { api }).ended;
    expect(api.requests).toHaveLength(0);
  });

  test.for([
    { how: "--no-session-persistence", args: ["--no-session-persistence"], env: {} },
    { how: "CLAUDE_CODE_SKIP_PROMPT_HISTORY", args: [], env: { CLAUDE_CODE_SKIP_PROMPT_HISTORY: "1" } },
  ])("that keeps no transcript ($how) ends after its first answer, as nobody could count", async ({ args, env }) => {
    const api = await newMockApi(loop);
    const { result } = await startBudgeted(roomWithCap(WIDE_CENTS), { api, args, env }).ended;
    expect(result.terminal_reason).toBe("hook_stopped");
    expect(api.requests).toHaveLength(1);
  });

  test("that goes on with a kept session without keeping what it adds ends after two answers", async () => {
    const room = roomWithCap(WIDE_CENTS);
    await startBudgeted(room, { api: await newMockApi(times(1)) }).ended;
    const api = await newMockApi(loop);
    const { result } = await startBudgeted(room, { api, args: ["--continue", "--no-session-persistence"] }).ended;
    expect(result.terminal_reason).toBe("hook_stopped");
    expect(api.requests).toHaveLength(2);
  });
});

// Windows has no such signals, nor the tools to find a process by its parent.
describe.skipIf(IS_ABSENT || process.platform === "win32")("a server that is lost", () => {
  test("is followed by another, which holds the run to its cap", async () => {
    const room = roomWithCap(TIGHT_CENTS);
    const api = await newMockApi(async (asked) => {
      if (asked.nth === 3) {
        const pid = Number(
          execFileSync("pgrep", ["-P", String(client.pid), "-f", "cli.js stdio"], { encoding: "utf8" }),
        );
        process.kill(pid, "SIGKILL");
        await gone(pid);
      }
      return loop(asked);
    }, "slow");
    const client = startBudgeted(room, { api });
    const ended = await client.ended;
    expect(ended.result.terminal_reason).toBe("hook_stopped");
    expect(api.requests).toHaveLength(CROSSING);
    await expectBooked(room, api, ended);
  });

  test.for([
    // The client may have started another one before the gate is asked: the cap holds then.
    { how: "killed", signal: "KILL", atMost: CROSSING },
    { how: "froze", signal: "STOP", atMost: 3 },
  ] as const)("does not free the agent that $how it, and the next run books what was not seen", async (way) => {
    const room = roomWithCap(TIGHT_CENTS);
    const attack = { tool: "Bash", input: { command: signalServer(room, way.signal), description: "Be free" } };
    const api = await newMockApi((asked) => (asked.nth === 3 ? { text: "Freedom.", calls: [attack] } : loop(asked)));
    const { result } = await startBudgeted(room, { api }).ended;
    expect(result.terminal_reason).toBe("hook_stopped");
    expect(api.requests.length).toBeLessThanOrEqual(way.atMost);
    const next = await startBudgeted(room, { api, args: ["--continue"] }).ended;
    expect(api.requests).toHaveLength(CROSSING);
    await expectBooked(room, api, next);
  });
});
