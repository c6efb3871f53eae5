// `astra-budget stdio`: one MCP server on standard input and output, gone within a second of its client.
import { existsSync } from "node:fs";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { mcpServer } from "./faces/mcp.ts";
import type { Context, Principal } from "./operations/operation.ts";

/** A write under way is finished; nothing else may keep the process alive longer than this. */
const PATIENCE_MS = 900;

export function runStdio(
  context: Context,
  principal: Principal,
  options: { version: string; ledgerFile: string },
): void {
  const log = (text: string) => process.stderr.write(`astra-budget: ${text}\n`);
  const handle = serveStdio(() => mcpServer(context, principal, { version: options.version, log }), {
    onerror: (error) => log(error.message),
  });
  let leaving = false;
  const leave = async () => {
    if (leaving) return;
    leaving = true;
    setTimeout(() => process.exit(0), PATIENCE_MS).unref();
    await context.ledger.close().catch((error) => log(String(error)));
    await handle.close();
    process.exit(0);
  };
  process.stdin.on("end", leave);
  process.stdin.on("close", leave);
  // The client may be gone before it reads the answer: that is no fault of ours.
  process.stdout.on("error", leave);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, leave);
  // Opening a ledger that is there costs the first call nothing then, and its faults are seen at once.
  if (existsSync(options.ledgerFile))
    context.ledger.read(nothing).catch((error) => log(error instanceof Error ? error.message : String(error)));
}

function* nothing(): Generator<never, void, never> {}
