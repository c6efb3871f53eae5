// One conversation of Claude Code as its files tell it: what is new in them, and which calls are known to be written down.
import { closeSync, statSync } from "node:fs";
import { isAbsolute } from "node:path";
import { AstraError } from "../../core/error.ts";
import type { MeteredResponse } from "../../core/metered.ts";
import { type Collected, collect } from "../collected.ts";
import { openConfined } from "../confined-file.ts";
import { readLines } from "../line-reader.ts";
import { MeterFault } from "../meter-fault.ts";
import type { CostState } from "./cost-state.ts";
import { isSubagentFile, sessionOfPath, subagentFiles } from "./places.ts";
import { readTranscriptLine } from "./transcript.ts";

type Reading = {
  readonly threadId: string;
  /** Where to read on. */
  at: number;
  /** Where the newest response begins: a reader that starts anew must know which calls are in it. */
  newestAt: number;
  /** The newest response. */
  newest: MeteredResponse | null;
};

/** What is to be booked: responses by thread, and how far each file is booked with them. */
export type Fresh = {
  readonly responses: ReadonlyMap<string, readonly MeteredResponse[]>;
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
};

export class Conversation {
  /** Claude Code's session id. */
  readonly id: string;
  /** Set when a line was read that should tell usage and does not; whoever has told of it takes it away. */
  fault: MeterFault | null = null;
  costState: CostState | null = null;
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
    if (id === null || !isAbsolute(main) || isSubagentFile(main)) throw new MeterFault("foreign_path");
    this.id = id;
    this.#root = root;
    this.#main = main;
    this.#bookedBytes = bookedBytes;
    const fd = this.#open(main);
    if (fd !== null) closeSync(fd);
  }

  threadOf(agentId: string | null): string {
    return agentId === null ? this.id : `${this.id}/${agentId}`;
  }

  /** Reads what was written since; true if anything was. */
  async read(): Promise<boolean> {
    let isNew = await this.#readFile(this.#main, this.id);
    for (const { agentId, path } of subagentFiles(this.#main))
      if (await this.#readFile(path, this.threadOf(agentId))) isNew = true;
    return isNew;
  }

  /** All calls are in the files, so all responses up to theirs are. */
  has(calls: readonly string[]): boolean {
    return calls.every((id) => this.#calls.has(id));
  }

  /** Its last response calls no tool. */
  isAtRest(threadId: string): boolean {
    return this.#newestOf(threadId)?.toolCalls.length === 0;
  }

  /** The model that answered last; null before it did. */
  modelOf(threadId: string): string | null {
    return this.#newestOf(threadId)?.model ?? null;
  }

  /** When its file was last written to (epoch ms); null where there is none. */
  writtenAt(threadId: string): number | null {
    const [path] = [...this.#readings].find(([, reading]) => reading.threadId === threadId) ?? [];
    return (path && statSync(path, { throwIfNoEntry: false })?.mtimeMs) || null;
  }

  #newestOf(threadId: string): MeteredResponse | null {
    return [...this.#readings.values()].find((reading) => reading.threadId === threadId)?.newest ?? null;
  }

  /** Any response at all. */
  get hasResponses(): boolean {
    return this.#known.size > 0;
  }

  /** So many responses as they were of late: of each thread the newest, those of the latest first. */
  usual(count: number): readonly MeteredResponse[] {
    const newest = [...this.#readings.values()].flatMap((reading) => reading.newest ?? []);
    newest.sort((a, b) => b.occurredAt - a.occurredAt);
    return Array.from({ length: count }, (_, i) => newest[i % newest.length]).filter((each) => each !== undefined);
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

  async #readFile(path: string, threadId: string): Promise<boolean> {
    const known = this.#readings.get(path);
    // Most files of a large swarm are at rest: to look at a size takes a tenth of opening one safely.
    if (known && statSync(path, { throwIfNoEntry: false })?.size === known.at) return false;
    return this.#readOn(path, known ?? (await this.#begin(path, threadId)));
  }

  async #begin(path: string, threadId: string): Promise<Reading> {
    const at = await this.#bookedBytes(path);
    const reading = { threadId, at, newestAt: at, newest: null };
    this.#readings.set(path, reading);
    return reading;
  }

  #readOn(path: string, reading: Reading): boolean {
    const fd = this.#open(path);
    if (fd === null) return false;
    try {
      const from = reading.at;
      const { end, shrunk } = readLines(fd, from, (line, at) => this.#take(line, at, reading));
      if (shrunk) Object.assign(reading, { at: 0, newestAt: 0 });
      reading.at = shrunk ? readLines(fd, 0, (line, at) => this.#take(line, at, reading)).end : end;
      if (reading.at === from) return false;
      this.#unbooked.set(path, reading.newestAt);
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

  #take(line: Buffer, at: number, reading: Reading): void {
    const found = readTranscriptLine(line);
    if (found.kind === "fault") this.fault = new MeterFault("unreadable");
    if (found.kind === "cost_state") this.costState = found;
    if (found.kind !== "response") return;
    const { response } = found;
    for (const { id } of response.toolCalls) this.#calls.add(id);
    if (response.responseId !== reading.newest?.responseId) reading.newestAt = at;
    reading.newest = response;
    if (collect(this.#known, found)) this.#fresh.set(response.responseId, reading.threadId);
  }
}
