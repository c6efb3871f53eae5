// OpenCode's plugin as a hook: it sends the messages of models, and stops their session when the answer blocks it.
import { z } from "zod";
import { modelOrNone, readInput, sessionId, textOrNone } from "../hook-fields.ts";
import type { HookClient } from "../hook-gate.ts";
import { readMessage } from "./message.ts";

const PROMPT = "chat.message";

const shape = z.object({
  hook_event_name: z.enum([PROMPT, "message.updated"]),
  /** The session that a person began. */
  session_id: sessionId,
  /** The sub-agent's own session, where one asks. */
  agent_id: textOrNone,
  model: modelOrNone,
  messages: z.array(z.looseObject({ id: z.string() })),
});

export const opencodeHook: HookClient = {
  name: "opencode",
  news: async (_context, raw) => {
    const input = readInput(shape, raw);
    const read = input.messages.map((message) => readMessage(message.id, message));
    return {
      sessionId: input.session_id,
      responses: read.flatMap((each) => (each.kind === "response" ? [each.response] : [])),
      files: [],
      isDamaged: read.some(({ kind }) => kind === "fault"),
      renewal: input.hook_event_name === PROMPT && input.agent_id === null ? "renew" : "keep",
      model: input.model,
    };
  },
  stop: (_raw, reason) => ({ decision: "block", reason }),
};
