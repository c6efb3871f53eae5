// `astra-budget init --for claude-code`: a policy to begin with, made for long interactive work and explained in it.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkPolicyText } from "./config.ts";
import { AstraError } from "./core/error.ts";
import { quoted } from "./core/plain-text.ts";
import { readOptions, unexpectedWord, wrongArguments } from "./faces/options.ts";
import { shownJson, shownText } from "./faces/table.ts";

const HINT = "See astra-budget init --help.";
const AGENT = "claude-code";

/** `cli`: the file of our command; the templates lie beside its folder. */
export async function initCommand(
  argv: readonly string[],
  isHelp: boolean,
  isJson: boolean,
  cli: string,
): Promise<number> {
  if (isHelp) return say(HELP);
  const { values, words } = readOptions(argv, { for: "text", out: "text" }, HINT);
  if (words[1] !== undefined) throw unexpectedWord(words[1], HINT);
  if (values.for !== AGENT) {
    const found = values.for === undefined ? "" : `, found ${quoted(String(values.for))}`;
    throw wrongArguments([{ path: "--for", message: `expected ${AGENT}${found}` }], HINT);
  }
  const file = String(values.out ?? "astra.yml");
  const template = readFileSync(join(dirname(cli), "..", "templates", `${AGENT}.yml`), "utf8");
  const policy = inZone(template, Intl.DateTimeFormat().resolvedOptions().timeZone);
  writeNew(file, policy);
  return say(isJson ? shownJson({ file }) : nextSteps(file).map(shownText).join("\n"));
}

/** Days begin at the user's own midnight, if the zone's name is one that policies take. */
function inZone(template: string, zone: string): string {
  const zoned = template.replace("timezone: UTC", `timezone: ${zone}`);
  try {
    checkPolicyText(zoned, AGENT);
    return zoned;
  } catch {
    return template;
  }
}

function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: "wx" });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "EEXIST")
      throw new AstraError(
        "conflict",
        `${file} is there already; nothing was written`,
        "Edit it, or write another with --out FILE and compare the two.",
      );
    throw wrongArguments([{ path: "--out", message: REASONS[code] ?? "expected a file that may be written" }], HINT);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "expected a file in a folder that is there",
  ENOTDIR: "expected a file in a folder that is there",
  ENOSPC: "expected room on the disk: it is full",
};

function nextSteps(file: string): string[] {
  const config = file === "astra.yml" ? "" : ` --config ${file}`;
  return [
    `Wrote ${file}: $10 a session, $25 a day, and hard caps that let a session last. Next:`,
    `  1. Read it and set your own figures; \`astra-budget policy check ${file}\` checks them.`,
    `  2. \`astra-budget install claude-code${config}\` puts the budget in front of Claude Code.`,
    "  3. `astra-budget doctor` proves that it works.",
  ];
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

const HELP = `Use: astra-budget init --for claude-code [--out FILE] [--json]

Writes a policy for long interactive work with Claude Code. The built-in caps (5 minutes, $5.00, 100 tool calls a
session) would stop it at once; this file sets dollars for a session, a day and a month, raises the other caps on
purpose, and says why beside each. A file that is there is never overwritten.

  --for AGENT    claude-code
  --out FILE     the file to write (astra.yml in this folder)
  --json         the answer for machines`;
