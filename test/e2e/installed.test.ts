// The guard as users put it in place, by the command or as the plugin: a real Claude Code ends its loop at the cap.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { CLI, type Room } from "../faces/room.ts";
import { CROSSING, roomWithCap, TIGHT_CENTS } from "./budget.ts";
import { IS_ABSENT, startClaude } from "./claude.ts";
import { newMockApi } from "./mock-api.ts";
import { LOOP_END, loop } from "./scripts.ts";
import { expectBooked } from "./sums.ts";

const PLUGIN = fileURLToPath(new URL("../../plugin", import.meta.url));

async function install(room: Room, ...args: string[]): Promise<void> {
  const { code, stderr } = await room.run(["install", "claude-code", "--ledger", room.ledger, ...args]);
  expect(stderr).toBe("");
  expect(code).toBe(0);
}

/** The package's command on a PATH, as `npm install -g` puts it there. */
function withCommand(room: Room): Record<string, string> {
  const folder = join(room.folder, "bin");
  mkdirSync(folder);
  const script = `#!/bin/sh\nexec "${process.execPath}" "${CLI}" "$@"\n`;
  writeFileSync(join(folder, "astra-budget"), script, { mode: 0o755 });
  return { PATH: `${folder}:${process.env.PATH}` };
}

describe.skipIf(IS_ABSENT)("Claude Code", () => {
  test.each([
    ["that ask the server", []],
    ["that start the command", ["--command-hooks"]],
  ])("with hooks %s is stopped at the cap, and is not once they are taken out", async (_, options) => {
    const room = roomWithCap(TIGHT_CENTS);
    await install(room, ...options);
    const api = await newMockApi(loop);
    const ended = await startClaude(room, { api }).ended;
    expect(ended).toMatchObject({ code: 0, stderr: "", result: { terminal_reason: "hook_stopped" } });
    expect(api.requests).toHaveLength(CROSSING);
    await expectBooked(room, api, ended);
    await room.run(["uninstall", "claude-code"]);
    const free = await newMockApi(loop);
    const { result } = await startClaude(room, { api: free }).ended;
    expect(result.terminal_reason).toBe("completed");
    expect(free.requests).toHaveLength(LOOP_END + 1);
  });

  test("with the plugin is stopped at the cap", async () => {
    const room = roomWithCap(TIGHT_CENTS);
    const env = {
      ...withCommand(room),
      ASTRA_CONFIG: join(room.folder, "astra.yml"),
      ASTRA_LEDGER: room.ledger,
    };
    const api = await newMockApi(loop);
    const ended = await startClaude(room, { api, env, args: ["--plugin-dir", PLUGIN] }).ended;
    expect(ended.result.terminal_reason).toBe("hook_stopped");
    expect(api.requests).toHaveLength(CROSSING);
    await expectBooked(room, api, ended);
  });

  test("with the hooks but without the server asks no model at all", async () => {
    const room = roomWithCap(TIGHT_CENTS);
    await install(room);
    writeFileSync(join(room.folder, ".claude.json"), "{}");
    const api = await newMockApi(loop);
    const { result } = await startClaude(room, { api }).ended;
    expect(result.result).toContain("blocked by hook");
    expect(api.requests).toHaveLength(0);
  });
});
