// A room of its own for a test: an empty folder with a ledger's and a policy's place, and the real command run in it.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

export const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

export type Run = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

export type Room = {
  readonly folder: string;
  readonly ledger: string;
  /** What every process in the room sees, and nothing of ours. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs `astra-budget ...args` to its end. */
  run(args: readonly string[], options?: { env?: Record<string, string>; node?: string; cwd?: string }): Promise<Run>;
  /** The same with --json, read. */
  json(args: readonly string[]): Promise<Record<string, unknown>>;
  write(name: string, text: string): string;
};

/** Gone when the test is over. Without a policy the built-in one applies. */
export function newRoom(policy?: string): Room {
  const folder = mkdtempSync(join(tmpdir(), "astra-budget-faces-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const ledger = join(folder, "data", "ledger.db");
  const env = { PATH: process.env.PATH ?? "", HOME: folder, ASTRA_LEDGER: ledger };
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  if (policy !== undefined) write("astra.yml", policy);
  const run: Room["run"] = (args, options = {}) =>
    runToEnd(options.node ?? process.execPath, [CLI, ...args], { ...env, ...options.env }, options.cwd ?? folder);
  return {
    folder,
    ledger,
    env,
    run,
    async json(args) {
      const { stdout, stderr } = await run([...args, "--json"]);
      if (stdout === "") throw new Error(stderr);
      return JSON.parse(stdout) as Record<string, unknown>;
    },
    write,
  };
}

function runToEnd(command: string, args: readonly string[], env: Record<string, string>, cwd: string): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
