// One conversation of Claude Code as its files tell it: what is new in them, and which calls are known to be written down.
import { closeSync } from "node:fs";
import { AstraError } from "../../core/error.ts";
import type { MeteredResponse } from "../../core/metered.ts";
import { type Collected, collect } from "../collected.ts";
import { openConfined } from "../confined-file.ts";
import { readLines } from "../line-reader.ts";
import { MeterFault } from "../meter-fault.ts";
import type { CostState } from "./cost-state.ts";
import { sessionOfPath, subagentFiles } from "./places.ts";
import { readTranscriptLine } from "./transcript.ts";

type Reading = {
  readonly threadId: string;
  /** Where to read on. */
  at: number;
  isAtRest: boolean;
};

/** What is to be booked: responses by thread, and how far each file is booked with them. */
export type Fresh = {
  readonly responses: ReadonlyMap<string, readonly MeteredResponse[]>;
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
};

export class Conversation {
  /** Claude Code's session id. */
  readonly id: string;
  /** Set when a line was read that should tell usage and does not; whoever asks takes it. */
  fault: MeterFault | null = null;
  costState: CostState | null = null;
  /** The model of the newest response. */
  model: string | null = null;
  readonly #root: string;
  readonly #main: string;
  readonly #bookedBytes: (path: string) => Promise<number>;
  readonly #readings = new Map<string, Reading>();
  readonly #known: Collected = new Map();
  readonly #calls = new Set<string>();
  #fresh = new Map<string, string>();
  #unbooked = new Map<string, number>();

  /** `root`: the only folder that is read from. */
  constructor(root: string, main: string, bookedBytes: (path: string) => Promise<number>) {
    const id = sessionOfPath(main);
    if (id === null) throw new MeterFault("foreign_path");
    this.id = id;
    this.#root = root;
    this.#main = main;
    this.#bookedBytes = bookedBytes;
  }

  threadOf(agentId: string | null): string {
    return agentId === null ? this.id : `${this.id}/${agentId}`;
  }

  /** Reads what was written since; true if anything was. */
  async read(): Promise<boolean> {
    const files = [
      { threadId: this.id, path: this.#main },
      ...subagentFiles(this.#main).map(({ agentId, path }) => ({ threadId: this.threadOf(agentId), path })),
    ];
    let isNew = false;
    for (const { threadId, path } of files) {
      const reading = this.#readings.get(path) ?? (await this.#begin(path, threadId));
      if (this.#readOn(path, reading)) isNew = true;
    }
    return isNew;
  }

  /** All calls are in the files, so all responses up to theirs are. */
  has(calls: readonly string[]): boolean {
    return calls.every((id) => this.#calls.has(id));
  }

  /** Its last response calls no tool. */
  isAtRest(threadId: string): boolean {
    return [...this.#readings.values()].some((reading) => reading.threadId === threadId && reading.isAtRest);
  }

  /** Any response at all. */
  get hasResponses(): boolean {
    return this.#known.size > 0;
  }

  /** Takes what is to be booked; whoever fails to book it gives it back. */
  take(): Fresh {
    const byThread = Map.groupBy(this.#fresh, ([, threadId]) => threadId);
    const responses = [...byThread].map(
      ([threadId, ids]) => [threadId, ids.flatMap(([id]) => this.#known.get(id)?.response ?? [])] as const,
    );
    const files = [...this.#unbooked].map(([path, bytes]) => ({ path, bytes }));
    this.#fresh = new Map();
    this.#unbooked = new Map();
    return { responses: new Map(responses), files };
  }

  /** How far each file was read. */
  ends(): Fresh["files"] {
    return [...this.#readings].map(([path, { at }]) => ({ path, bytes: at }));
  }

  giveBack({ responses, files }: Fresh): void {
    for (const [threadId, each] of responses)
      for (const { responseId } of each) this.#fresh.set(responseId, this.#fresh.get(responseId) ?? threadId);
    for (const { path, bytes } of files) this.#unbooked.set(path, this.#unbooked.get(path) ?? bytes);
  }

  async #begin(path: string, threadId: string): Promise<Reading> {
    const at = await this.#bookedBytes(path);
    const reading = { threadId, at, isAtRest: false };
    this.#readings.set(path, reading);
    return reading;
  }

  #readOn(path: string, reading: Reading): boolean {
    const fd = this.#open(path);
    if (fd === null) return false;
    try {
      const from = reading.at;
      const { end, shrunk } = readLines(fd, from, (line) => this.#take(line, reading));
      reading.at = end;
      if (shrunk) return true;
      if (end === from) return false;
      // Not `end`: a server that starts anew reads the newest lines again, to know which calls are in them.
      this.#unbooked.set(path, from);
      return true;
    } finally {
      closeSync(fd);
    }
  }

  #open(path: string): number | null {
    try {
      return openConfined(this.#root, path);
    } catch (error) {
      if (error instanceof AstraError) throw new MeterFault("foreign_path");
      throw error;
    }
  }

  #take(line: Buffer, reading: Reading): void {
    const found = readTranscriptLine(line);
    if (found.kind === "fault") this.fault = new MeterFault("unreadable");
    if (found.kind === "cost_state") this.costState = found;
    if (found.kind !== "response") return;
    const { response } = found;
    for (const { id } of response.toolCalls) this.#calls.add(id);
    reading.isAtRest = response.toolCalls.length === 0;
    this.model = response.model;
    if (collect(this.#known, found)) this.#fresh.set(response.responseId, reading.threadId);
  }
}
