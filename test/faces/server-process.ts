// The built server as a process of its own: `astra-budget serve` in a room, up to when it listens.
import { type ChildProcess, spawn } from "node:child_process";
import { onTestFinished } from "vitest";
import { CLI, type Room } from "./room.ts";
import { type Caller, callerAt } from "./server-room.ts";

export type ServerProcess = {
  readonly url: URL;
  /** What it has written to standard error so far. */
  stderr(): string;
  readonly child: ChildProcess;
  /** The owner keys that it showed. */
  keys(): string[];
  /** The first of them; "" where the ledger has its owner already. */
  readonly ownerKey: string;
  caller(key: string): Caller;
  /** Resolves with its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
};

/** Killed when the test is over. Rejects with what it said if it ends before it listens. */
export function startServer(
  room: Room,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<ServerProcess> {
  const child = spawn(process.execPath, [CLI, "serve", ...(args.includes("--port") ? [] : ["--port", "0"]), ...args], {
    cwd: room.folder,
    env: { ...room.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const gone = new Promise<number | null>((resolve) => child.on("close", resolve));
  let text = "";
  child.stdout.resume();
  return new Promise((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (more: string) => {
      text += more;
      const url = /listening: MCP at (http:\S+)mcp/.exec(text)?.[1];
      if (url === undefined) return;
      resolve({
        url: new URL(url),
        child,
        ownerKey: /shown this once: (oc_\S+)/.exec(text)?.[1] ?? "",
        stderr: () => text,
        keys: () => [...text.matchAll(/shown this once: (oc_\S+)/g)].map(([, key]) => key ?? ""),
        caller: (key) => callerAt(new URL(url), { "x-api-key": key }),
        stop: (signal = "SIGTERM") => {
          child.kill(signal);
          return gone;
        },
      });
    });
    gone.then((code) => reject(new Error(`exit ${code}: ${text}`)));
  });
}
