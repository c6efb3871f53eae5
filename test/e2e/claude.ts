// The real Claude Code, headless, at home in a test's room, with the MCP servers and settings given and a mock as its API.
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { inject, onTestFinished } from "vitest";
import type { Room } from "../faces/room.ts";
import { MODEL } from "./mock-message.ts";

/** What `claude -p --output-format json` prints, as far as tests look at it. */
export type Result = {
  readonly type: "result";
  readonly session_id: string;
  readonly is_error: boolean;
  /** Absent where no model was asked. */
  readonly terminal_reason?: string;
  /** All that the session cost, in earlier runs and in subagents too. */
  readonly total_cost_usd: number;
  readonly result: string;
};

export type Ended = {
  readonly code: number | null;
  readonly result: Result;
  readonly stderr: string;
};

export type Claude = { readonly pid: number; readonly ended: Promise<Ended> };

export type Start = {
  readonly api: { readonly url: string };
  readonly mcpServers?: Readonly<Record<string, unknown>>;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
};

/** Longer than any run takes: a client that hangs fails its test by name. */
const PATIENCE_MS = 60_000;

/** Where the client is not installed, its tests are skipped: real-claude.ts says so. */
export const IS_ABSENT = inject("claude") === "";

/** Starts it on "hi" in the room's project, with its standard input closed; killed when the test is over. */
export function startClaude(room: Room, { api, mcpServers = {}, settings = {}, args = [], env = {} }: Start): Claude {
  const project = join(room.folder, "project");
  mkdirSync(project, { recursive: true });
  const mcp = room.write("mcp.json", JSON.stringify({ mcpServers }));
  const hooks = room.write("settings.json", JSON.stringify(settings));
  const given = ["--model", MODEL, "--mcp-config", mcp, "--settings", hooks, "--allowedTools", "Bash,Agent"];
  const child = spawn(inject("claude"), ["-p", "hi", "--output-format", "json", ...given, ...args], {
    cwd: project,
    env: { ...environment(room.folder, api.url), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: PATIENCE_MS,
    killSignal: "SIGKILL",
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const result = resultIn(stdout);
      if (result !== undefined) resolve({ code, result, stderr });
      else reject(new Error(`Claude Code ended with ${signal ?? code} and no result: ${stderr}${stdout}`));
    });
  });
  return { pid: child.pid ?? 0, ended };
}

/** Where it keeps its transcripts. */
export const transcriptsOf = (room: Room): string => join(room.folder, ".claude", "projects");

/** From empty: nothing of the machine's own settings, login or telemetry reaches the client. */
function environment(home: string, url: string): Record<string, string> {
  return {
    PATH: process.env.PATH ?? "",
    HOME: home,
    CLAUDE_CODE_TMPDIR: home,
    TERM: "dumb",
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: "dummy-local-key",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_AUTOUPDATER: "1",
    DISABLE_TELEMETRY: "1",
    DISABLE_ERROR_REPORTING: "1",
  };
}

/** One JSON object, or a list of messages of which the result is one. */
function resultIn(stdout: string): Result | undefined {
  if (!/^[{[]/.test(stdout)) return undefined;
  return [JSON.parse(stdout) as Result | Result[]].flat().find(({ type }) => type === "result");
}
