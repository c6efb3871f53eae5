// The real server as a process of its own: started, its key and address read from what it says, and stopped.
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

export type ServerProcess = {
  /** With a slash at its end. */
  readonly url: string;
  /** Of a first start; "" where a ledger has its owner already. */
  readonly ownerKey: string;
  readonly child: ChildProcess;
  /** All it said so far. */
  stderr(): string;
  /** Tells it to stop; its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
};

/** In a folder, on its ledger there, at any free port. */
export async function startServer(
  folder: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<ServerProcess> {
  const child = spawn(process.execPath, [CLI, "serve", "--port", "0", ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", HOME: folder, ASTRA_LEDGER: join(folder, "ledger.db"), ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let said = "";
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const [, found] = /listening: MCP at (\S+)mcp/.exec(said) ?? [];
      if (found) resolve(found);
    });
    void exited.then((code) => reject(new Error(`the server ended with ${code}: ${said}`)));
  });
  return {
    url,
    ownerKey: /oc_[\w-]{43}/.exec(said)?.[0] ?? "",
    child,
    stderr: () => said,
    stop: (signal = "SIGTERM") => {
      child.kill(signal);
      return exited;
    },
  };
}
