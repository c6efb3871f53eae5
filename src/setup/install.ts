// Installing the guard into Claude Code's files and taking it out again, as changes that are yet to be made.
import type { GuardFiles, Scope } from "./claude-files.ts";
import { commandHandlers, type Launch, SERVER, toolHandlers } from "./guard.ts";
import { withHooks, withoutHooks, withoutServer, withServer } from "./guard-edit.ts";
import { type Change, readText } from "./text-files.ts";

/** How the hooks ask: through the MCP server, or by starting the command anew each time. */
export type HookKind = "mcp_tool" | "command";

/** The server first: hooks without it would stop every session. */
export function installChanges(files: GuardFiles, launch: { server: Launch; hook: Launch }, kind: HookKind): Change[] {
  const handlers = kind === "command" ? commandHandlers(launch.hook) : toolHandlers(SERVER);
  return [
    changeOf(files.servers, (text) => withServer({ text, file: files.servers }, launch.server)),
    changeOf(files.settings, (text) => withHooks({ text, file: files.settings }, handlers)),
  ];
}

/** The hooks first, for the same reason. */
export function uninstallChanges(files: GuardFiles): Change[] {
  return [
    changeOf(files.settings, (text) => withoutHooks({ text, file: files.settings })),
    changeOf(files.servers, (text) => withoutServer({ text, file: files.servers })),
  ];
}

/** A new file of a user is for its owner only, as Claude Code's own are; one of a project is shared. */
export const newFileMode = (scope: Scope): number => (scope === "user" ? 0o600 : 0o644);

/** What a file that we made begins from, and is deleted at: an `.mcp.json` without servers is a fault to Claude Code. */
const EMPTY = "{}";

function changeOf(file: string, edit: (text: string) => string): Change {
  const before = readText(file);
  const given = before ?? EMPTY;
  const after = edit(given);
  if (after === given) return { file, before, after: before };
  return { file, before, after: after === EMPTY ? null : after };
}
