// Opens a file that someone else named, only if it is a plain file inside the folder it should be in.
import { closeSync, constants, existsSync, fstatSync, openSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { AstraError } from "../core/error.ts";

/** Without waiting for a pipe's writer; a link put in the file's place after the check is not followed. */
const READ_ONLY = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

const OPEN_FILES = "/proc/self/fd";

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
    return openedPlain(realRoot, realFile);
  } catch (error) {
    if (error instanceof AstraError) throw error;
    if (error instanceof Error && "code" in error && MISSING.has(error.code) && isNamedUnder(root, file)) return null;
    throw refused();
  }
}

/** Only of names inside is it told that nothing is there: nobody learns which files exist elsewhere. */
function isNamedUnder(root: string, file: string): boolean {
  return liesUnder(resolve(root), resolve(root, file));
}

function openedPlain(realRoot: string, realFile: string): number {
  const fd = openSync(realFile, READ_ONLY);
  try {
    if (!fstatSync(fd).isFile() || !liesUnder(realRoot, placeOf(fd, realFile))) throw refused();
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Once more, as the place may have changed since the name was looked up. Linux tells where an open file is. Elsewhere its name must still lead to it, without a link on the way. */
function placeOf(fd: number, realFile: string): string {
  if (existsSync(OPEN_FILES)) return readlinkSync(join(OPEN_FILES, String(fd)));
  const opened = fstatSync(fd, { bigint: true });
  const named = statSync(realFile, { bigint: true });
  if (opened.dev !== named.dev || opened.ino !== named.ino) throw refused();
  return realpathSync.native(realFile);
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
