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

type Given = Omit<Start, "mcpServers" | "settings">;

/** Claude Code with our server, and hooks that ask it. */
export function startBudgeted(room: Room, start: Given): Claude {
  const mcpServers = { "astra-budget": ours(room, "stdio") };
  return startClaude(room, { ...start, mcpServers, settings: { hooks: hooks(askServer) } });
}

/** Claude Code with hooks that start our command each time, and no server. */
export function startBudgetedByCommand(room: Room, start: Given): Claude {
  return startClaude(room, {
    ...start,
    settings: { hooks: hooks(() => ({ type: "command", ...ours(room, "hook") })) },
  });
}

/** Our command line; the room's folder makes it one of its kind on the machine. */
function ours(room: Room, word: "stdio" | "hook") {
  const places = ["--config", join(room.folder, "astra.yml"), "--ledger", room.ledger];
  return { command: process.execPath, args: [CLI, word, ...places] };
}

type Handler = (event: string, names: readonly string[]) => Readonly<Record<string, unknown>>;

/** The client fills in what its event has under these names. */
const askServer: Handler = (event, names) => {
  const fields = ["session_id", "transcript_path", "agent_id", ...names].map((name) => [name, `\${${name}}`]);
  return { type: "mcp_tool", server: "astra-budget", tool: "gate", input: { event, ...Object.fromEntries(fields) } };
};

function hooks(handler: Handler) {
  const open = (event: string, names: readonly string[] = []) => ({ ...handler(event, names), timeout: 5 });
  const closed = (event: string, names?: readonly string[]) => ({ ...open(event, names), onFailure: "block" });
  return {
    UserPromptSubmit: [{ hooks: [closed("UserPromptSubmit")] }],
    PreToolUse: [{ hooks: [closed("PreToolUse", ["tool_use_id", "tool_name"])] }],
    PostToolBatch: [{ hooks: [closed("PostToolBatch", ["tool_calls"])] }],
    SubagentStop: [{ hooks: [open("SubagentStop")] }],
    Stop: [{ hooks: [open("Stop")] }],
  };
}

/** A shell's command on the server's process. The brackets keep the shell's own command line from matching. */
export const signalServer = (room: Room, signal: "KILL" | "STOP"): string =>
  `kill -${signal} $(pgrep -f '[s]tdio --config ${room.folder}/astra.yml')`;
