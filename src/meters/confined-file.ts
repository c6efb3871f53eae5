// Opens a file that someone else named, only if it is a plain file inside the folder it should be in.
import { closeSync, constants, fstatSync, openSync, realpathSync, statSync } from "node:fs";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { AstraError } from "../core/error.ts";

/** Without waiting for a pipe's writer; a link put in the file's place after the check is not followed. */
const READ_ONLY = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

const MISSING: ReadonlySet<unknown> = new Set(["ENOENT", "ENOTDIR"]);

/**
 * A descriptor for reading; null where there is no such file. A relative name counts from `root`. Links are followed
 * as long as they stay inside. The checks hold for what was opened, not for what has the name now: whoever swaps a
 * folder for a link meanwhile gets a refusal.
 */
export function openConfined(root: string, file: string): number | null {
  if (file.includes("\0") || file.split(/[/\\]/).includes("..")) throw refused();
  try {
    const realRoot = realpathSync.native(root);
    const realFile = realpathSync.native(resolve(root, file));
    if (!liesUnder(realRoot, realFile)) throw refused();
    return openedPlain(realFile);
  } catch (error) {
    if (error instanceof AstraError) throw error;
    if (error instanceof Error && "code" in error && MISSING.has(error.code)) return null;
    throw refused();
  }
}

function openedPlain(realFile: string): number {
  const fd = openSync(realFile, READ_ONLY);
  try {
    const opened = fstatSync(fd, { bigint: true });
    const named = statSync(realFile, { bigint: true });
    const same = opened.dev === named.dev && opened.ino === named.ino && realpathSync.native(realFile) === realFile;
    if (!opened.isFile() || !same) throw refused();
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function liesUnder(folder: string, file: string): boolean {
  const way = relative(folder, file);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function refused(): AstraError {
  return new AstraError(
    "invalid_input",
    "file: expected a plain, readable file inside the folder of the coding agent's sessions",
    "Give the path as the coding agent itself names it; if its folder was moved, start astra-budget with the same setting.",
  );
}
