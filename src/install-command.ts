// `astra-budget install|uninstall claude-code`: the guard into the settings of Claude Code, and out again.
import { loadPolicy } from "./config.ts";
import { nearest } from "./core/nearest.ts";
import { quoted } from "./core/plain-text.ts";
import { type OptionKind, readOptions, unexpectedWord, type Values, wrongArguments } from "./faces/options.ts";
import { shownJson, shownText } from "./faces/table.ts";
import { guardFiles, type Scope } from "./setup/claude-files.ts";
import { installChanges, newFileMode, uninstallChanges } from "./setup/install.ts";
import { isStrictJson } from "./setup/json-text.ts";
import { launches } from "./setup/launch.ts";
import { lineDiff } from "./setup/line-diff.ts";
import { type Change, commit } from "./setup/text-files.ts";

const AGENTS = ["claude-code"];

/** `cli`: the file of our command, which Claude Code is to start. */
export async function installCommand(
  argv: readonly string[],
  isHelp: boolean,
  isJson: boolean,
  cli: string,
): Promise<number> {
  if (isHelp) return say(INSTALL_HELP);
  const hint = "See astra-budget install --help.";
  const { values, scope } = readScope(argv, { "command-hooks": "flag" }, hint);
  const launch = launches(cli, { config: text(values.config), ledger: text(values.ledger) });
  if (launch.policy !== null) loadPolicy(launch.policy); // a server that cannot start would stop every session
  const kind = values["command-hooks"] ? "command" : "mcp_tool";
  const changes = installChanges(guardFiles(scope, process.env, process.cwd()), launch, kind);
  const isDryRun = values["dry-run"] === true;
  if (!isDryRun) commit(changes, newFileMode(scope));
  const notes = [...unread(changes), ...(launch.policy === null ? [NO_POLICY] : []), ...passing(cli)];
  return answer(changes, { isDryRun, isJson, notes, next: nextSteps(scope) });
}

export async function uninstallCommand(argv: readonly string[], isHelp: boolean, isJson: boolean): Promise<number> {
  if (isHelp) return say(UNINSTALL_HELP);
  const { values, scope } = readScope(argv, {}, "See astra-budget uninstall --help.");
  const changes = uninstallChanges(guardFiles(scope, process.env, process.cwd()));
  const isDryRun = values["dry-run"] === true;
  if (!isDryRun) commit(changes, newFileMode(scope));
  return answer(changes, {
    isDryRun,
    isJson,
    notes: [],
    next: ["Restart Claude Code: open sessions keep their hooks."],
  });
}

function readScope(
  argv: readonly string[],
  own: Readonly<Record<string, OptionKind>>,
  hint: string,
): { values: Values; scope: Scope } {
  const { values, words } = readOptions(argv, { project: "flag", user: "flag", "dry-run": "flag", ...own }, hint);
  const [, agent, more] = words;
  if (agent === undefined || !AGENTS.includes(agent)) {
    const meant = agent === undefined ? null : nearest(agent, AGENTS);
    const found = agent === undefined ? "" : `, found ${quoted(agent)}`;
    const message = `expected the agent: ${AGENTS.join(", ")}${found}${meant ? `, did you mean ${meant}?` : ""}`;
    throw wrongArguments([{ path: "", message }], hint);
  }
  if (more !== undefined) throw unexpectedWord(more, hint);
  if (values.project && values.user)
    throw wrongArguments([{ path: "", message: "expected --project or --user, not both" }], hint);
  return { values, scope: values.project ? "project" : "user" };
}

type Told = { isDryRun: boolean; isJson: boolean; notes: readonly string[]; next: readonly string[] };

function answer(changes: readonly Change[], { isDryRun, isJson, notes, next }: Told): number {
  const files = changes.map((change) => ({ file: change.file, change: kindOf(change), diff: diffOf(change) }));
  if (isJson) return say(shownJson({ dry_run: isDryRun, files, notes }));
  const isChange = files.some(({ change }) => change !== "unchanged");
  const lines = files.flatMap(({ file, change, diff }) => [
    `${file}: ${isDryRun ? WOULD[change] : DID[change]}`,
    ...(isDryRun ? diff.map((line) => line.replaceAll("\t", "  ")) : []),
  ]);
  const steps = isChange && !isDryRun ? next : [];
  return say([...lines, ...notes.map((note) => `note: ${note}`), ...steps].map(shownText).join("\n"));
}

type ChangeKind = "unchanged" | "created" | "changed" | "deleted";

function kindOf({ before, after }: Change): ChangeKind {
  if (before === after) return "unchanged";
  if (before === null) return "created";
  return after === null ? "deleted" : "changed";
}

const diffOf = ({ before, after }: Change): string[] => lineDiff(before ?? "", after ?? "");

const DID = {
  unchanged: "as it was",
  created: "created",
  changed: "changed",
  deleted: "deleted, as nothing else was in it",
};
const WOULD = {
  unchanged: "would stay as it is",
  created: "would be created",
  changed: "would be changed",
  deleted: "would be deleted, as nothing else is in it",
};

/** Files that Claude Code passes over as a whole. */
function unread(changes: readonly Change[]): string[] {
  return changes
    .filter(({ after }) => after !== null && !isStrictJson(after))
    .map(({ file }) => `WARNING: ${file} has comments or trailing commas: Claude Code takes no notice of such a file.`);
}

const NO_POLICY =
  "WARNING: there is no astra.yml here, and the built-in caps stop a session after 5 minutes or $5. " +
  "Run `astra-budget init --for claude-code`, then this again.";

/** A copy that npm made for one run may be gone tomorrow, and then every prompt is blocked. */
function passing(cli: string): string[] {
  if (!/[\\/]_npx[\\/]/.test(cli)) return [];
  return ["WARNING: this runs from npx's cache, which npm may empty; install it with `npm install -g` and run that."];
}

function nextSteps(scope: Scope): string[] {
  const approve =
    "Start `claude` in this folder once and approve the server astra-budget: where it is refused, every prompt is blocked.";
  return [
    scope === "project" ? approve : "Restart Claude Code: open sessions keep the hooks they began with.",
    "`astra-budget doctor` proves that the guard works; `astra-budget uninstall claude-code" +
      `${scope === "project" ? " --project" : ""}\` takes it out again.`,
  ];
}

const text = (value: Values[string]): string | undefined => (typeof value === "string" ? value : undefined);

function say(output: string): number {
  process.stdout.write(`${output}\n`);
  return 0;
}

const FILES = `  --user         every project of this user (the default): ~/.claude/settings.json and ~/.claude.json,
                 or the same two in $CLAUDE_CONFIG_DIR
  --project      this folder's project: .claude/settings.json and .mcp.json
  --dry-run      change nothing, show what would change`;

const INSTALL_HELP = `Use: astra-budget install claude-code [--user | --project] [--dry-run] [--command-hooks]

Puts the budget in front of Claude Code: the MCP server astra-budget, which the agent may ask, and hooks, which ask it
whatever the agent does: before a prompt, before a tool, after the tools of a response, and when an agent or subagent
ends. Over budget the session stops; where the guard itself fails, it stops too. Everything else in the files stays byte
for byte, and installing twice changes nothing.

${FILES}
  --command-hooks
                 hooks that start \`astra-budget hook\` each time: for a Claude Code that knows no other hooks (before 2.1.118)
  --config FILE  the policy Claude Code is held to (ASTRA_CONFIG; else astra.yml in this folder)
  --ledger FILE  the ledger it writes to (ASTRA_LEDGER; else the one every command uses)
  --json         the whole answer for machines`;

const UNINSTALL_HELP = `Use: astra-budget uninstall claude-code [--user | --project] [--dry-run]

Takes out exactly what \`astra-budget install claude-code\` put in: a file that had no hooks and no servers is, byte for
byte, as it was before. Hooks and servers of others stay. A file with nothing else in it ({}) is deleted.

${FILES}
  --json         the whole answer for machines`;
