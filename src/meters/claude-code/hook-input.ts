// What Claude Code tells a hook, through our tool or on standard input, in one form.
import { z } from "zod";
import { asObject } from "../json-line.ts";
import { MeterFault } from "../meter-fault.ts";
import { callId } from "../safe-names.ts";

/** The events that are asked about; of any other nothing is metered and nothing stopped. */
const EVENTS = ["UserPromptSubmit", "PreToolUse", "PostToolBatch", "SubagentStart", "SubagentStop", "Stop"] as const;
export type HookEvent = (typeof EVENTS)[number];

export type HookInput = {
  readonly event: HookEvent;
  readonly transcriptPath: string;
  /** The sub-agent it happened in; null = the main thread. */
  readonly agentId: string | null;
  /** The calls that must be in the transcript by now: those of the response that has just been carried out. */
  readonly calls: readonly string[];
  /** Before a tool is used: the call and its tool. */
  readonly call: { readonly id: string; readonly tool: string } | null;
};

/** Fields that Claude Code does not have arrive as empty texts, lists as JSON. */
const text = z.string().optional().default("");
const shape = z.object({
  transcript_path: text,
  agent_id: text,
  tool_use_id: text,
  tool_name: text,
  tool_calls: z.unknown().optional(),
});

const AGENT_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

/** Null for an event that is not ours; one that is not told at all is a fault. */
export function hookEvent(raw: unknown): HookEvent | null {
  const input = asObject(raw);
  const name = input?.event || input?.hook_event_name;
  if (typeof name !== "string" || name === "") throw new MeterFault("hook_input");
  return EVENTS.find((each) => each === name) ?? null;
}

/** A field that cannot be read is a fault: what is not understood is not let through. */
export function hookInput(raw: unknown, event: HookEvent): HookInput {
  const { success, data } = shape.safeParse(raw);
  if (!success) throw new MeterFault("hook_input");
  if (data.transcript_path === "" || (data.agent_id !== "" && !AGENT_ID.test(data.agent_id)))
    throw new MeterFault("hook_input");
  return {
    event,
    transcriptPath: data.transcript_path,
    agentId: data.agent_id === "" ? null : data.agent_id,
    calls: event === "PostToolBatch" ? callIds(data.tool_calls) : [],
    call: event === "PreToolUse" ? { id: callId(data.tool_use_id), tool: data.tool_name } : null,
  };
}

/** Parsed, never searched for: a tool's output may quote the ids of other calls. */
function callIds(given: unknown): string[] {
  const calls = typeof given === "string" ? parsed(given) : given;
  if (!Array.isArray(calls)) throw new MeterFault("hook_input");
  return calls.map((call) => {
    const id = asObject(call)?.tool_use_id;
    if (typeof id !== "string") throw new MeterFault("hook_input");
    return callId(id);
  });
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
