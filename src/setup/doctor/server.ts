// The MCP server's entry: where it is, whether Claude Code may use it, and whether its program is there.
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, isAbsolute, join, sep } from "node:path";
import { isOurServer, type Launch, SERVER } from "../guard.ts";
import { type Check, fault, ok, warning } from "./check.ts";
import type { Asking } from "./hooks.ts";
import { asObject, type ClaudeFiles } from "./settings.ts";

/** How Claude Code starts the server: `env` is added to its own. */
export type Entry = Launch & { readonly env: Readonly<Record<string, string>> };

const NAME = "server entry";
const INSTALL = "Run `astra-budget install claude-code`.";

/** The plugin brings its own entry; else that of this folder for this user, this project, this user, in this order. */
export function checkEntry(
  files: ClaudeFiles,
  asking: Asking | null,
  folder: string,
): { checks: Check[]; entry: Entry | null } {
  if (asking?.kind === "plugin") return withProgram({ command: SERVER, args: ["stdio"], env: {} }, "the plugin's", []);
  const own = asObject(asObject(files.user?.data.projects)[folder]);
  const places = [
    { where: `${files.user?.file}, this folder`, servers: own.mcpServers },
    { where: String(files.project?.file), servers: files.project?.data.mcpServers },
    { where: String(files.user?.file), servers: files.user?.data.mcpServers },
  ];
  const found = places.find(({ servers }) => SERVER in asObject(servers));
  if (!found) return { checks: [fault(NAME, `there is no MCP server ${SERVER}`, INSTALL)], entry: null };
  const given = asObject(found.servers)[SERVER];
  if (!isOurServer(given)) {
    const text = `${SERVER} in ${found.where} is not started by Claude Code, expected command and args with stdio`;
    return {
      checks: [fault(NAME, text, `Run \`claude mcp remove ${SERVER}\`, then \`astra-budget install claude-code\`.`)],
      entry: null,
    };
  }
  const env = Object.fromEntries(Object.entries(asObject(given.env)).map(([key, value]) => [key, String(value)]));
  const entry = { command: String(given.command), args: [given.args].flat().map(String), env };
  const approval = found === places[1] ? approvalOf(files, own, folder) : [];
  return withProgram(entry, found.where, approval);
}

/** A project's servers are started only after the user trusted the folder and said yes to them; `claude -p` asks nobody. */
function approvalOf(files: ClaudeFiles, own: Readonly<Record<string, unknown>>, folder: string): Check[] {
  const all = [own, ...files.settings.map(({ data }) => data)];
  const names = (key: string) => all.flatMap((each) => [each[key] ?? []].flat());
  if (names("disabledMcpjsonServers").includes(SERVER))
    return [fault(NAME, "this user refused the project's server, so every prompt is blocked", APPROVE)];
  const isApproved =
    names("enabledMcpjsonServers").includes(SERVER) || names("enableAllProjectMcpServers").includes(true);
  const projects = Object.entries(asObject(files.user?.data.projects));
  const isTrusted = projects.some(
    ([path, project]) => asObject(project).hasTrustDialogAccepted === true && `${folder}${sep}`.startsWith(path + sep),
  );
  if (isApproved && isTrusted) return [];
  return [warning(NAME, "this user has not approved the project's server yet", APPROVE)];
}
const APPROVE = "Start `claude` in this folder and approve the server (`claude mcp reset-project-choices` asks again).";

function withProgram(entry: Entry, where: string, others: Check[]): { checks: Check[]; entry: Entry | null } {
  const script = entry.args.find((arg) => isAbsolute(arg) && /\.[cm]?[jt]s$/.test(arg));
  const lacking = [
    ...(isProgram(entry.command) ? [] : [entry.command]),
    ...(!script || existsSync(script) ? [] : [script]),
  ];
  const checks = lacking.map((file) => fault(NAME, `${file}, named in ${where}, is not there`, INSTALL));
  if (checks.length > 0) return { checks: [...checks, ...others], entry: null };
  return { checks: others.length > 0 ? others : [ok(NAME, where)], entry };
}

/** A path to a program, or the name of one on the PATH. */
function isProgram(command: string): boolean {
  if (isAbsolute(command)) return isExecutable(command);
  const endings = process.platform === "win32" ? [".exe", ".cmd", ""] : [""];
  return (process.env.PATH ?? "")
    .split(delimiter)
    .some((folder) => endings.some((ending) => isExecutable(join(folder, command + ending))));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
