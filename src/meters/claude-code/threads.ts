// Which threads of a conversation are asking the model at this moment, as far as its hooks tell.
import type { HookInput } from "./hook-input.ts";

/** A sub-agent that was not heard of for so long was ended in some way that no hook told. */
const SILENT_MS = 5 * 60_000;

/** The tool that starts a sub-agent, under its name of now and of older versions. */
const isSpawning = (tool: string): boolean => tool === "Agent" || tool === "Task";

export class Threads {
  /** Sub-agents that run, and when they were last heard of (epoch ms). */
  readonly #running = new Map<string, number>();
  /** Calls of the main thread that start sub-agents and are not answered yet: it waits for them. */
  readonly #starting = new Set<string>();

  /** Calls of whichever thread that start sub-agents of which nothing was heard yet, the oldest first. */
  readonly #unheard = new Set<string>();
  /** Sub-agents that have their sessions. */
  readonly #opened = new Set<string>();

  /** Sub-agents that were said to stop. */
  readonly #stopped = new Set<string>();

  heard({ event, agentId, call, calls }: HookInput, now: number): void {
    if (call && isSpawning(call.tool)) this.#unheard.add(call.id);
    if (event === "PostToolBatch") for (const id of calls) this.#unheard.delete(id);
    if (event === "UserPromptSubmit") this.#unheard.clear();
    if (agentId !== null && event === "SubagentStop") {
      this.#running.delete(agentId);
      this.#stopped.add(agentId);
    } else if (agentId !== null) this.#running.set(agentId, now);
    else if (call && isSpawning(call.tool)) this.#starting.add(call.id);
    else if (event === "PostToolBatch") for (const id of calls) this.#starting.delete(id);
    else if (event === "UserPromptSubmit") this.#starting.clear();
    for (const [id, at] of this.#running) if (at < now - SILENT_MS) this.#running.delete(id);
  }

  /** A sub-agent has its session: it stands for one of the calls that start some. */
  opened(agentId: string): void {
    const [oldest] = this.#unheard;
    if (!this.#opened.has(agentId) && oldest !== undefined) this.#unheard.delete(oldest);
    this.#opened.add(agentId);
  }

  /** How many sub-agents the call and those before it start that have no session yet; 0 where it starts none. */
  startingUpTo({ id, tool }: NonNullable<HookInput["call"]>): number {
    return isSpawning(tool) ? Math.max(1, [...this.#unheard].indexOf(id) + 1) : 0;
  }

  /** Whether a sub-agent goes on that had stopped: another hook may send it back to work. Told once. */
  takesUp({ event, agentId }: HookInput): boolean {
    return agentId !== null && event !== "SubagentStop" && this.#stopped.delete(agentId);
  }

  /** How many may be waiting for an answer of the model, the one that asks now included. */
  get asking(): number {
    const subagents = Math.max(this.#running.size, this.#starting.size);
    return this.#starting.size > 0 ? subagents : subagents + 1;
  }
}
