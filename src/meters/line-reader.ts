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
 * Gives each complete line without its LF or CRLF, and where it begins. A line is a view of a buffer that is used again:
 * it is gone when `onLine` returns. Only what the file held at the start is read, so that a busy writer cannot keep the
 * reader.
 */
export function readLines(fd: number, from: number, onLine: (line: Buffer, at: number) => void): LinesRead {
  const size = fstatSync(fd).size;
  if (size < from) return { end: 0, tooLong: 0, shrunk: true };
  let buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, size - from));
  let end = from;
  let held = 0;
  let tooLong = 0;
  while (end + held < size) {
    if (held === buffer.length) {
      const lf = nextLineEnd(fd, end + held, size);
      if (lf < 0) break;
      if (lf - end > MAX_LINE_BYTES) {
        tooLong += 1;
        held = 0;
        end = lf + 1;
        continue;
      }
      buffer = withRoomFor(buffer, lf + 1 - end);
    }
    const got = readSync(fd, buffer, held, Math.min(buffer.length - held, size - end - held), end + held);
    if (got === 0) break;
    const filled = buffer.subarray(0, held + got);
    let start = 0;
    for (let lf = filled.indexOf(LF, held); lf >= 0; lf = filled.indexOf(LF, start)) {
      const lineEnd = lf > start && filled[lf - 1] === CR ? lf - 1 : lf;
      onLine(filled.subarray(start, lineEnd), end + start);
      start = lf + 1;
    }
    filled.copyWithin(0, start);
    end += start;
    held = filled.length - start;
  }
  return { end, tooLong, shrunk: false };
}

/** Looks ahead without holding what it passes: only then is room made, or the line passed over. */
function nextLineEnd(fd: number, from: number, size: number): number {
  const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, size - from));
  for (let at = from; at < size; ) {
    const got = readSync(fd, chunk, 0, Math.min(chunk.length, size - at), at);
    if (got === 0) break;
    const lf = chunk.subarray(0, got).indexOf(LF);
    if (lf >= 0) return at + lf;
    at += got;
  }
  return -1;
}

function withRoomFor(full: Buffer, bytes: number): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafeSlow(bytes);
  full.copy(larger);
  return larger;
}
