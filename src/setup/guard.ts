// What the guard of Claude Code consists of: an MCP server and a hook on each event at which a session can be stopped.

export const SERVER = "astra-budget";
export const TOOL = "gate";
/** Seconds. The gate waits at most two for the transcript; without a limit of ours a hang would last ten minutes. */
const TIMEOUT_S = 5;

/** The events, and what the gate is told at each beside event, session_id and transcript_path. */
const ASKED = {
  UserPromptSubmit: [],
  PreToolUse: ["agent_id", "tool_use_id", "tool_name"],
  PostToolBatch: ["agent_id", "tool_calls"],
  SubagentStop: ["agent_id"],
  Stop: [],
} as const satisfies Record<string, readonly string[]>;

export type GuardEvent = keyof typeof ASKED;
export const EVENTS = Object.keys(ASKED) as GuardEvent[];

/** Where a crashed gate can stop the session; on the others Claude Code takes no notice of `onFailure`. */
const BLOCKING: readonly GuardEvent[] = ["UserPromptSubmit", "PreToolUse", "PostToolBatch"];

/** How to start our command: the program and its arguments. */
export type Launch = { readonly command: string; readonly args: readonly string[] };

/** A hook's handler as Claude Code's settings hold it. */
export type Handler = Readonly<Record<string, unknown>>;
export type Handlers = Readonly<Record<GuardEvent, Handler>>;

/** The hooks that ask the tool `gate` of the MCP server with this name. */
export function toolHandlers(server: string): Handlers {
  return each((event) => ({
    type: "mcp_tool",
    server,
    tool: TOOL,
    timeout: TIMEOUT_S,
    ...onFailure(event),
    input: {
      event,
      ...Object.fromEntries(["session_id", "transcript_path", ...ASKED[event]].map((name) => [name, `\${${name}}`])),
    },
  }));
}

/** The hooks that start our command for each event. By the status message they are known again as ours. */
export function commandHandlers(hook: Launch): Handlers {
  return each((event) => ({
    type: "command",
    command: hook.command,
    args: hook.args,
    timeout: TIMEOUT_S,
    ...onFailure(event),
    statusMessage: SERVER,
  }));
}

/** Ours, of this version or an older one. */
export function isOurHandler(handler: unknown): boolean {
  if (typeof handler !== "object" || handler === null) return false;
  const { type, server, statusMessage } = handler as Handler;
  return (type === "mcp_tool" && server === SERVER) || (type === "command" && statusMessage === SERVER);
}

/** The MCP server's entry; an older one of ours keeps what else it has, such as its environment. */
export function serverEntry(launch: Launch, older: unknown): Record<string, unknown> {
  const kept = isOurServer(older) ? older : {};
  return { ...kept, type: "stdio", command: launch.command, args: [...launch.args] };
}

/** Started by us over stdio; one under our name that is reached over HTTP is somebody else's work. */
export function isOurServer(entry: unknown): entry is Record<string, unknown> {
  if (typeof entry !== "object" || entry === null) return false;
  const { command, args } = entry as Record<string, unknown>;
  return typeof command === "string" && Array.isArray(args) && args.includes("stdio");
}

function onFailure(event: GuardEvent): { onFailure?: "block" } {
  return BLOCKING.includes(event) ? { onFailure: "block" } : {};
}

function each(handler: (event: GuardEvent) => Handler): Handlers {
  return Object.fromEntries(EVENTS.map((event) => [event, handler(event)])) as Handlers;
}
