// Talks to the guard as Claude Code would: over MCP with the server's own command, or through the hooks' command.
import { spawn } from "node:child_process";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { type Launch, TOOL } from "../guard.ts";

/** Longer than any start that a session would wait for. */
const PATIENCE_MS = 10_000;

/** Something that can be asked what the gate says. */
export type Conversation = {
  /** What answered: its name and version. */
  readonly peer: string;
  /** The gate's text for one event's input; throws an Error that says in a few words what went wrong. */
  ask(input: Readonly<Record<string, string>>): Promise<string>;
  close(): Promise<void>;
};

type Environment = Readonly<Record<string, string>>;

export async function converse(launch: Launch, env: Environment): Promise<Conversation> {
  const transport = new StdioClientTransport({
    command: launch.command,
    args: [...launch.args],
    env: { ...env },
    stderr: "pipe",
  });
  let said = "";
  transport.stderr?.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString("utf8")).slice(-2_000);
  });
  const client = new Client({ name: "astra-budget-doctor", version: "1" });
  try {
    await client.connect(transport, { timeout: PATIENCE_MS });
  } catch (error) {
    await client.close();
    throw new Error(wordsOf(error, said));
  }
  const { name, version } = client.getServerVersion() ?? { name: "a server", version: "" };
  return {
    peer: `${name} ${version}`,
    close: () => client.close(),
    async ask(input) {
      const request = { name: TOOL, arguments: { ...input } };
      const answer = await client.callTool(request, undefined, { timeout: PATIENCE_MS }).catch((error) => {
        throw new Error(wordsOf(error, ""));
      });
      const [block] = answer.content as { type: string; text?: string }[];
      if (answer.isError || block?.type !== "text") throw new Error(`the gate failed: ${block?.text ?? "no text"}`);
      return block.text ?? "";
    },
  };
}

/** One process for each question, the event's JSON on its standard input. */
export function byCommand(launch: Launch, env: Environment): Conversation {
  return {
    peer: launch.command,
    close: async () => {},
    ask: ({ event = "", tool_calls = "[]", ...rest }) =>
      outputOf(launch, env, JSON.stringify({ ...rest, hook_event_name: event, tool_calls: JSON.parse(tool_calls) })),
  };
}

function outputOf(launch: Launch, env: Environment, input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(launch.command, launch.args, { env, stdio: ["pipe", "pipe", "pipe"], timeout: PATIENCE_MS });
    let [output, said] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-2_000);
    });
    child.on("error", (error) => reject(new Error(wordsOf(error, said))));
    child.on("close", (code) => (code === 0 ? resolve(output) : reject(new Error(wordsOf(code, said)))));
    child.stdin.on("error", () => {}); // it may end without reading
    child.stdin.end(input);
  });
}

/** The last that the process said about itself (what, where, and how to mend it), else what the protocol says. */
function wordsOf(error: unknown, said: string): string {
  const last = said.trim().split("\n").slice(-3).join(" ");
  if (last !== "") return last;
  const text = error instanceof Error ? error.message : `it ended with code ${error}`;
  return /timed out/i.test(text) ? `no answer within ${PATIENCE_MS / 1_000} seconds` : text;
}
