// Files of the past: read from where they are booked on, with the faults in them by file and line.
import { closeSync, openSync, readSync } from "node:fs";
import type { PastConversation } from "../operations/meter-past.ts";
import { openConfined } from "./confined-file.ts";
import { readLines } from "./line-reader.ts";
import type { SessionFile } from "./session-files.ts";

export type PastFile = SessionFile & {
  /** The sub-agent whose file it is; null = the conversation's own. */
  readonly agentId: string | null;
  /** So many of its bytes are booked. */
  readonly booked: number;
};

/** What is read together, because one response may stand in several of the files. */
export type PastFiles = {
  /** Null where the lines tell whose they are. */
  readonly sessionId: string | null;
  /** The conversation's own before those of its sub-agents. */
  readonly files: readonly PastFile[];
};

/** Of one file; the others are only counted. */
const MOST_NAMED = 5;

/** Epoch ms. */
export const lastWritten = ({ files }: PastFiles): number => Math.max(...files.map(({ modifiedAt }) => modifiedAt));

export type NamedFault = { readonly path: string; readonly line: number; readonly what: string };

export type ReadConversation = PastConversation & {
  readonly faults: number;
  readonly named: readonly NamedFault[];
};

/** A response is written within this time: then its file can be taken to its end. */
const AT_REST_MS = 10 * 60_000;
export const isAtRest = ({ modifiedAt }: SessionFile, now: number): boolean => modifiedAt < now - AT_REST_MS;

/** `take` says what is wrong with a line; null = nothing. */
export function readPastFile(
  root: string,
  path: string,
  from: number,
  take: (line: Buffer, at: number) => string | null,
): { readonly end: number; readonly faults: number; readonly named: readonly NamedFault[] } {
  const fd = openConfined(root, path);
  if (fd === null) return { end: from, faults: 0, named: [] };
  try {
    const faults: { at: number; what: string }[] = [];
    let count = 0;
    const onLine = (line: Buffer, at: number) => {
      const what = take(line, at);
      if (what === null) return;
      count += 1;
      if (faults.length < MOST_NAMED) faults.push({ at, what });
    };
    const read = readLines(fd, from, onLine);
    // Another file under the same name.
    const { end } = read.shrunk ? readLines(fd, 0, onLine) : read;
    return { end, faults: count, named: faults.map(({ at, what }) => ({ path, line: lineAt(path, at), what })) };
  } finally {
    closeSync(fd);
  }
}

const LF = 0x0a;

/** The number of the line that begins at an offset: counted only where it is asked for. */
function lineAt(path: string, at: number): number {
  const fd = openSync(path, "r");
  try {
    const chunk = Buffer.allocUnsafe(1024 * 1024);
    let line = 1;
    for (let from = 0; from < at; ) {
      const got = readSync(fd, chunk, 0, Math.min(chunk.length, at - from), from);
      if (got === 0) break;
      for (let i = 0; i < got; i++) if (chunk[i] === LF) line += 1;
      from += got;
    }
    return line;
  } finally {
    closeSync(fd);
  }
}

/** Without what was used before an instant; a file of which something is left out is not marked as booked. */
export function since(conversation: ReadConversation, from: number): ReadConversation {
  const threads = conversation.threads.map((thread) => ({
    ...thread,
    responses: thread.responses.filter(({ occurredAt }) => occurredAt >= from),
  }));
  const isWhole = threads.every((thread, i) => thread.responses.length === conversation.threads[i]?.responses.length);
  return { ...conversation, threads, files: isWhole ? conversation.files : [] };
}
