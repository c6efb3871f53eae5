// Claude Code's transcripts in a test's room, made by hand, and what its hooks would ask about them.
import { appendFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Room } from "./room.ts";

/** What Claude Code starts a server with, as far as the gate looks at it. */
export const INSIDE = { CLAUDECODE: "1", CLAUDE_CODE_SESSION_ID: "conversation-1" };

export const transcriptOf = (room: Room, name = "conversation-1"): string =>
  join(room.folder, ".claude", "projects", "-srv-proj", `${name}.jsonl`);

/** A response of 1,000 tokens in and 100 out on Sonnet 5 ($0.003), with one call. */
export function respond(file: string, id: string, call: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const message = {
    id,
    model: "claude-sonnet-5",
    role: "assistant",
    content: [{ type: "tool_use", id: call, name: "Bash", input: {} }],
    usage: { input_tokens: 1000, output_tokens: 100 },
  };
  appendFileSync(file, `${JSON.stringify({ type: "assistant", timestamp: new Date().toISOString(), message })}\n`);
}

export const prompt = (file: string) => ({ event: "UserPromptSubmit", transcript_path: file });

export const batch = (file: string, call: string) => ({
  event: "PostToolBatch",
  transcript_path: file,
  tool_calls: JSON.stringify([{ tool_use_id: call }]),
});
