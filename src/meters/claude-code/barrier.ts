// Waits until a conversation's files hold what must be in them when a hook asks: Claude Code writes them a little later.
import { setTimeout as sleep } from "node:timers/promises";
import type { Conversation } from "./conversation.ts";
import type { HookInput } from "./hook-input.ts";

/** Claude Code writes its transcript every 100 ms: a response may be that late. */
const POLL_MS = 10;
/** Never seen to be needed; below the hooks' own time limit. */
const MOST_WAIT_MS = 2_000;
/** A sub-agent's last words come without a call that could be waited for. */
const LAST_WORDS_MS = 250;

/** A file at which nothing was written for so long, while its thread worked, is none that is written to. */
const SILENT_MS = 10_000;

/**
 * `whole`: nothing is missing. `late`: a response of the thread is not there in time, as on a busy disk. `missing`:
 * nobody writes them down; there never was one, or two after the other stayed away, or the file has long been silent
 * (which is all that a process for one hook can see: a session may be continued without being kept).
 */
export type CaughtUp = "whole" | "late" | "missing";

export class Barrier {
  readonly #conversation: Conversation;
  /** By thread: the calls that were not in its file in time. */
  readonly #late = new Map<string, readonly string[]>();

  readonly #now: () => number;

  constructor(conversation: Conversation, now: () => number) {
    this.#conversation = conversation;
    this.#now = now;
  }

  async pass({ event, calls, agentId }: HookInput): Promise<CaughtUp> {
    const conversation = this.#conversation;
    const thread = conversation.threadOf(agentId);
    const isReady = () => (event === "SubagentStop" ? conversation.isAtRest(thread) : conversation.has(calls));
    const deadline = performance.now() + (event === "SubagentStop" ? LAST_WORDS_MS : MOST_WAIT_MS);
    await conversation.read();
    while (!isReady() && performance.now() < deadline) {
      await sleep(POLL_MS);
      await conversation.read();
    }
    if (event !== "PostToolBatch") return "whole";
    const before = this.#late.get(thread);
    this.#late.delete(thread);
    if (isReady()) return "whole";
    this.#late.set(thread, calls);
    const staysAway = before !== undefined && !conversation.has(before);
    const isSilent = (conversation.writtenAt(thread) ?? this.#now()) < this.#now() - SILENT_MS;
    return !conversation.hasResponses || staysAway || isSilent ? "missing" : "late";
  }
}
