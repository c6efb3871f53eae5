// Where Claude Code keeps its transcripts: a session's main file, its subagents' files, and all sessions of a machine.
import { homedir } from "node:os";
import { basename, dirname, join, sep } from "node:path";
import { lastWritten, type PastFile, type PastFiles } from "../past-file.ts";
import { entriesOf, sessionFiles } from "../session-files.ts";

const EXTENSION = ".jsonl";
const SUBAGENTS = "subagents";

/** Ids that Claude Code makes are letters, digits and dashes; anything else is somebody else's file. */
const SESSION_FILE = /^(?<id>[A-Za-z0-9][A-Za-z0-9_-]{0,127})\.jsonl$/;
const SUBAGENT_FILE = /^agent-(?<id>[A-Za-z0-9][A-Za-z0-9_-]{0,127})\.jsonl$/;

export type SubagentFile = { readonly agentId: string; readonly path: string };

/** The folder of all projects' transcripts. */
export function claudeRoot(env: Readonly<Record<string, string | undefined>>): string {
  return join(env.CLAUDE_CONFIG_DIR || join(homedir(), ".claude"), "projects");
}

export function subagentsFolder(mainTranscript: string): string {
  return join(dirname(mainTranscript), basename(mainTranscript, EXTENSION), SUBAGENTS);
}

/** Those in folders below included, links not followed. None if there is no such folder. */
export function subagentFiles(mainTranscript: string): readonly SubagentFile[] {
  return [...subagentsBelow(subagentsFolder(mainTranscript))];
}

/** By hand, since node's own recursive listing follows links to folders. */
function* subagentsBelow(folder: string): Generator<SubagentFile> {
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* subagentsBelow(path);
    const agentId = entry.isFile() ? SUBAGENT_FILE.exec(entry.name)?.groups?.id : undefined;
    if (agentId) yield { agentId, path };
  }
}

export const isSubagentFile = (path: string): boolean => SUBAGENT_FILE.test(basename(path));

/** The session whose main file or subagent's file this is; null if it is neither. */
export function sessionOfPath(path: string): string | null {
  const parts = path.split(/[/\\]/);
  const name = parts.at(-1) ?? "";
  if (!SUBAGENT_FILE.test(name)) return SESSION_FILE.exec(name)?.groups?.id ?? null;
  const below = parts.lastIndexOf(SUBAGENTS);
  return SESSION_FILE.exec(`${parts[below - 1] ?? ""}${EXTENSION}`)?.groups?.id ?? null;
}

/**
 * All transcripts in the folder and those below it, by conversation, the one that was written to last at the end. Files
 * of sub-agents that old versions kept beside the main ones come after all others: their lines name the session.
 */
export function claudeConversations(root: string): readonly PastFiles[] {
  const found = new Map<string, PastFile[]>();
  for (const file of sessionFiles(root)) {
    const agentId = SUBAGENT_FILE.exec(basename(file.path))?.groups?.id ?? null;
    const sessionId = sessionOfPath(file.path);
    if (agentId === null && sessionId === null) continue;
    const main = agentId === null || sessionId === null ? file.path : mainOf(file.path);
    const files = found.get(main) ?? [];
    found.set(main, files);
    files.push({ ...file, agentId, booked: 0 });
  }
  return [...found]
    .map(([main, files]) => ({ sessionId: sessionOfPath(main), files: files.sort(mainFirst) }))
    .sort((a, b) => Number(a.sessionId === null) - Number(b.sessionId === null) || lastWritten(a) - lastWritten(b));
}

/** The main file (which may be gone) that a subagent's file belongs to. */
function mainOf(path: string): string {
  const parts = path.split(sep);
  return `${parts.slice(0, parts.lastIndexOf(SUBAGENTS)).join(sep)}${EXTENSION}`;
}

const mainFirst = (a: PastFile, b: PastFile): number =>
  Number(a.agentId !== null) - Number(b.agentId !== null) || (a.path < b.path ? -1 : 1);
