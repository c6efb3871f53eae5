// `astra-budget doctor`: proves that the guard of Claude Code works, and says for each fault how to mend it.
import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import { loadPolicy } from "./config.ts";
import { AstraError } from "./core/error.ts";
import type { Policy } from "./core/policy.ts";
import { BUILT_IN_POLICY } from "./core/policy-resolve.ts";
import { readOptions, unexpectedWord, type Values } from "./faces/options.ts";
import { counted, shownJson, shownText } from "./faces/table.ts";
import { ledgerFile, policyFile } from "./place.ts";
import { openPriceList } from "./prices.ts";
import { type Check, fault, ok, warning } from "./setup/doctor/check.ts";
import { converse } from "./setup/doctor/conversation.ts";
import { sharedDisk } from "./setup/doctor/disk.ts";
import { checkHooks } from "./setup/doctor/hooks.ts";
import { checkLimits } from "./setup/doctor/limits.ts";
import { checkPrices } from "./setup/doctor/models.ts";
import { checkClaude, checkNode } from "./setup/doctor/programs.ts";
import { environment, rehearse } from "./setup/doctor/rehearsal.ts";
import { checkEntry, type Entry } from "./setup/doctor/server.ts";
import { readClaudeFiles } from "./setup/doctor/settings.ts";
import { ledgerAt } from "./start.ts";

const HINT = "See astra-budget doctor --help.";

/** `leastNode`: the oldest Node that the package runs on. */
export async function doctorCommand(
  argv: readonly string[],
  isHelp: boolean,
  isJson: boolean,
  leastNode: string,
): Promise<number> {
  if (isHelp) return say(HELP);
  const { values, words } = readOptions(argv, {}, HINT);
  if (words[1] !== undefined) throw unexpectedWord(words[1], HINT);
  const checks = await examine(values, leastNode);
  const faults = checks.filter(({ state }) => state === "fault").length;
  const code = faults > 0 ? 1 : 0;
  if (isJson) return say(shownJson({ ok: code === 0, checks }), code);
  const summary =
    code === 0 ? "The guard works." : `The guard does not work as it should: ${counted(faults, "fault")}.`;
  return say([...checks.flatMap(linesOf), summary].map(shownText).join("\n"), code);
}

async function examine(values: Values, leastNode: string): Promise<Check[]> {
  const files = readClaudeFiles(process.env, process.cwd());
  const { checks: hooks, asking } = checkHooks(files.settings);
  const { checks: entries, entry } = checkEntry(files, asking, process.cwd());
  const { checks: limits, policy } = checkPolicy(entry, text(values.config));
  return [
    await checkNode(entry, leastNode),
    await checkClaude(),
    ...files.faults,
    ...hooks,
    ...entries,
    ...limits,
    await checkLedger(ledgerFile(optionOf(entry, "ledger") ?? text(values.ledger))),
    ...(entry ? await checkTalk(entry, asking?.kind === "command" ? asking : null) : []),
    ...checkPrices(openPriceList(policy.prices), process.env, Date.now()),
  ];
}

/** The policy that the server is started with; without an entry the one that it would be. */
function checkPolicy(entry: Entry | null, named: string | undefined): { checks: Check[]; policy: Policy } {
  const file = optionOf(entry, "config") ?? policyFile(named);
  try {
    const policy = file === null ? BUILT_IN_POLICY : loadPolicy(file).policy;
    return { checks: checkLimits(policy, file), policy };
  } catch (error) {
    if (!(error instanceof AstraError)) throw error;
    return { checks: [fault("policy", error.message, error.hint)], policy: BUILT_IN_POLICY };
  }
}

/** An option of the server's entry, or its place in the entry's environment. */
function optionOf(entry: Entry | null, name: "config" | "ledger"): string | undefined {
  const at = entry?.args.indexOf(`--${name}`) ?? -1;
  return at >= 0 ? entry?.args[at + 1] : entry?.env[`ASTRA_${name.toUpperCase()}`];
}

async function checkLedger(file: string): Promise<Check> {
  const shared = sharedDisk(file);
  if (shared !== null) {
    const text = `${file} lies on a shared disk (${shared}), where two machines can break it`;
    return warning("ledger", text, "Name one on a disk of this machine with --ledger FILE, then install again.");
  }
  if (!existsSync(file)) return newLedger(file);
  const ledger = ledgerAt(file);
  try {
    await ledger.read(nothing);
    return ok("ledger", file);
  } catch (error) {
    if (!(error instanceof AstraError)) throw error;
    return fault("ledger", `${file}: ${error.message}`, error.hint);
  } finally {
    await ledger.close();
  }
}

function newLedger(file: string): Check {
  let folder = dirname(file);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK);
    return ok("ledger", `${file} (made at its first use)`);
  } catch {
    return fault(
      "ledger",
      `${file}: its folder may not be written`,
      "Name another with --ledger FILE, then install again.",
    );
  }
}

function* nothing(): Generator<never, void, never> {}

/** The server as it is installed answers; and asked in a folder of its own, the gate stops what it should. */
async function checkTalk(entry: Entry, hook: Parameters<typeof rehearse>[1]): Promise<Check[]> {
  try {
    const server = await converse(entry, environment(entry));
    await server.close();
    return [ok("server", `${server.peer} answers`), await rehearse(entry, hook, new Date())];
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return [fault("server", `it does not answer: ${said}`, "Run the command of the server entry by hand, and see.")];
  }
}

function linesOf({ name, state, text: found, mend }: Check): string[] {
  const mark = { ok: "ok     ", warning: "warning", fault: "FAULT  " }[state];
  return [`${mark} ${name}: ${found}`, ...(mend === null ? [] : [`        ${mend}`])];
}

const text = (value: Values[string]): string | undefined => (typeof value === "string" ? value : undefined);

function say(output: string, code = 0): number {
  process.stdout.write(`${output}\n`);
  return code;
}

const HELP = `Use: astra-budget doctor [--config FILE] [--ledger FILE] [--json]

Proves that the guard of Claude Code works, for this user in this folder: Node and Claude Code are recent enough, the
hooks are there and spelt right, the MCP server starts and answers, the policy and the ledger are usable, every model in
use has a price. Then it rehearses, in a temporary folder: a made-up session within its budget must go on, and one over
it must be stopped. Each fault comes with its mend. Nothing is changed. Exits 1 if there is a fault.

  --config FILE  the policy, where the server entry names none (ASTRA_CONFIG; else astra.yml in this folder)
  --ledger FILE  the ledger, where the server entry names none (ASTRA_LEDGER; else the one every command uses)
  --json         the whole answer for machines`;
