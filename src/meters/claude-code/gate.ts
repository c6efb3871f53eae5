// The gate of Claude Code: its hooks ask here before each prompt and tool and after each batch of them. What was used is
// read from the transcripts and booked before the answer, so that the response that crosses a cap is the last.
import { usedText } from "../../core/verdict.ts";
import { endSession } from "../../operations/end-session.ts";
import { bookedBytesOf, type Metered, type Metering, meterUsage } from "../../operations/meter-usage.ts";
import { type Context, invoke } from "../../operations/operation.ts";
import { GO_ON, type HookAnswer } from "../hook-answer.ts";
import { MeterFault, notedFault } from "../meter-fault.ts";
import { Barrier, type CaughtUp } from "./barrier.ts";
import { Conversation } from "./conversation.ts";
import { canStop, denyTool, stopRun, tellModel } from "./hook-answer.ts";
import { type HookEvent, type HookInput, hookEvent, hookInput } from "./hook-input.ts";
import { reconcileStale } from "./reconcile.ts";
import { Threads } from "./threads.ts";

export const CLIENT = "claude-code";

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

type Open = {
  readonly conversation: Conversation;
  readonly threads: Threads;
  readonly barrier: Barrier;
  queue: Promise<unknown>;
};

/** The one that asks, and whether all of it was there; nobody asks when the client goes. */
type Asking = { readonly input: HookInput; readonly caughtUp: CaughtUp };

export class ClaudeCodeGate {
  readonly #context: Context;
  readonly #options: GateOptions;
  readonly #open = new Map<string, Open>();
  #reconciled: Promise<void> | null = null;
  #isMetering: boolean | null = null;

  constructor(context: Context, options: GateOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Whether what the model uses is found without its help. */
  get isMetering(): boolean {
    return this.#isMetering === true;
  }

  /** Checks the conversations of before, once; the client wrote its totals when their server was gone. */
  reconcile(): Promise<void> {
    const { root, agentId, log } = this.#options;
    this.#reconciled ??= reconcileStale(this.#context, { root, client: CLIENT, agentId, log }).catch((error) =>
      log(`earlier conversations are not reconciled: ${error}`),
    );
    return this.#reconciled;
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
    for (const open of this.#open.values()) {
      try {
        await open.conversation.read();
        const { session } = await this.#book(open, null);
        await this.#end(session.id);
      } catch (error) {
        // The others are to be booked all the same.
        this.#options.log(`a conversation is not booked to its end: ${error}`);
      }
    }
    this.#open.clear();
  }

  async #answer(input: HookInput): Promise<HookAnswer> {
    const open = this.#openOf(input);
    open.threads.heard(input, this.#context.now());
    const caughtUp = await open.barrier.pass(input);
    if (caughtUp === "late")
      this.#options.log("a response was not in the transcript in time: a usual one is set aside.");
    // One after another: who asks second must see what the first one booked.
    const turn = open.queue.then(() => this.#book(open, { input, caughtUp }));
    open.queue = turn.catch(() => {});
    const metered = await turn;
    // Only a batch shows whether its response is written down; until the first one it is taken to be.
    if (input.event === "PostToolBatch" || this.#isMetering === null) this.#isMetering = caughtUp !== "missing";
    if (input.event === "SubagentStop" && input.agentId !== null) await this.#end(metered.session.id);
    const fault = caughtUp === "missing" ? new MeterFault("no_transcript") : this.#faultOf(open.conversation, input);
    if (fault) notedFault(fault, this.#options.log);
    if (fault && this.#isClosed && metered.verdict.decision !== "deny") return closedAnswer(input, fault);
    return this.#answerOf(input, metered);
  }

  /** A line that cannot be read stops every thread that can be stopped; the main one is the last that must know. */
  #faultOf(conversation: Conversation, { event, agentId }: HookInput): MeterFault | null {
    const { fault } = conversation;
    if (agentId === null && canStop(event)) conversation.fault = null;
    return fault;
  }

  #openOf({ transcriptPath }: HookInput): Open {
    const known = this.#open.get(transcriptPath);
    if (known) return known;
    const bytes = (path: string) => bookedBytesOf(this.#context, path);
    const conversation = new Conversation(this.#options.root, transcriptPath, bytes);
    const barrier = new Barrier(conversation, () => this.#context.now());
    const open = { conversation, threads: new Threads(), barrier, queue: Promise.resolve() };
    this.#open.set(transcriptPath, open);
    return open;
  }

  /** Books what is new and answers where that leaves the thread that asks. */
  async #book({ conversation, threads }: Open, asking: Asking | null): Promise<Metered> {
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
      renewal: input && (input.event === "UserPromptSubmit" || threads.takesUp(input)) ? "renew" : "keep",
      underWay: conversation.usual(
        (input && threads.asking > 1 ? threads.asking : 0) + (asking && asking.caughtUp !== "whole" ? 1 : 0),
      ),
      starting: input?.call ? threads.startingUpTo(input.call) : 0,
      model: conversation.modelOf(asker),
      telling: input && TELLING.has(input.event) ? "now" : "later",
    };
    try {
      const metered = await meterUsage(this.#context, metering);
      if (input?.agentId) threads.opened(input.agentId);
      return metered;
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
    if (nearlyUsedUp.length === 0) return GO_ON;
    return tellModel(
      event,
      `astra-budget: ${nearlyUsedUp.map(usedText).join("; ")}. Finish with less and start nothing new.`,
    );
  }

  #failed(raw: unknown, error: unknown): HookAnswer {
    const fault = notedFault(error, this.#options.log);
    return this.#isClosed ? closedAnswer(raw, fault) : GO_ON;
  }

  /** Whether a failing gate stops the run. */
  get #isClosed(): boolean {
    return this.#context.policy.onMeterFailure === "deny";
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
