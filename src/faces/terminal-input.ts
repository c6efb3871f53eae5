// Reading a command's options into its operation's input, and the help that teaches them.
import { parseArgs } from "node:util";
import { AstraError } from "../core/error.ts";
import type { Command, Option } from "./terminal.ts";

type Values = Record<string, string | boolean | (string | boolean)[] | undefined>;

const COMMON = { config: { type: "string" }, ledger: { type: "string" }, json: { type: "boolean" } } as const;

export function readCommand(
  command: Command,
  argv: readonly string[],
): { values: Values; input: Record<string, unknown> } {
  const { values, positionals } = parse(command, argv);
  const rest = positionals.slice(command.words.length);
  const input: Record<string, unknown> = { ...command.fixed };
  if (command.positional !== undefined && rest[0] !== undefined) input[command.positional] = rest.shift();
  if (rest.length > 0) throw new AstraError("invalid_input", `unexpected word: ${rest[0]}`, helpHint(command));
  for (const [name, option] of Object.entries(command.options)) {
    const value = values[name];
    if (value !== undefined) input[option.argument] = converted(option, value);
  }
  return { values, input };
}

function parse(command: Command, argv: readonly string[]): { values: Values; positionals: string[] } {
  const own = Object.entries(command.options).map(
    ([name, { kind }]) => [name, { type: kind === "flag" ? "boolean" : "string", multiple: kind === "list" }] as const,
  );
  try {
    return parseArgs({
      args: [...argv],
      options: { ...COMMON, ...Object.fromEntries(own) },
      allowPositionals: true,
    }) as { values: Values; positionals: string[] };
  } catch (error) {
    throw new AstraError("invalid_input", error instanceof Error ? error.message : String(error), helpHint(command));
  }
}

function converted(option: Option, value: Values[string]): unknown {
  if (option.kind === "number") return value === "" ? Number.NaN : Number(value);
  if (option.kind === "list")
    return [value]
      .flat()
      .flatMap((part) => String(part).split(","))
      .filter((part) => part !== "");
  return value;
}

const helpHint = (command: Command): string => `See astra-budget ${command.words.join(" ")} --help.`;

export function helpText(commands: readonly Command[], command: Command | undefined): string {
  return command ? commandHelp(command) : overview(commands);
}

function commandHelp(command: Command): string {
  const name = ["astra-budget", ...command.words, ...(command.positional ? ["ID"] : [])].join(" ");
  const options = Object.entries(command.options).map(
    ([flag, { kind, help }]) =>
      [kind === "flag" ? `--${flag}` : `--${flag} ${kind === "number" ? "N" : "TEXT"}`, help] as const,
  );
  const lines = [
    ...options,
    ["--config FILE", "the policy"],
    ["--ledger FILE", "the ledger"],
    ["--json", "the whole answer for machines"],
  ] as const;
  return `Use: ${name} [options]\n\n${command.help}\n\n${aligned(lines)}`;
}

function overview(commands: readonly Command[]): string {
  const others = [
    ["stdio", "serve MCP on standard input and output"],
    ["policy check FILE", "check an astra.yml and name every fault"],
    ["policy show --agent ID", "an agent's effective budget and where each field came from"],
    ["ledger backup FILE", "a consistent copy of the live ledger"],
  ] as const;
  const lines = [
    ...others,
    ...commands.map(
      (command) => [`${command.words.join(" ")}${command.positional ? " ID" : ""}`, command.help] as const,
    ),
  ];
  return `astra-budget: the budget that agents ask before they spend and report to after.

Use: astra-budget COMMAND [options]

${aligned(lines)}

Every command takes --config FILE, --ledger FILE, --json and --help.
Exit codes: 0 done, 1 a check found a difference, 2 wrong arguments or policy, 3 denied by the budget,
4 not found, 5 the ledger cannot be used.`;
}

function aligned(lines: readonly (readonly [string, string])[]): string {
  const width = Math.max(...lines.map(([left]) => left.length));
  return lines.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}
