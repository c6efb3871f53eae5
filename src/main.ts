// The command: reads its arguments, builds the context, runs one face.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { AstraError, type ErrorCode } from "./core/error.ts";
import type { Policy } from "./core/policy.ts";
import type { Context } from "./operations/operation.ts";
import { ledgerFile, openedAtFirstUse, policyFile } from "./place.ts";

/** 0 done; 1 a check found a difference, or our own fault; 2 wrong arguments or policy; 3 denied by the budget; 4 not found; 5 the ledger. */
const EXIT_CODES = {
  invalid_input: 2,
  policy_invalid: 2,
  id_reused: 2,
  forbidden: 2,
  session_not_found: 4,
  hold_not_found: 4,
  task_not_found: 4,
  not_found: 4,
  ledger_busy: 5,
  ledger_full: 5,
  ledger_read_only: 5,
  ledger_corrupt: 5,
  ledger_foreign: 5,
  ledger_newer: 5,
  ledger_unavailable: 5,
  internal: 1,
} as const satisfies Record<ErrorCode, number>;

export const version: string = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;

type Values = Record<string, string | boolean | (string | boolean)[] | undefined>;

export async function main(argv: readonly string[]): Promise<void> {
  const isJson = argv.includes("--json");
  try {
    process.exitCode = await run(argv, isJson);
  } catch (error) {
    process.exitCode = explain(error, isJson);
  }
}

async function run(argv: readonly string[], isJson: boolean): Promise<number> {
  if (argv.includes("--version")) return print(version);
  const words = argv.filter((arg) => !arg.startsWith("-"));
  if (words[0] === "stdio") return await stdio(argv);
  if (words[0] === "policy") return await (await import("./policy-command.ts")).policyCommand(argv, isJson);
  if (words[0] === "ledger" && words[1] === "backup") return await backup(argv, isJson);
  const { commands } = await import("./faces/terminal.ts");
  const { helpText, readCommand } = await import("./faces/terminal-input.ts");
  const command = commands.find((each) => each.words.every((word, i) => words[i] === word));
  if (!command || argv.includes("--help") || argv.includes("-h"))
    return print(helpText(commands, command), command || words.length === 0 || argv.includes("--help") ? 0 : 2);
  const { values, input } = readCommand(command, argv);
  const { invoke } = await import("./operations/operation.ts");
  const context = await contextFor(values);
  try {
    const answer = (await invoke(command.operation, context, { kind: "operator" }, input)) as Record<string, unknown>;
    return print(isJson ? JSON.stringify(answer) : command.text(answer), command.exitCode?.(answer) ?? 0);
  } finally {
    await context.ledger.close();
  }
}

async function stdio(argv: readonly string[]): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) return print(STDIO_HELP);
  const values = options(argv, { config: { type: "string" }, ledger: { type: "string" }, agent: { type: "string" } });
  const agentId = values.agent === undefined ? null : await pinned(String(values.agent));
  const context = await contextFor(values);
  const { runStdio } = await import("./stdio.ts");
  runStdio(
    context,
    { kind: "agent", agentId },
    { version, ledgerFile: ledgerFile(values.ledger as string | undefined) },
  );
  return 0;
}

async function pinned(agent: string): Promise<string> {
  const { CALLER_ID_RULE, callerId } = await import("./core/id.ts");
  const parsed = callerId.safeParse(agent);
  if (!parsed.success) throw new AstraError("invalid_input", `--agent: expected an id: ${CALLER_ID_RULE}.`);
  return parsed.data;
}

async function backup(argv: readonly string[], isJson: boolean): Promise<number> {
  const [, , file, more] = argv.filter((arg) => !arg.startsWith("-") && !isValueOf(argv, arg, "--ledger"));
  if (argv.includes("--help") || file === undefined || more !== undefined) {
    return print(
      "Use: astra-budget ledger backup FILE [--ledger FILE] [--json]\n\nCopies the live ledger, consistently, to a new FILE.",
      argv.includes("--help") ? 0 : 2,
    );
  }
  const values = options(argv, { ledger: { type: "string" }, json: { type: "boolean" } });
  const { openSqlite } = await import("./ledger/sqlite.ts");
  const ledger = await openSqlite(ledgerFile(values.ledger as string | undefined));
  try {
    await ledger.backup(file);
  } finally {
    await ledger.close();
  }
  return print(isJson ? JSON.stringify({ file }) : `Backed up to ${file}.`);
}

const isValueOf = (argv: readonly string[], arg: string, option: string): boolean =>
  argv[argv.indexOf(arg) - 1] === option;

/** Options only, words passed over; a misspelt one is our error, not a stack. */
function options(
  argv: readonly string[],
  known: Parameters<typeof parseArgs>[0] extends infer C
    ? NonNullable<NonNullable<C> extends { options?: infer O } ? O : never>
    : never,
): Values {
  try {
    return parseArgs({ args: [...argv], options: known, allowPositionals: true }).values as Values;
  } catch (error) {
    throw new AstraError(
      "invalid_input",
      error instanceof Error ? error.message : String(error),
      "See astra-budget --help.",
    );
  }
}

/** The context of a command or server: the policy's file is followed, the ledger opened when first used. */
async function contextFor(values: Values): Promise<Context> {
  const { contextOver } = await import("./context.ts");
  const file = ledgerFile(values.ledger as string | undefined);
  const ledger = openedAtFirstUse(async () => (await import("./ledger/sqlite.ts")).openSqlite(file));
  return contextOver(ledger, await policySource(policyFile(values.config as string | undefined)));
}

async function policySource(file: string | null): Promise<() => Policy> {
  const note = (text: string) => process.stderr.write(`astra-budget: ${text}\n`);
  if (file === null) {
    const { BUILT_IN_POLICY } = await import("./core/policy-resolve.ts");
    note("no astra.yml found: the built-in roles and hard caps apply. Name one with --config FILE.");
    return () => BUILT_IN_POLICY;
  }
  const { watchedPolicy } = await import("./config.ts");
  const watched = watchedPolicy(file, note);
  return () => watched.current();
}

/** Prints to standard output; the code to exit with. */
function print(text: string, code = 0): number {
  process.stdout.write(`${text}\n`);
  return code;
}

/** An error on standard error: what, where, and how to mend it. */
function explain(error: unknown, isJson: boolean): number {
  const known =
    error instanceof AstraError
      ? error
      : new AstraError(
          "internal",
          error instanceof Error ? (error.stack ?? error.message) : String(error),
          "This is a fault of astra-budget.",
        );
  if (isJson) {
    process.stderr.write(
      `${JSON.stringify({ error: { code: known.code, message: known.message, hint: known.hint, faults: known.faults } })}\n`,
    );
  } else {
    const faults =
      known.code === "policy_invalid"
        ? []
        : known.faults.map(({ path, message }) => `  ${path === "" ? message : `${path}: ${message}`}`);
    process.stderr.write(`${[`${known.code}: ${known.message}`, ...faults, known.hint].filter(Boolean).join("\n")}\n`);
  }
  return EXIT_CODES[known.code];
}

const STDIO_HELP = `Use: astra-budget stdio [--config FILE] [--ledger FILE] [--agent ID]

Serves MCP on standard input and output, for one client. Several servers may share one ledger.

  --config FILE  the policy (ASTRA_CONFIG; else astra.yml in this folder, if there is one)
  --ledger FILE  the ledger (ASTRA_LEDGER; else ledger.db in the platform's data directory)
  --agent ID     pin the caller: it can act for no other agent and sees its own costs only`;
