// Commands of installed packages, run to their end: the conformance suite and the Inspector.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

/** `output` is what it wrote to both streams. */
type Run = { readonly code: number; readonly stdout: string; readonly output: string };

const require = createRequire(import.meta.url);

/** Where a package's command lies, as its package.json says. */
export function commandOf(file: string): string {
  const { bin } = require(file) as { bin: string | Record<string, string> };
  return join(dirname(file), typeof bin === "string" ? bin : (Object.values(bin)[0] ?? ""));
}

/** Run in an empty folder that is its home, with nothing of ours in its environment. */
export function runCommand(command: string, args: readonly string[]): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), "astra-budget-command-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const env = { PATH: process.env.PATH ?? "", HOME: folder };
  return new Promise((resolve) => {
    const options = { cwd: folder, env, maxBuffer: 64_000_000 };
    execFile(process.execPath, [command, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, output: `${stdout}\n${stderr}` }),
    );
  });
}
