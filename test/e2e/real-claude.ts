// Finds the real Claude Code before the end-to-end tests, or fetches it once by npm; without it they are skipped, aloud.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";

/** What the tests were written against: Claude Code 2.1.330. Transcripts and hooks are no stable interface. */
const VERSION = "0.3.330";
/** Some 175 MB, once. */
const FETCH_PATIENCE_MS = 300_000;
const NODE_MODULES = fileURLToPath(new URL("../../node_modules/", import.meta.url));

declare module "vitest" {
  // biome-ignore lint/style/useConsistentTypeDefinitions: vitest's own interface is added to, which a type cannot do.
  interface ProvidedContext {
    /** The client's executable; "" = it is not here. */
    claude: string;
  }
}

/** Before the first file of the project. */
export async function setup(project: TestProject): Promise<void> {
  const claude = await find().catch((error: Error) => {
    const why = error.message.split("\n")[0];
    console.warn(`SKIPPED: the end-to-end tests (test/e2e) need the real Claude Code: ${why}`);
    return "";
  });
  project.provide("claude", claude);
}

async function find(): Promise<string> {
  const given = process.env.ASTRA_CLAUDE;
  if (given !== undefined) {
    if (existsSync(given)) return given;
    throw new Error("ASTRA_CLAUDE names no file.");
  }
  const name = `@anthropic-ai/claude-agent-sdk-${platform()}`;
  const executable = process.platform === "win32" ? "claude.exe" : "claude";
  const installed = join(NODE_MODULES, name, executable);
  if (existsSync(installed)) return installed;
  const cache = join(NODE_MODULES, ".cache", "astra-budget", `claude-${VERSION}-${platform()}`);
  if (!existsSync(cache)) await fetchPackage(`${name}@${VERSION}`, cache);
  return join(cache, executable);
}

/** As the packages are named: linux-x64, linux-arm64-musl, darwin-arm64, win32-x64 … */
function platform(): string {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  const isMusl = process.platform === "linux" && report.header?.glibcVersionRuntime === undefined;
  return `${process.platform}-${process.arch}${isMusl ? "-musl" : ""}`;
}

/** npm checks what it fetched; the last step is one rename, so a cache is whole or not there. */
async function fetchPackage(spec: string, cache: string): Promise<void> {
  mkdirSync(join(cache, ".."), { recursive: true });
  const folder = mkdtempSync(`${cache}-`);
  const run = (command: string, args: readonly string[]) =>
    promisify(execFile)(command, args, {
      cwd: folder,
      timeout: FETCH_PATIENCE_MS,
      // npm is a script on Windows, which only a shell starts.
      shell: process.platform === "win32",
    });
  try {
    console.warn(`fetching ${spec}, once, into node_modules/.cache`);
    const { stdout } = await run("npm", ["pack", spec, "--silent"]);
    await run("tar", ["-xzf", stdout.trim()]);
    renameSync(join(folder, "package"), cache);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
