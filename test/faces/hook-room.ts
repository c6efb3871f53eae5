// A room in which a client's hooks start our real command, with the client's session files in the room's home.
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CLI, newRoom } from "./room.ts";

export type HookRoom = {
  readonly folder: string;
  /** Writes a file of a client under the home folder; gives its path. */
  put(name: string, text: string): string;
  /** One hook: what the command answers to an input, whatever that is. */
  ask(client: string, input: unknown): Promise<Record<string, unknown>>;
  /** US dollars by agent. */
  spent(): Promise<Record<string, number>>;
  /** The newest first. */
  sessions(): Promise<HookSession[]>;
  /** Ends the newest session, as its time would. */
  end(): Promise<void>;
};

export type HookSession = { readonly session_id: string; readonly status: string; readonly cost_usd: number };

/** The clients' agents have a cap; no other limit can bind. */
export function newHookRoom(capCents: number, more = ""): HookRoom {
  const room = newRoom(`
hardCaps:
  maxPromptTokens: 1000000000
  maxCompletionTokens: 1000000000
  maxTotalTokens: 1000000000
  maxCostCents: 100000
  maxToolCalls: 1000000
  maxDuration: 86400000
  maxChildAgents: 1000
agents:
${["codex", "gemini-cli", "opencode"].map((id) => `  - { id: ${id}, budget: { maxCostCents: ${capCents} } }`).join("\n")}
${more}`);
  const sessions = async () => (await room.json(["sessions"])).sessions as HookSession[];
  return {
    folder: room.folder,
    put: (name, text) => {
      const file = join(room.folder, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      return file;
    },
    ask: (client, input) =>
      new Promise((resolve, reject) => {
        const options = { cwd: room.folder, env: room.env };
        const child = execFile(process.execPath, [CLI, "hook", client], options, (error, stdout) =>
          error ? reject(error) : resolve(JSON.parse(stdout)),
        );
        child.stdin?.end(typeof input === "string" ? input : JSON.stringify(input));
      }),
    spent: async () => (await room.json(["costs"])).by_agent as Record<string, number>,
    sessions,
    end: async () => void (await room.json(["end", "--session", (await sessions())[0]?.session_id ?? ""])),
  };
}

/** Lines of a file of JSON lines. */
export const lines = (...values: readonly unknown[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join("");

/** Now and a bit: session files are written while their session is open. */
export const stamp = (afterMs = 0): string => new Date(Date.now() + afterMs).toISOString();
