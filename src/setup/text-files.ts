// Text files changed together: each is replaced in one step, its mode kept and links followed, and all of them or none.
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { AstraError } from "../core/error.ts";

/** What a file holds and shall hold; null = there is none. */
export type Change = { readonly file: string; readonly before: string | null; readonly after: string | null };

/** The text, byte for byte with its byte-order mark; null = there is no such file. */
export function readText(file: string): string | null {
  const target = targetOf(file);
  try {
    if (!statSync(target).isFile()) throw fault(file, "is no plain file");
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readFileSync(target));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error instanceof AstraError ? error : fault(file, reasonOf(error));
  }
}

/**
 * Makes every change, in this order, or none: all new texts are written beside their files before the first is put in
 * place, and where one cannot be, those before it are put back. `mode` is what a new file gets.
 */
export function commit(changes: readonly Change[], mode: number): void {
  const real = changes.filter(({ before, after }) => before !== after);
  for (const { file, before } of real)
    if (readText(file) !== before) throw fault(file, "was changed meanwhile, perhaps by Claude Code: run this again");
  const staged: Staged[] = [];
  const done: Staged[] = [];
  try {
    for (const change of real) staged.push(stage(change, mode));
    for (const each of staged) {
      if (each.temporary === null) rmSync(each.target);
      else renameSync(each.temporary, each.target);
      done.push(each);
    }
  } catch (error) {
    for (const each of done.reverse()) putBack(each);
    throw error instanceof AstraError ? error : fault(real[done.length]?.file ?? "", reasonOf(error));
  } finally {
    for (const { temporary } of staged) if (temporary !== null) rmSync(temporary, { force: true });
  }
}

type Staged = {
  readonly change: Change;
  readonly target: string;
  readonly temporary: string | null;
  /** What the file has, or will have. */
  readonly mode: number;
};

function stage(change: Change, newMode: number): Staged {
  const target = targetOf(change.file);
  try {
    const mode = change.before === null ? newMode : statSync(target).mode & 0o7777;
    if (change.after === null) return { change, target, temporary: null, mode };
    mkdirSync(dirname(target), { recursive: true });
    const temporary = `${target}.${randomBytes(6).toString("hex")}.tmp`;
    writeDurably(temporary, change.after, mode);
    return { change, target, temporary, mode };
  } catch (error) {
    throw fault(change.file, reasonOf(error));
  }
}

function writeDurably(file: string, text: string, mode: number): void {
  const descriptor = openSync(file, "wx", mode);
  try {
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
  chmodSync(file, mode); // the process's mask took bits from it
}

function putBack({ change, target, mode }: Staged): void {
  if (change.before === null) rmSync(target, { force: true });
  else renameSync(stage({ ...change, before: null, after: change.before }, mode).temporary as string, target);
}

/** Where a link leads; the link itself stays. */
function targetOf(file: string): string {
  const isLink = lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  if (!isLink) return file;
  try {
    return realpathSync(file);
  } catch {
    throw fault(file, "is a link to a file that is not there");
  }
}

function fault(file: string, what: string): AstraError {
  return new AstraError("invalid_input", `${file}: the file ${what}`, "Nothing was written.");
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "may not be read or written by this user",
  EPERM: "may not be read or written by this user",
  EROFS: "is on a disk that may not be written",
  ENOSPC: "does not fit: the disk is full",
  ENOTDIR: "cannot be there: a part of its path is no folder",
  EISDIR: "is a folder",
  ERR_ENCODING_INVALID_ENCODED_DATA: "is not UTF-8 text",
};

const reasonOf = (error: unknown): string => REASONS[codeOf(error)] ?? "cannot be read or written";

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
