// The command: reads its arguments, builds the context, runs one face.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { glance, readOptions, unexpectedWord, wrongArguments } from "./faces/options.ts";
import { shownJson, shownText } from "./faces/table.ts";
import type { Command } from "./faces/terminal-command.ts";
import { contextFor, existingLedger, fileOf, namingFile, TERMINAL } from "./start.ts";

const pack = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
export const version: string = pack.version;

/** The file that starts this command: beside this one, in dist/ as in src/. */
const CLI = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./cli.ts" : "./cli.js", import.meta.url));

export async function main(argv: readonly string[]): Promise<void> {
  const isJson = argv.includes("--json");
  try {
    process.exitCode = await run(argv, isJson);
  } catch (error) {
    const { errorText } = await import("./faces/terminal-error.ts");
    const { text, exitCode } = errorText(error, isJson);
    process.stderr.write(`${text}\n`);
    process.exitCode = exitCode;
  }
}

async function run(argv: readonly string[], isJson: boolean): Promise<number> {
  const { words, isHelp, isVersion } = glance(argv);
  if (words[0] === "stdio") return await stdio(argv, isHelp);
  if (words[0] === "serve") {
    const { SERVE_HELP, serveCommand } = await import("./serve-command.ts");
    return isHelp ? print(SERVE_HELP) : await serveCommand(argv, version);
  }
  // Whoever reads our text may stop reading, as `head` does.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => process.exit());
  if (isVersion) return print(version);
  if (words[0] === "hook") return await (await import("./hook-command.ts")).hookCommand(argv, isHelp);
  if (words[0] === "policy") return await (await import("./policy-command.ts")).policyCommand(argv, isHelp, isJson);
  if (words[0] === "prices") return await (await import("./prices-command.ts")).pricesCommand(argv, isHelp, isJson);
  if (words[0] === "webhooks" && words[1] === "deliver")
    return await (await import("./webhooks-command.ts")).webhooksDeliver(argv, isHelp, isJson, version);
  if (words[0] === "ledger" && words[1] === "backup") return await backup(argv, isHelp, isJson);
  if (words[0] === "export") return await (await import("./export-command.ts")).exportCommand(argv, isHelp, isJson);
  if (words[0] === "import") return await (await import("./import-command.ts")).importCommand(argv, isHelp, isJson);
  if (words[0] === "watch") return await (await import("./watch-command.ts")).watchCommand(argv, isHelp, isJson);
  if (words[0] === "doctor")
    return await (await import("./doctor-command.ts")).doctorCommand(argv, isHelp, isJson, pack.engines.node);
  if (words[0] === "init") return await (await import("./init-command.ts")).initCommand(argv, isHelp, isJson, CLI);
  if (words[0] === "install")
    return await (await import("./install-command.ts")).installCommand(argv, isHelp, isJson, CLI);
  if (words[0] === "uninstall")
    return await (await import("./install-command.ts")).uninstallCommand(argv, isHelp, isJson);
  return await operation(argv, words, isHelp, isJson);
}

/** A command that fills one operation's input and shows its answer. */
async function operation(
  argv: readonly string[],
  words: readonly string[],
  isHelp: boolean,
  isJson: boolean,
): Promise<number> {
  const { commands } = await import("./faces/terminal.ts");
  const { commandHelp, commandNames, overview } = await import("./faces/terminal-help.ts");
  const { inCommandWords, readCommand, unknownCommand } = await import("./faces/terminal-input.ts");
  const command = commands
    .filter((each) => each.words.every((word, i) => words[i] === word))
    .sort((a, b) => b.words.length - a.words.length)[0];
  if (!command) {
    if (words[0] !== undefined && words[0] !== "help") throw unknownCommand(words, commandNames(commands));
    readOptions(argv, {}, "See astra-budget --help.");
    return print(overview(commands));
  }
  if (isHelp) return print(commandHelp(command));
  const { values, input } = readCommand(command, argv);
  const { invoke } = await import("./operations/operation.ts");
  if (words[0] === "ledger" || words[0] === "audit") existingLedger(values);
  const context = await contextFor(values);
  try {
    const ask = async (args: Answer) => (await invoke(command.operation, context, TERMINAL, args)) as Answer;
    const answer = await toTheEnd(command, await ask(input), (cursor) => ask({ ...input, cursor }));
    const code = command.exitCode?.(answer) ?? 0;
    if (values.csv && command.csv) return print(command.csv(answer).replace(/\n$/, ""), code);
    return print(isJson ? shownJson(answer) : command.text(answer), code);
  } catch (error) {
    throw inCommandWords(namingFile(error, fileOf(values)), command);
  } finally {
    await context.ledger.close();
  }
}

type Answer = Record<string, unknown>;

/** Repeats an operation that does a part at a time, and joins its answers. */
async function toTheEnd(command: Command, first: Answer, next: (cursor: string) => Promise<Answer>): Promise<Answer> {
  if (!command.join) return first;
  const { progressOn } = await import("./faces/progress.ts");
  const progress = progressOn(process.stderr);
  let answer = first;
  try {
    while (typeof answer.next_cursor === "string") {
      answer = command.join(answer, await next(answer.next_cursor));
      progress.tell(command.text(answer).split("\n")[0] ?? "");
    }
  } finally {
    progress.end();
  }
  return answer;
}

async function stdio(argv: readonly string[], isHelp: boolean): Promise<number> {
  if (isHelp) return print(STDIO_HELP);
  const hint = "See astra-budget stdio --help.";
  const { values, words } = readOptions(argv, { agent: "text" }, hint);
  if (words[1] !== undefined) throw unexpectedWord(words[1], hint);
  const agentId = values.agent === undefined ? null : await pinned(String(values.agent), hint);
  const context = await contextFor(values);
  const { runStdio } = await import("./stdio.ts");
  runStdio(context, { kind: "agent", agentId }, { version, ledgerFile: fileOf(values) });
  return 0;
}

async function pinned(agent: string, hint: string): Promise<string> {
  const { CALLER_ID_RULE, callerId } = await import("./core/id.ts");
  const parsed = callerId.safeParse(agent);
  if (!parsed.success) throw wrongArguments([{ path: "--agent", message: `expected an id: ${CALLER_ID_RULE}` }], hint);
  return parsed.data;
}

async function backup(argv: readonly string[], isHelp: boolean, isJson: boolean): Promise<number> {
  if (isHelp) return print(BACKUP_HELP);
  const hint = "See astra-budget ledger backup --help.";
  const { values, words } = readOptions(argv, {}, hint);
  const [, , file, more] = words;
  if (file === undefined) throw wrongArguments([{ path: "", message: "expected a FILE to copy to" }], hint);
  if (more !== undefined) throw unexpectedWord(more, hint);
  const source = existingLedger(values);
  const { openSqlite } = await import("./ledger/sqlite.ts");
  const ledger = await openSqlite(source).catch((error) => {
    throw namingFile(error, source);
  });
  try {
    await ledger.backup(file);
  } catch (error) {
    throw namingFile(error, file);
  } finally {
    await ledger.close();
  }
  return print(isJson ? shownJson({ file }) : shownText(`Backed up to ${file}.`));
}

/** Prints to standard output; the code to exit with. */
function print(text: string, code = 0): number {
  process.stdout.write(`${text}\n`);
  return code;
}

const BACKUP_HELP = `Use: astra-budget ledger backup FILE [--ledger FILE] [--json]

Copies the live ledger, consistently, to a new FILE. Servers may go on working.

  --ledger FILE  the ledger (ASTRA_LEDGER; else ledger.db in the platform's data directory)
  --json         the whole answer for machines`;

const STDIO_HELP = `Use: astra-budget stdio [--config FILE] [--ledger FILE] [--agent ID]

Serves MCP on standard input and output, for one client. Several servers may share one ledger.

  --config FILE  the policy (ASTRA_CONFIG; else astra.yml in this folder, if there is one)
  --ledger FILE  the ledger (ASTRA_LEDGER; else ledger.db in the platform's data directory)
  --agent ID     pin the caller: it can act for no other agent and sees its own costs only`;
