// Where Claude Code keeps its transcripts: a session's main file, its subagents' files, and all sessions of a machine.
import { type Dirent, readdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";

const EXTENSION = ".jsonl";
const SUBAGENTS = "subagents";

/** Ids that Claude Code makes are letters, digits and dashes; anything else is somebody else's file. */
const SESSION_FILE = /^(?<id>[A-Za-z0-9][A-Za-z0-9_-]{0,127})\.jsonl$/;
const SUBAGENT_FILE = /^agent-(?<id>[A-Za-z0-9][A-Za-z0-9_-]{0,127})\.jsonl$/;

export type SubagentFile = { readonly agentId: string; readonly path: string };

export type MainTranscript = {
  readonly path: string;
  /** Null in the files of subagents that old versions kept beside the main ones: their lines name the session. */
  readonly sessionId: string | null;
  /** Epoch ms. */
  readonly modifiedAt: number;
};

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

/** All main transcripts changed at or after a time, project by project, each in the order of names. */
export function* mainTranscripts(root: string, modifiedSince = 0): Generator<MainTranscript> {
  for (const project of entriesOf(root)) {
    if (!project.isDirectory()) continue;
    for (const entry of entriesOf(join(root, project.name))) {
      if (!entry.isFile() || !SESSION_FILE.test(entry.name)) continue;
      const path = join(root, project.name, entry.name);
      const modifiedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
      if (modifiedAt !== undefined && modifiedAt >= modifiedSince)
        yield { path, sessionId: sessionOfPath(path), modifiedAt };
    }
  }
}

/** Sorted by name; none if the folder is missing or closed to us, or goes away meanwhile. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}
