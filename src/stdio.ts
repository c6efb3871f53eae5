// `astra-budget stdio`: one MCP server on standard input and output, gone within a second of its client.
import { existsSync } from "node:fs";
import { mcpOverStdio } from "./faces/mcp-stdio.ts";
import { shownText } from "./faces/table.ts";
import { type StdioGate, stdioGate } from "./meters/claude-code/stdio-gate.ts";
import type { Context, Principal } from "./operations/operation.ts";
import { startDeliverer } from "./webhooks/deliverer.ts";

/** A write under way is finished; nothing else may keep the process alive longer than this. */
const PATIENCE_MS = 900;

export function runStdio(
  context: Context,
  principal: Principal,
  options: { version: string; ledgerFile: string },
): void {
  const log = (text: string) => process.stderr.write(`astra-budget: ${text}\n`);
  const onerror = (error: Error) => log(wireFault(error));
  const agentId = principal.kind === "agent" ? principal.agentId : null;
  const gate = stdioGate(context, process.env, { agentId, log });
  const caller = { context, principal: meteredBy(gate, principal) };
  const handle = mcpOverStdio(caller, { version: options.version, log, onerror, gate: gate.ask, admit: gate.admit });
  // Only a ledger that is there is looked at: a server that is not used makes none.
  const isReady = () => context.policy.webhooks.size > 0 && existsSync(options.ledgerFile);
  const deliverer = startDeliverer(context, { version: options.version, env: process.env, log, isReady });
  let leaving = false;
  const leave = async () => {
    if (leaving) return;
    leaving = true;
    setTimeout(() => process.exit(0), PATIENCE_MS).unref();
    await gate.close().catch((error) => log(String(error)));
    await deliverer.close();
    await context.ledger.close().catch((error) => log(String(error)));
    await handle.close();
    // An answer too long for the pipe is still on its way: to exit now would cut it in half.
    await new Promise<void>((written) => process.stdout.write("", () => written()));
    process.exit(0);
  };
  process.stdin.on("end", leave);
  process.stdin.on("close", leave);
  // The client may be gone before it reads the answer: that is no fault of ours.
  process.stdout.on("error", leave);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, leave);
  // Opening a ledger that is there costs the first call nothing then, and its faults are seen at once.
  if (existsSync(options.ledgerFile))
    context.ledger
      .read(nothing)
      .catch((error) => log(`${options.ledgerFile}: ${error instanceof Error ? error.message : String(error)}`));
}

/** The SDK's fault of a line in one line of ours: its own text is a page, with the client's text in it. */
function wireFault(error: Error): string {
  const isNoMessage = error instanceof SyntaxError || error.name.endsWith("ZodError");
  return isNoMessage ? "ignored a line that is no JSON-RPC message." : shownText(error.message);
}

/** The same caller, who is metered from the first hook on. */
function meteredBy(gate: StdioGate, principal: Principal): Principal {
  return principal.kind === "agent"
    ? {
        ...principal,
        get isMetered() {
          return gate.isMetering;
        },
      }
    : principal;
}

function* nothing(): Generator<never, void, never> {}
