// The files in which coding agents write down their sessions, wherever they lie below a folder.
import { type Dirent, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const EXTENSION = ".jsonl";

export type SessionFile = {
  readonly path: string;
  readonly bytes: number;
  /** Epoch ms. */
  readonly modifiedAt: number;
};

/** In the order of their paths; links are not followed. */
export function* sessionFiles(folder: string): Generator<SessionFile> {
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sessionFiles(path);
    if (!entry.isFile() || !entry.name.endsWith(EXTENSION)) continue;
    const found = statSync(path, { throwIfNoEntry: false });
    if (found) yield { path, bytes: found.size, modifiedAt: found.mtimeMs };
  }
}

/** Sorted by name; none if the folder is missing or closed to us, or goes away meanwhile. */
export function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}
