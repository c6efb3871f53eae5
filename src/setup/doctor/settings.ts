// Reads Claude Code's files as Claude Code does: strictly, and those of this user, this folder and the machine together.
import { join } from "node:path";
import { guardFiles } from "../claude-files.ts";
import { isStrictJson, parseJson } from "../json-text.ts";
import { readText } from "../text-files.ts";
import { type Check, fault } from "./check.ts";

export type JsonFile = { readonly file: string; readonly data: Readonly<Record<string, unknown>> };

export type ClaudeFiles = {
  /** In the order of their weight, the weakest first. */
  readonly settings: readonly JsonFile[];
  /** This user's file of MCP servers and projects, and this folder's. */
  readonly user: JsonFile | null;
  readonly project: JsonFile | null;
  /** Those that Claude Code cannot read. */
  readonly faults: readonly Check[];
};

export function readClaudeFiles(env: NodeJS.ProcessEnv, folder: string): ClaudeFiles {
  const user = guardFiles("user", env, folder);
  const project = guardFiles("project", env, folder);
  const faults: Check[] = [];
  const read = (file: string): JsonFile | null => {
    const text = readText(file);
    if (text === null) return null;
    const data = isStrictJson(text) ? JSON.parse(text.replace(/^\uFEFF/, "")) : null;
    if (typeof data === "object" && data !== null && !Array.isArray(data)) return { file, data };
    faults.push(fault("settings", `Claude Code takes no notice of ${unreadable(text, file)}`, "Correct the file."));
    return null;
  };
  const local = join(folder, ".claude", "settings.local.json");
  // In the home folder the project's settings are the user's.
  const places = new Set([user.settings, project.settings, local, managedSettings()]);
  const settings = [...places].map(read).filter((each) => each !== null);
  return { settings, user: read(user.servers), project: read(project.servers), faults };
}

function unreadable(text: string, file: string): string {
  try {
    parseJson(text, file);
    return `${file}: it has comments or trailing commas, expected strict JSON`;
  } catch (error) {
    return error instanceof Error ? error.message : file;
  }
}

/** What an administrator sets for all users of the machine. */
function managedSettings(): string {
  if (process.platform === "darwin") return "/Library/Application Support/ClaudeCode/managed-settings.json";
  if (process.platform === "win32") return "C:\\Program Files\\ClaudeCode\\managed-settings.json";
  return "/etc/claude-code/managed-settings.json";
}

export function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
