// Temporary folders and files for tests of readers, removed when the tests of the file are over.
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { type LinesRead, readLines } from "../../src/meters/line-reader.ts";

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "astra-meters-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a file with the folders above it; gives its path. */
export function put(file: string, content: string | Uint8Array): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

export type Read = LinesRead & { readonly lines: readonly Buffer[] };

/** All complete lines of the file from an offset, kept (the reader's own are gone after each call). */
export function linesOf(file: string, from = 0): Read {
  const fd = openSync(file, "r");
  try {
    const lines: Buffer[] = [];
    const read = readLines(fd, from, (line) => lines.push(Buffer.from(line)));
    return { ...read, lines };
  } finally {
    closeSync(fd);
  }
}
