// The options of a command line, read strictly, with faults in our own words.
import { parseArgs } from "node:util";
import { AstraError, type Fault } from "../core/error.ts";
import { nearest } from "../core/nearest.ts";
import { quoted } from "../core/plain-text.ts";

/** `list`: may be given several times. */
export type OptionKind = "text" | "flag" | "list";

/** A flag is true, a list has a text each time it was given. */
export type Values = { readonly [name: string]: string | true | readonly string[] | undefined };

/** Options that every command takes. */
const COMMON = { config: "text", ledger: "text", json: "flag", help: "flag" } as const;

/** The words and the common options of a command line whose command is not known yet: nothing is a fault here. */
export function glance(argv: readonly string[]): { words: string[]; isHelp: boolean; isVersion: boolean } {
  const { values, positionals } = parse(argv, { ...COMMON, version: "flag" });
  return { words: positionals, isHelp: values.help === true, isVersion: values.version === true };
}

/** All options and words of a command. Throws `invalid_input` with every fault; `hint` says where to read on. */
export function readOptions(
  argv: readonly string[],
  own: Readonly<Record<string, OptionKind>>,
  hint: string,
): { values: Values; words: string[] } {
  const kinds: Record<string, OptionKind> = { ...COMMON, ...own };
  const { tokens, positionals } = parse(argv, kinds);
  const values: Record<string, string | true | string[]> = {};
  const faults: Fault[] = [];
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const { name, value } = token;
    const earlier = values[name];
    const message = optionFault(token, kinds, earlier !== undefined);
    if (message !== null) faults.push({ path: token.rawName, message });
    else if (kinds[name] === "list") values[name] = [...((earlier as string[] | undefined) ?? []), value ?? ""];
    else values[name] = value ?? true;
  }
  if (faults.length > 0) throw wrongArguments(faults, hint);
  return { values, words: positionals };
}

export function wrongArguments(faults: readonly Fault[], hint: string): AstraError {
  return new AstraError("invalid_input", "wrong arguments", hint, faults);
}

/** A word that no command expects, such as a second file name. */
export function unexpectedWord(word: string, hint: string): AstraError {
  return wrongArguments([{ path: "", message: `unexpected word ${quoted(word)}` }], hint);
}

function parse(argv: readonly string[], kinds: Readonly<Record<string, OptionKind>>) {
  const options = Object.fromEntries(
    Object.entries(kinds).map(([name, kind]) => [
      name,
      {
        type: kind === "flag" ? ("boolean" as const) : ("string" as const),
        ...(name === "help" ? { short: "h" } : {}),
      },
    ]),
  );
  return parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
}

type OptionToken = {
  readonly name: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
};

function optionFault(
  { name, value, inlineValue }: OptionToken,
  kinds: Readonly<Record<string, OptionKind>>,
  isRepeated: boolean,
): string | null {
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  if (kind === undefined) {
    const meant = nearest(name, Object.keys(kinds));
    return `unknown option${meant ? `, did you mean --${meant}?` : ""}`;
  }
  if (isRepeated && kind === "text") return "given twice";
  if (kind === "flag") return value === undefined ? null : "takes no value";
  if (value === undefined) return "expected a value";
  // `--reason --json` is a forgotten value; `--limit -1` is a number for its operation to refuse.
  const isOption = !inlineValue && /^-[^\d.]/.test(value);
  return isOption ? `expected a value; if ${quoted(value)} is meant, write --${name}=${value}` : null;
}
