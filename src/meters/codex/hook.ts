// Codex's hooks: a session's usage stands in its rollouts, and only its next prompt can be blocked.
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { Context } from "../../operations/operation.ts";
import { type Collected, collect } from "../collected.ts";
import { GO_ON } from "../hook-answer.ts";
import { eventOf, modelOrNone, readInput, sessionId, textOrNone } from "../hook-fields.ts";
import type { HookClient, News } from "../hook-gate.ts";
import { MeterFault } from "../meter-fault.ts";
import { readSession } from "../session-file.ts";
import { Rollout } from "./rollout.ts";

/** A sub-agent's first task comes as a prompt, too. */
const PROMPT = "UserPromptSubmit";
const EVENTS: ReadonlySet<string> = new Set([
  PROMPT,
  "PreToolUse",
  "PostToolUse",
  "SubagentStop",
  "Stop",
  "SessionEnd",
]);

/** `session_id` is the main thread's, and so is `transcript_path` in SubagentStop; elsewhere that is the asking thread's. */
const shape = z.object({
  hook_event_name: z.string().min(1),
  session_id: sessionId,
  transcript_path: textOrNone,
  agent_id: textOrNone,
  agent_transcript_path: textOrNone,
  model: modelOrNone,
});

export function codexHook(env: Readonly<Record<string, string | undefined>>): HookClient {
  const root = env.CODEX_HOME || join(homedir(), ".codex");
  return {
    name: "codex",
    news: async (context, raw) => {
      const input = readInput(shape, raw);
      if (!EVENTS.has(input.hook_event_name)) return null;
      const paths = [input.transcript_path, input.agent_transcript_path].filter((path) => path !== null);
      if (paths.length === 0) throw new MeterFault("no_transcript");
      return {
        ...(await readRollouts(context, root, paths)),
        sessionId: input.session_id,
        renewal: input.hook_event_name === PROMPT && input.agent_id === null ? "renew" : "keep",
        model: input.model,
      };
    },
    // Of the other events some cannot stop it, and others make it go on when they are blocked.
    stop: (raw, reason) => {
      const event = eventOf(raw);
      return event === PROMPT || typeof event !== "string" ? { decision: "block", reason } : GO_ON;
    },
  };
}

async function readRollouts(
  context: Context,
  root: string,
  paths: readonly string[],
): Promise<Pick<News, "responses" | "files" | "isDamaged">> {
  const found: Collected = new Map();
  const files: News["files"][number][] = [];
  let isDamaged = false;
  for (const path of paths) {
    const rollout = new Rollout();
    const file = await readSession(context, root, path, (line, isNew) => {
      const read = rollout.read(line);
      if (isNew && read.kind === "response") collect(found, read);
      if (isNew && read.kind === "fault") isDamaged = true;
    });
    files.push(file);
  }
  return { responses: [...found.values()].map(({ response }) => response), files, isDamaged };
}
