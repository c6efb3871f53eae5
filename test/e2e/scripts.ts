// What the mock's models do: a script answers one request after another, and scripts are made of scripts.
import type { Asked, Script } from "./mock-api.ts";
import type { ToolCall } from "./mock-message.ts";

/** An end to every loop: a run that nothing stops is a failed test, not one that hangs. */
export const LOOP_END = 16;

const ECHO: ToolCall = { tool: "Bash", input: { command: "echo hi", description: "Says hi" } };
const DONE = { text: "Done." } as const;

/** Calls a tool in every answer, for ever (up to LOOP_END). */
export const loop: Script = times(LOOP_END);

/** Calls a tool once, then ends. */
export const once: Script = times(1);

/** Calls a tool in the first `count` answers of a thread, then ends. */
export function times(count: number): Script {
  return working(({ nth }) => (nth <= count ? { text: "Working.", calls: [ECHO] } : DONE));
}

/** The main thread starts `count` subagents at once and ends when they have; each of them follows `script`. */
export function subagents(count: number, script: Script): Script {
  const start = Array.from({ length: count }, (_, i): ToolCall => ({ tool: "Agent", input: task(i + 1) }));
  const main = working(({ nth }) => (nth === 1 ? { text: "Sharing the work.", calls: start } : DONE));
  return (asked) => (asked.agentId === null ? main(asked) : script(asked));
}

/** The same script, but no thread waits for the subagents that it starts: their ends come as prompts. */
export function inBackground(script: Script): Script {
  return async (asked) => {
    const { calls = [], ...reply } = await script(asked);
    return { ...reply, calls: calls.map(withoutWaiting) };
  };
}

function withoutWaiting(call: ToolCall): ToolCall {
  return call.tool === "Agent" ? { ...call, input: { ...call.input, run_in_background: true } } : call;
}

function task(nth: number): ToolCall["input"] {
  return {
    description: `Part ${nth}`,
    prompt: `Do part ${nth}.`,
    subagent_type: "general-purpose",
    run_in_background: false,
  };
}

/** Claude Code asks small things beside the work (a title): such a request offers no shell, and gets text. */
function working(script: (asked: Asked) => ReturnType<Script>): Script {
  return (asked) => (asked.tools.includes("Bash") ? script(asked) : { text: "A title." });
}
