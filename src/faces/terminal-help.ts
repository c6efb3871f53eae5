// What `--help` prints: all commands, or one with its options.
import type { Command, Option } from "./terminal-command.ts";

/** Commands that fill no operation's input; each explains itself. */
const OTHER_COMMANDS = [
  ["stdio", "serve MCP on standard input and output, for one client"],
  ["serve", "serve MCP and REST over HTTP, for many agents"],
  ["init --for claude-code", "write an astra.yml for long interactive work, explained"],
  ["install claude-code", "put the budget in front of Claude Code: its MCP server and its hooks"],
  ["uninstall claude-code", "take out again what install put in"],
  ["watch", "what happens now, on one screen that follows the ledger: spend, limits, sessions, charges"],
  ["doctor", "prove that Claude Code's guard works; each fault with its mend"],
  ["hook", "the gate of a coding agent for its hooks: their input on standard input, the answer on standard output"],
  ["policy check FILE", "check an astra.yml and name every fault"],
  ["policy show --agent ID", "an agent's effective budget and where each field came from"],
  ["prices MODEL", "what a model costs, by which row of which list, and why"],
  ["prices check", "our prices beside LiteLLM's: what differs and what only one knows; exits 1 on a difference"],
  ["webhooks deliver", "send the webhook messages that are due, and end; for a scheduler where nothing is served"],
  ["ledger backup FILE", "a consistent copy of the live ledger"],
  [
    "export --format csv|jsonl",
    "every charge as a file, for a spreadsheet or another ledger; --focus for FinOps tools",
  ],
  ["import FILE", "book the charges of an export, each once"],
] as const;

const COMMON_OPTIONS = [
  ["--config FILE", "the policy (ASTRA_CONFIG; else astra.yml in this folder, if there is one)"],
  ["--ledger FILE", "the ledger (ASTRA_LEDGER; else ledger.db in the platform's data directory)"],
  ["--json", "the whole answer for machines"],
] as const;

/** What every command is called, for "did you mean". */
export function commandNames(commands: readonly Command[]): string[] {
  const others = OTHER_COMMANDS.map(([use]) => use.replace(/ [A-Z-].*$/, ""));
  return [...others, ...commands.map((command) => command.words.join(" "))];
}

export function commandHelp(command: Command): string {
  const name = ["astra-budget", ...command.words, ...(command.positional ? ["ID"] : [])].join(" ");
  const needs = (command.needs ?? []).map((names) => usage(command, names));
  const options = Object.entries(command.options).map(
    ([flag, option]) => [`--${flag}${valueName(option)}`, option.help] as const,
  );
  const about = `${command.help.charAt(0).toUpperCase()}${command.help.slice(1)}.`;
  const csv = command.csv ? ([["--csv", "a flat table for a spreadsheet"]] as const) : [];
  const lines = aligned([...options, ...COMMON_OPTIONS, ...csv]);
  return `Use: ${[name, ...needs, "[options]"].join(" ")}\n\n${about}\n\n${lines}`;
}

/** "(--session ID | --all)", or "--reason TEXT". */
function usage(command: Command, names: readonly string[]): string {
  const each = names.map((name) => {
    const option = command.options[name];
    return `--${name}${option ? valueName(option) : ""}`;
  });
  return each.length === 1 ? (each[0] ?? "") : `(${each.join(" | ")})`;
}

function valueName({ kind, argument }: Option): string {
  if (kind === "flag") return "";
  if (kind === "number") return " N";
  if (kind === "list") return " LIST";
  if (argument.endsWith("_date")) return " DATE";
  return argument.endsWith("_id") ? " ID" : " TEXT";
}

export function overview(commands: readonly Command[]): string {
  const lines = [
    ...OTHER_COMMANDS,
    ...commands.map(
      (command) => [`${command.words.join(" ")}${command.positional ? " ID" : ""}`, command.help] as const,
    ),
  ];
  return `astra-budget: the budget that agents ask before they spend and report to after.

Use: astra-budget COMMAND [options]

${aligned(lines)}

Every command takes --config FILE, --ledger FILE, --json and --help; astra-budget --version prints the version.
Exit codes: 0 done, 1 a check found a difference, 2 wrong arguments or policy, 3 denied by the budget,
4 not found, 5 the ledger cannot be used.`;
}

function aligned(lines: readonly (readonly [string, string])[]): string {
  const width = Math.max(...lines.map(([left]) => left.length));
  return lines.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}
