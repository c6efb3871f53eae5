// Reading a command's options into its operation's input, and saying what is wrong with them in the command's words.
import { AstraError, type Fault } from "../core/error.ts";
import { nearest } from "../core/nearest.ts";
import { quoted } from "../core/plain-text.ts";
import { type OptionKind, readOptions, unexpectedWord, type Values, wrongArguments } from "./options.ts";
import type { Command, Option } from "./terminal-command.ts";

export function readCommand(
  command: Command,
  argv: readonly string[],
): { values: Values; input: Record<string, unknown> } {
  const kinds = Object.entries(command.options).map(
    ([name, { kind }]) => [name, kind.startsWith("number") ? "text" : (kind as OptionKind)] as const,
  );
  const formats = command.csv ? { csv: "flag" as const } : {};
  const { values, words } = readOptions(argv, { ...Object.fromEntries(kinds), ...formats }, hintOf(command));
  if (values.csv && values.json)
    throw wrongArguments([{ path: "", message: "expected --csv or --json, not both" }], hintOf(command));
  const rest = words.slice(command.words.length);
  const input: Record<string, unknown> = { ...command.fixed };
  if (command.positional !== undefined && rest[0] !== undefined) input[command.positional] = rest.shift();
  if (rest[0] !== undefined) throw unexpectedWord(rest[0], hintOf(command));
  const faults = missing(command, values, input);
  if (faults.length > 0) throw wrongArguments(faults, hintOf(command));
  for (const [name, option] of Object.entries(command.options)) {
    const value = values[name];
    if (value !== undefined) put(input, option.argument.split("."), converted(option, value));
  }
  return { values, input };
}

/** What the command cannot do without. */
function missing(command: Command, values: Values, input: Readonly<Record<string, unknown>>): Fault[] {
  const faults = (command.needs ?? [])
    .filter((names) => names.every((name) => values[name] === undefined))
    .map((names) => ({ path: "", message: `expected ${names.map((name) => `--${name}`).join(" or ")}` }));
  const lacksId = command.positional !== undefined && input[command.positional] === undefined;
  return lacksId ? [{ path: "", message: "expected an ID" }, ...faults] : faults;
}

/** Sets an argument, "estimate.model" inside of "estimate". */
function put(input: Record<string, unknown>, [key = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    input[key] = value;
    return;
  }
  const inner = (input[key] ?? {}) as Record<string, unknown>;
  input[key] = inner;
  put(inner, rest, value);
}

function converted(option: Option, value: NonNullable<Values[string]>): unknown {
  if (option.kind === "number or none" && value === "none") return null;
  if (option.kind.startsWith("number")) return String(value).trim() === "" ? Number.NaN : Number(value);
  if (option.kind === "list")
    return [value]
      .flat()
      .flatMap((part) => String(part).split(","))
      .filter((part) => part !== "");
  return value;
}

/** The operation's fault with the command's options for its arguments: `--by` for `group_by.0`. */
export function inCommandWords(error: unknown, command: Command): unknown {
  if (!(error instanceof AstraError) || error.code !== "invalid_input") return error;
  const flags = Object.entries(command.options).map(([name, { argument }]) => [argument, `--${name}`] as const);
  const faults = error.faults.map(({ path, message }) => {
    const flag = flags.find(([argument]) => path === argument || path.startsWith(`${argument}.`))?.[1];
    if (flag) return { path: flag, message };
    if (path !== "") return { path: path === command.positional ? "ID" : path, message };
    // A fault of the whole names arguments: "expected exactly one of session_id, agent_id, all".
    return {
      path,
      message: flags.reduce((text, [name, to]) => text.replace(new RegExp(`\\b${name}\\b`), to), message),
    };
  });
  return faults.length > 0 ? wrongArguments(faults, hintOf(command)) : error;
}

const hintOf = (command: Command): string => `See astra-budget ${command.words.join(" ")} --help.`;

/** "unknown command "cost", did you mean costs?" */
export function unknownCommand(words: readonly string[], known: readonly string[]): AstraError {
  const [first = "", second = ""] = words;
  const group = known.filter((name) => name.startsWith(`${first} `));
  const hint = "See astra-budget --help.";
  if (group.length > 0 && second === "")
    return wrongArguments([{ path: first, message: `expected one of: ${group.join(", ")}` }], hint);
  const asked = group.length > 0 ? `${first} ${second}` : first;
  const meant = nearest(asked, known);
  const message = `unknown command ${quoted(asked)}${meant ? `, did you mean ${meant}?` : ""}`;
  return wrongArguments([{ path: "", message }], hint);
}
