// The gate of Claude Code: its hooks ask here before each prompt and tool and after each batch of them. What was used is
// read from the transcripts and booked before the answer, so that the response that crosses a cap is the last.
import { setTimeout as sleep } from "node:timers/promises";
import { usedText } from "../../core/verdict.ts";
import { endSession } from "../../operations/end-session.ts";
import { bookedBytesOf, type Metered, type Metering, meterUsage } from "../../operations/meter-usage.ts";
import { type Context, invoke } from "../../operations/operation.ts";
import { GO_ON, type HookAnswer } from "../hook-answer.ts";
import { MeterFault, notedFault } from "../meter-fault.ts";
import { Conversation } from "./conversation.ts";
import { denyTool, stopRun, tellModel } from "./hook-answer.ts";
import { type HookEvent, type HookInput, hookEvent, hookInput } from "./hook-input.ts";
import { isSpawning, Threads } from "./threads.ts";

export const CLIENT = "claude-code";

/** Claude Code writes its transcript every 100 ms: a response may be that late. */
const POLL_MS = 10;
/** Never seen to be needed; below the hooks' own time limit. */
const MOST_WAIT_MS = 2_000;
/** A sub-agent's last words come without a call that could be waited for. */
const LAST_WORDS_MS = 250;

/** Events whose answer may carry a text for the model without making it go on. */
const TELLING: ReadonlySet<HookEvent> = new Set(["UserPromptSubmit", "PostToolBatch"]);

export type GateOptions = {
  /** The folder of Claude Code's transcripts: nothing else is read. */
  readonly root: string;
  /** As whom it works. */
  readonly agentId: string;
  /** What a person should know and the model should not. */
  readonly log: (text: string) => void;
};

type Open = { readonly conversation: Conversation; readonly threads: Threads; queue: Promise<unknown> };

export class ClaudeCodeGate {
  readonly #context: Context;
  readonly #options: GateOptions;
  readonly #open = new Map<string, Open>();

  constructor(context: Context, options: GateOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** The hook's answer to whatever came. It never throws: a gate that fails is closed, unless the policy says otherwise. */
  async ask(raw: unknown): Promise<HookAnswer> {
    try {
      const event = hookEvent(raw);
      return event === null ? GO_ON : await this.#answer(hookInput(raw, event));
    } catch (error) {
      return this.#failed(raw, error);
    }
  }

  /** Books what is left, of every conversation, and ends their sessions: the client is going. */
  async close(): Promise<void> {
    for (const { conversation } of this.#open.values()) {
      await conversation.read();
      const { session } = await this.#book(conversation, new Threads(), null);
      await this.#end(session.id);
    }
    this.#open.clear();
  }

  async #answer(input: HookInput): Promise<HookAnswer> {
    const open = this.#openOf(input);
    const { conversation, threads } = open;
    threads.heard(input, this.#context.now());
    const isComplete = await this.#catchUp(conversation, input);
    // One after another: who asks second must see what the first one booked.
    const turn = open.queue.then(() => this.#book(conversation, threads, { input, isComplete }));
    open.queue = turn.catch(() => {});
    const metered = await turn;
    if (conversation.fault) {
      const { fault } = conversation;
      conversation.fault = null;
      throw fault;
    }
    if (input.event === "SubagentStop") await this.#end(metered.session.id);
    return this.#answerOf(input, metered);
  }

  #openOf({ transcriptPath }: HookInput): Open {
    const known = this.#open.get(transcriptPath);
    if (known) return known;
    const bytes = (path: string) => bookedBytesOf(this.#context, path);
    const conversation = new Conversation(this.#options.root, transcriptPath, bytes);
    const open = { conversation, threads: new Threads(), queue: Promise.resolve() };
    this.#open.set(transcriptPath, open);
    return open;
  }

  /** Reads until what must be there is there; false when that took too long. */
  async #catchUp(conversation: Conversation, { event, calls, agentId }: HookInput): Promise<boolean> {
    const thread = conversation.threadOf(agentId);
    const isReady = () => (event === "SubagentStop" ? conversation.isAtRest(thread) : conversation.has(calls));
    const deadline = performance.now() + (event === "SubagentStop" ? LAST_WORDS_MS : MOST_WAIT_MS);
    await conversation.read();
    while (!isReady() && performance.now() < deadline) {
      await sleep(POLL_MS);
      await conversation.read();
    }
    if (isReady()) return true;
    if (event === "PostToolBatch" && !conversation.hasResponses) throw new MeterFault("no_transcript");
    if (event === "PostToolBatch")
      this.#options.log("a response was not in the transcript in time: it is taken as a usual one.");
    return false;
  }

  /** Books what is new and answers where that leaves the thread that asks; nobody asks when the client goes. */
  async #book(
    conversation: Conversation,
    threads: Threads,
    asking: { readonly input: HookInput; readonly isComplete: boolean } | null,
  ): Promise<Metered> {
    const fresh = conversation.take();
    const input = asking?.input ?? null;
    const asker = conversation.threadOf(input?.agentId ?? null);
    const ids = new Set([conversation.id, ...fresh.responses.keys(), asker]);
    const metering: Metering = {
      client: CLIENT,
      meter: "transcript",
      agentId: this.#options.agentId,
      threads: [...ids].map((threadId) => ({
        threadId,
        parentId: threadId === conversation.id ? null : conversation.id,
        responses: fresh.responses.get(threadId) ?? [],
      })),
      files: fresh.files,
      asking: asker,
      renewal: input?.event === "UserPromptSubmit" ? "renew" : "keep",
      underWay:
        (threads.asking > 1 ? threads.asking : 0) +
        (asking?.isComplete === false && input?.event === "PostToolBatch" ? 1 : 0),
      next: input?.call && isSpawning(input.call.tool) ? "sub_agent" : "anything",
      model: conversation.model,
    };
    try {
      return await meterUsage(this.#context, metering);
    } catch (error) {
      conversation.giveBack(fresh);
      throw error;
    }
  }

  async #end(sessionId: string): Promise<void> {
    await invoke(
      endSession,
      this.#context,
      { kind: "agent", agentId: this.#options.agentId },
      { session_id: sessionId },
    );
  }

  #answerOf({ event }: HookInput, { verdict, spawn, nearlyUsedUp }: Metered): HookAnswer {
    if (verdict.decision === "deny") return stopRun(event, `astra-budget: ${verdict.message}`);
    if (spawn?.decision === "deny") return denyTool(`astra-budget: ${spawn.message}`);
    if (nearlyUsedUp.length === 0 || !TELLING.has(event)) return GO_ON;
    return tellModel(
      event,
      `astra-budget: ${nearlyUsedUp.map(usedText).join("; ")}. Finish with less and start nothing new.`,
    );
  }

  #failed(raw: unknown, error: unknown): HookAnswer {
    const fault = notedFault(error, this.#options.log);
    if (this.#context.policy.onMeterFailure === "allow") return GO_ON;
    return closedAnswer(raw, fault);
  }
}

/** What a gate answers that cannot say how things stand. */
export function closedAnswer(raw: unknown, { message, hint } = new MeterFault("internal")): HookAnswer {
  return stopRun(eventOrAny(raw), `astra-budget: ${message} ${hint}`);
}

/** Where the event is not told, the one whose answer needs the least to stop a run. */
function eventOrAny(raw: unknown): HookEvent {
  try {
    return hookEvent(raw) ?? "PostToolBatch";
  } catch {
    return "PostToolBatch";
  }
}
