#!/usr/bin/env node
// The command's launcher: checks Node's version before anything native is loaded, then runs the command.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { fileURLToPath } from "node:url";

const LEAST = [22, 18];
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const isRecent = major > (LEAST[0] ?? 0) || (major === LEAST[0] && minor >= (LEAST[1] ?? 0));

if (isRecent) {
  module.enableCompileCache?.();
  const { main } = await import("./main.ts");
  await main(process.argv.slice(2));
} else {
  runOnNewerNode();
}

/** On an older Node the SQLite driver crashes without a word: use the Node that `npm ci` brought along, if it did. */
function runOnNewerNode(): void {
  const node = fileURLToPath(
    new URL(`../node_modules/node/bin/node${process.platform === "win32" ? ".exe" : ""}`, import.meta.url),
  );
  if (!existsSync(node)) {
    process.stderr.write(
      `astra-budget needs Node ${LEAST.join(".")} or later; this is ${process.versions.node}. Install a newer Node (nodejs.org), then run it again.\n`,
    );
    process.exitCode = 2;
    return;
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal ? 1 : 0);
  });
}
