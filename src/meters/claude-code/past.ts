// A past conversation of Claude Code: all that its files tell and that is not booked yet, by thread.
import type { MeteredThread } from "../../operations/meter-session.ts";
import { type Collected, collect } from "../collected.ts";
import {
  isAtRest,
  type NamedFault,
  type PastFile,
  type PastFiles,
  type ReadConversation,
  readPastFile,
} from "../past-file.ts";
import { readTranscriptLine } from "./transcript.ts";

/** `root`: the only folder that is read from; `now`: epoch ms. */
export function readClaudeConversation(root: string, { sessionId, files }: PastFiles, now: number): ReadConversation {
  const reading = new Reading(root, now);
  for (const file of files) reading.read(sessionId, file);
  return reading.found();
}

class Reading {
  readonly #root: string;
  readonly #now: number;
  readonly #collected: Collected = new Map();
  readonly #threads = new Map<string, { readonly parentId: string | null; readonly responseIds: string[] }>();
  readonly #files: { path: string; bytes: number }[] = [];
  readonly #named: NamedFault[] = [];
  #faults = 0;

  constructor(root: string, now: number) {
    this.#root = root;
    this.#now = now;
  }

  read(sessionId: string | null, file: PastFile): void {
    let newest = { id: "", at: 0 };
    const { end, faults, named } = readPastFile(this.#root, file.path, file.booked, (line, at) => {
      const found = readTranscriptLine(line);
      if (found.kind === "fault") return found.what;
      if (found.kind !== "response") return null;
      const id = found.response.responseId;
      if (id !== newest.id) newest = { id, at };
      // Whose file tells of it first: the main one is read before those of sub-agents, who may repeat it.
      if (!this.#collected.has(id)) this.#assign(id, sessionId ?? found.sessionId, file.agentId);
      collect(this.#collected, found);
      return null;
    });
    // The newest response of a file that is being written may go on: then it is read again as a whole.
    const bytes = isAtRest(file, this.#now) || newest.id === "" ? end : newest.at;
    // So is all of a file with faults: a later version may know its lines.
    if (faults === 0) this.#files.push({ path: file.path, bytes });
    this.#named.push(...named);
    this.#faults += faults;
  }

  #assign(responseId: string, sessionId: string | null, agentId: string | null): void {
    const threadId = [sessionId, agentId].filter((part) => part !== null).join("/");
    const thread = this.#threads.get(threadId) ?? { parentId: agentId === null ? null : sessionId, responseIds: [] };
    this.#threads.set(threadId, thread);
    thread.responseIds.push(responseId);
  }

  found(): ReadConversation {
    const threads = [...this.#threads].map(
      ([threadId, { parentId, responseIds }]): MeteredThread => ({
        threadId,
        parentId,
        responses: responseIds.flatMap((id) => this.#collected.get(id)?.response ?? []),
      }),
    );
    return { threads, files: this.#files, faults: this.#faults, named: this.#named };
  }
}
