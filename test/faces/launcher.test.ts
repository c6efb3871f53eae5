// The launcher: on a Node that is too old it finds the one that `npm ci` brought along, and is otherwise not there.
import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { CLI, newRoom } from "./room.ts";

const SYSTEM_NODE = "/usr/bin/node";
const oldNode = ((): string | null => {
  if (!existsSync(SYSTEM_NODE)) return null;
  const [major = 0, minor = 0] = execFileSync(SYSTEM_NODE, ["--version"], { encoding: "utf8" })
    .slice(1)
    .split(".")
    .map(Number);
  return major < 22 || (major === 22 && minor < 18) ? SYSTEM_NODE : null;
})();
if (oldNode === null) console.warn(`SKIPPED: the launcher on an old Node, because ${SYSTEM_NODE} is none.`);

test.skipIf(oldNode === null)(
  "an old Node runs every command through the Node of the package, exit code and all",
  async () => {
    const room = newRoom("agents: [{ id: ada, dailyCostLimitUsd: 0 }]");
    const node = oldNode ?? "";
    expect(await room.run(["--version"], { node })).toEqual(await room.run(["--version"]));
    expect((await room.run(["costs"], { node })).stdout).toMatch(/^\$0\.00 from/);
    expect((await room.run(["costs", "--nope"], { node })).code).toBe(2);
    expect((await room.run(["check", "--agent", "ada"], { node })).code).toBe(3);
  },
);

test.skipIf(oldNode === null)("a server on an old Node serves, and ends with its input and on a signal", async () => {
  const room = newRoom("{}");
  for (const how of ["end", "SIGTERM"] as const) {
    const child = spawn(oldNode ?? "", [CLI, "stdio"], { cwd: room.folder, env: room.env });
    onTestFinished(() => void child.kill("SIGKILL"));
    child.stdin.write('{"jsonrpc":"2.0","id":1,"method":"ping"}\n');
    child.stdin.write('{"jsonrpc":"2.0","id":2,"method":"tools/list"}\n');
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const gone = new Promise<number | null>((resolve) => child.on("exit", resolve));
    const start = performance.now();
    if (how === "end") child.stdin.end();
    else child.kill(how);
    expect(await gone).toBe(0);
    expect(performance.now() - start).toBeLessThan(1000);
  }
});

test.skipIf(oldNode === null)(
  "an old Node without the package's own says what is needed, and does not crash",
  async () => {
    const room = newRoom();
    const dist = join(room.folder, "dist");
    mkdirSync(dist);
    cpSync(CLI, join(dist, "cli.js"));
    writeFileSync(join(room.folder, "package.json"), '{"type":"module"}');
    const child = spawn(oldNode ?? "", [join(dist, "cli.js"), "stdio"], { stdio: ["ignore", "pipe", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
    expect(code).toBe(2);
    expect(stderr).toMatch(/^astra-budget needs Node 22\.18 or later; this is \d+\.\d+\.\d+\. Install a newer Node/);
  },
);
