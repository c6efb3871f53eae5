// Gemini CLI's hooks: a session's usage stands in its chat files, and each call of a model can be denied before it is made.
import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { Context } from "../../operations/operation.ts";
import { type Collected, collect } from "../collected.ts";
import { GO_ON } from "../hook-answer.ts";
import { eventOf, modelOrNone, readInput, sessionId, textOrNone } from "../hook-fields.ts";
import type { HookClient, News } from "../hook-gate.ts";
import { MeterFault } from "../meter-fault.ts";
import { readSession } from "../session-file.ts";
import { readChatLine } from "./chat.ts";

const PROMPT = "BeforeAgent";
/** At these a denial stops it; at the others there is nothing to stop any more. */
const STOPPING: ReadonlySet<unknown> = new Set([PROMPT, "BeforeModel"]);
const EVENTS: ReadonlySet<unknown> = new Set([...STOPPING, "AfterAgent", "SessionEnd"]);

const shape = z.object({
  hook_event_name: z.string().min(1),
  session_id: sessionId,
  /** The main chat's, in a sub-agent too; empty when the disk was full and nothing is written any more. */
  transcript_path: textOrNone,
  llm_request: z.object({ model: modelOrNone }).nullish(),
});

export function geminiHook(env: Readonly<Record<string, string | undefined>>): HookClient {
  const root = join(env.GEMINI_CLI_HOME || homedir(), ".gemini");
  return {
    name: "gemini-cli",
    news: async (context, raw) => {
      const input = readInput(shape, raw);
      if (!EVENTS.has(input.hook_event_name)) return null;
      if (input.transcript_path === null) throw new MeterFault("no_transcript");
      return {
        ...(await readChats(context, root, input.transcript_path, input.session_id)),
        sessionId: input.session_id,
        renewal: input.hook_event_name === PROMPT ? "renew" : "keep",
        model: input.llm_request?.model ?? null,
      };
    },
    stop: (raw, reason) => {
      const event = eventOf(raw);
      return STOPPING.has(event) || typeof event !== "string" ? { decision: "deny", reason } : GO_ON;
    },
  };
}

/** The main chat, and those of its sub-agents, which lie in a folder of the session's name beside it. */
async function readChats(
  context: Context,
  root: string,
  main: string,
  id: string,
): Promise<Pick<News, "responses" | "files" | "isDamaged">> {
  const found: Collected = new Map();
  let isDamaged = false;
  const onLine = (line: Buffer, isNew: boolean) => {
    const read = isNew ? readChatLine(line) : null;
    if (read?.kind === "fault" || (read?.kind === "responses" && read.faults.length > 0)) isDamaged = true;
    if (read?.kind === "responses")
      for (const response of read.responses) collect(found, { response, isSidechain: false });
  };
  const files = [await readSession(context, root, main, onLine)];
  for (const path of chatsIn(join(dirname(main), id))) files.push(await readSession(context, root, path, onLine));
  return { responses: [...found.values()].map(({ response }) => response), files, isDamaged };
}

/** None where there is no such folder. */
function chatsIn(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith(".jsonl"));
    return names.sort().map((name) => join(folder, name));
  } catch {
    return [];
  }
}
