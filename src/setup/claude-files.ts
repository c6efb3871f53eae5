// Where Claude Code keeps what we change: hooks in its settings, MCP servers in a file of their own.
import { homedir } from "node:os";
import { join, resolve } from "node:path";

export type Scope = "user" | "project";
export type GuardFiles = { readonly settings: string; readonly servers: string };

/** `CLAUDE_CONFIG_DIR` moves both of a user's files into one folder. */
export function guardFiles(scope: Scope, env: NodeJS.ProcessEnv, folder: string): GuardFiles {
  if (scope === "project")
    return { settings: join(folder, ".claude", "settings.json"), servers: join(folder, ".mcp.json") };
  return {
    settings: join(claudeFolder(env), "settings.json"),
    servers: join(env.CLAUDE_CONFIG_DIR ? claudeFolder(env) : homedir(), ".claude.json"),
  };
}

/** Settings and transcripts of this user. */
function claudeFolder(env: NodeJS.ProcessEnv): string {
  return env.CLAUDE_CONFIG_DIR ? resolve(env.CLAUDE_CONFIG_DIR) : join(homedir(), ".claude");
}
