// A room in which Claude Code works under our budget: the server and the hooks as they are shipped, and one cap on its cost.
import { join } from "node:path";
import { CLI, newRoom, type Room } from "../faces/room.ts";
import { type Claude, type Start, startClaude } from "./claude.ts";
import { ANSWER_USD } from "./mock-message.ts";

/** A cap that the sixth answer crosses. */
export const TIGHT_CENTS = 5;
export const CROSSING = Math.ceil(TIGHT_CENTS / 100 / ANSWER_USD);

/** A cap that no run comes near. */
export const WIDE_CENTS = 1000;

/** Of `claude-code`, the agent as which a metered session is booked; no other limit can bind. */
export function roomWithCap(cents: number): Room {
  return newRoom(`
hardCaps:
  maxPromptTokens: 1000000000
  maxCompletionTokens: 1000000000
  maxTotalTokens: 1000000000
  maxCostCents: 100000
  maxToolCalls: 1000000
  maxDuration: 86400000
  maxChildAgents: 1000
agents:
  - id: claude-code
    budget: { maxCostCents: ${cents} }
`);
}

/** The server's command line; its folders make it one of its kind on the machine. */
const serverArgs = (room: Room) => [CLI, "stdio", "--config", join(room.folder, "astra.yml"), "--ledger", room.ledger];

/** Claude Code with our server and hooks. */
export function startBudgeted(room: Room, start: Omit<Start, "mcpServers" | "settings">): Claude {
  const mcpServers = { "astra-budget": { command: process.execPath, args: serverArgs(room) } };
  return startClaude(room, { ...start, mcpServers, settings: { hooks: HOOKS } });
}

const GATE = { type: "mcp_tool", server: "astra-budget", tool: "gate", timeout: 5 } as const;
const CLOSED = { ...GATE, onFailure: "block" } as const;

/** The client fills in what its event has under these names. */
function hook(handler: typeof GATE, event: string, names: readonly string[] = []) {
  const fields = ["session_id", "transcript_path", "agent_id", ...names].map((name) => [name, `\${${name}}`]);
  return { [event]: [{ hooks: [{ ...handler, input: { event, ...Object.fromEntries(fields) } }] }] };
}

const HOOKS = {
  ...hook(CLOSED, "UserPromptSubmit"),
  ...hook(CLOSED, "PreToolUse", ["tool_use_id", "tool_name"]),
  ...hook(CLOSED, "PostToolBatch", ["tool_calls"]),
  ...hook(GATE, "SubagentStop"),
  ...hook(GATE, "Stop"),
};

/** A shell's command on the server's process. The brackets keep the shell's own command line from matching. */
export const signalServer = (room: Room, signal: "KILL" | "STOP"): string =>
  `kill -${signal} $(pgrep -f '[s]tdio --config ${room.folder}/astra.yml')`;
