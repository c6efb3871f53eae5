// What the HTTP benchmarks share: the real server as a process, the yardsticks, the load generator, and how to call.
import { type ChildProcess, fork, spawn } from "node:child_process";
import { join } from "node:path";
import type { Hits, Shot } from "./http-gun.ts";
import { CLI, ROOT } from "./measure.ts";

export type Served = { readonly url: string; readonly key: string; readonly pid: number; close(): Promise<void> };

/** `astra-budget serve` on a free port, with a rate limit that is counted and never met. */
export async function serveProcess(config: string, ledger: string, node: readonly string[] = []): Promise<Served> {
  const options = ["--config", config, "--ledger", ledger, "--port", "0", "--rate-limit", "1000000000"];
  const child = spawn(process.execPath, [...node, CLI, "serve", ...options], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  await new Promise<void>((resolve, reject) => {
    child.on("exit", () => reject(new Error(said)));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes("listening:")) resolve();
    });
  });
  const url = /MCP at (http:\/\/[^/]+)/.exec(said)?.[1] ?? "";
  return { url, key: /oc_\S+/.exec(said)?.[0] ?? "", pid: child.pid ?? 0, close: () => ended(child, "SIGTERM") };
}

export async function yardstickProcess(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const child = fork(join(ROOT, "bench", "empty-route.ts"));
  const { url } = await new Promise<{ url: string }>((resolve) => child.once("message", resolve));
  return { url, close: () => ended(child, "SIGKILL") };
}

export function gunProcess(): { fire(shot: Shot): Promise<Hits>; close(): Promise<void> } {
  const child = fork(join(ROOT, "bench", "http-gun.ts"));
  return {
    fire: (shot) =>
      new Promise((resolve, reject) => {
        child.once("message", ({ hits, error }: { hits?: Hits; error?: string }) =>
          hits ? resolve(hits) : reject(new Error(error)),
        );
        child.send(shot);
      }),
    close: () => ended(child, "SIGKILL"),
  };
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const gone = new Promise((done) => child.removeAllListeners("exit").once("exit", done));
  child.kill(signal);
  await gone;
}

export type Answer = Readonly<Record<string, unknown>>;

/** One request as the owner; `refusals` are answers too. */
export async function ask(
  { url, key }: Pick<Served, "url" | "key">,
  line: `${"GET" | "POST"} ${string}`,
  body?: object,
): Promise<{ status: number; answer: Answer }> {
  const [method = "", path = ""] = line.split(" ");
  const headers = { "x-api-key": key, "content-type": "application/json" };
  const response = await fetch(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  if (!response.ok && response.status !== 402) throw new Error(`${line}: ${response.status} ${await response.text()}`);
  return { status: response.status, answer: (await response.json()) as Answer };
}
