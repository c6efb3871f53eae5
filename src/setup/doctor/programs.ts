// The programs that the guard needs: Node for the server, and Claude Code itself.
import { execFile } from "node:child_process";
import { basename } from "node:path";
import { promisify } from "node:util";
import { type Check, fault, isAtLeast, ok, warning } from "./check.ts";
import type { Entry } from "./server.ts";

/** The first version known to stop a session whose gate fails; older ones go on. */
const HONOURS_FAILURE = "2.1.330";
const PATIENCE_MS = 10_000;

const run = promisify(execFile);

/** The Node that the server's entry names; where it names none, the one that runs us, as the launcher finds it. */
export async function checkNode(entry: Entry | null, least: string): Promise<Check> {
  const named = entry && /^node(\.exe)?$/.test(basename(entry.command)) ? entry.command : null;
  const version = named ? await versionOf(named) : process.versions.node;
  const what = named ?? process.execPath;
  if (version !== null && isAtLeast(version, least)) return ok("node", `${version} (${what})`);
  const text = `${what} is ${version ?? "no Node that starts"}, expected ${least} or later`;
  return fault("node", text, "Install a newer Node (nodejs.org), then run `astra-budget install claude-code` with it.");
}

export async function checkClaude(): Promise<Check> {
  const version = await versionOf("claude");
  if (version === null) {
    const text = "there is no command `claude` on the PATH";
    return warning("claude code", text, "Install it, or take no notice where you use it in an editor only.");
  }
  if (isAtLeast(version, HONOURS_FAILURE)) return ok("claude code", version);
  const text = `${version} is older than ${HONOURS_FAILURE}: it may go on without a word where the gate fails`;
  return warning("claude code", text, "Update it: `claude update`.");
}

/** The first three numbers that `--version` prints; null if the program does not start. */
async function versionOf(command: string): Promise<string | null> {
  const options = { timeout: PATIENCE_MS, shell: process.platform === "win32" && command === "claude" };
  const { stdout } = await run(command, ["--version"], options).catch(() => ({ stdout: "" }));
  return /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? null;
}
