// The complete lines of a growing file from a byte offset on, in bounded memory whatever the file holds.
import { fstatSync, readSync } from "node:fs";

const CHUNK_BYTES = 1024 * 1024;

/** Lines of transcripts may carry whole files and pictures; what is longer than this is not a response's line. */
export const MAX_LINE_BYTES = 32 * 1024 * 1024;

const LF = 0x0a;
const CR = 0x0d;

export type LinesRead = {
  /** The offset after the last line end seen: where to go on. What follows it is read again. */
  readonly end: number;
  /** Lines longer than MAX_LINE_BYTES, which were left out. */
  readonly tooLong: number;
  /** The file is shorter than `from`, hence another one: no line was given and `end` is 0. */
  readonly shrunk: boolean;
};

/**
 * Gives each complete line without its LF or CRLF. A line is a view of a buffer that is used again: it is gone when
 * `onLine` returns. Only what the file held at the start is read, so that a busy writer cannot keep the reader.
 */
export function readLines(fd: number, from: number, onLine: (line: Buffer) => void): LinesRead {
  const size = fstatSync(fd).size;
  if (size < from) return { end: 0, tooLong: 0, shrunk: true };
  let buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, size - from));
  let end = from;
  let read = from;
  let held = 0;
  let skipping = false;
  let tooLong = 0;
  while (read < size) {
    if (held === buffer.length) buffer = larger(buffer);
    const got = readSync(fd, buffer, held, Math.min(buffer.length - held, size - read), read);
    if (got === 0) break;
    const filled = held + got;
    let start = 0;
    for (let lf = indexOfLineEnd(buffer, held, filled); lf >= 0; lf = indexOfLineEnd(buffer, start, filled)) {
      if (skipping || lf - start > MAX_LINE_BYTES) tooLong += 1;
      else onLine(buffer.subarray(start, lf > start && buffer[lf - 1] === CR ? lf - 1 : lf));
      skipping = false;
      start = lf + 1;
      end = read - held + start;
    }
    read += got;
    held = filled - start;
    if (skipping || held > MAX_LINE_BYTES) {
      skipping = true;
      held = 0;
    } else if (start > 0) buffer.copyWithin(0, start, filled);
  }
  return { end, tooLong, shrunk: false };
}

function indexOfLineEnd(buffer: Buffer, from: number, filled: number): number {
  const at = buffer.subarray(from, filled).indexOf(LF);
  return at < 0 ? -1 : from + at;
}

/** Twice the room, up to one longest line and a chunk: past that the line is skipped. */
function larger(full: Buffer): Buffer<ArrayBuffer> {
  const grown = Buffer.allocUnsafeSlow(Math.min(full.length * 2, MAX_LINE_BYTES + CHUNK_BYTES));
  full.copy(grown);
  return grown;
}
