// What SQLite and the file system say, in our words: their texts name paths and never reach an agent.
import { AstraError } from "../core/error.ts";

const codeOf = (error: unknown): string => (error instanceof Error && "code" in error ? String(error.code) : "");

export function isBusy(error: unknown): boolean {
  return codeOf(error).startsWith("SQLITE_BUSY");
}

/** A file that was to be made is there already. */
export function isThere(error: unknown): boolean {
  return codeOf(error) === "EEXIST";
}

/** An AstraError for anything the engine threw; faults of our own pass unchanged. */
export function ledgerError(error: unknown): unknown {
  if (error instanceof AstraError) return error;
  const code = codeOf(error);
  const found = TEXTS.find(([start]) => code.startsWith(start));
  if (!found) return error;
  const [, ledgerCode, message, hint] = found;
  return Object.assign(new AstraError(ledgerCode, message, hint), { cause: error });
}

const BUSY = [
  "ledger_busy",
  "The ledger was locked by another process for 10 seconds.",
  "Repeat the call with the same idempotency_key.",
] as const;
const READ_ONLY = [
  "ledger_read_only",
  "The ledger file cannot be written.",
  "Check the owner and mode of the file and its folder, or name another file with --ledger.",
] as const;
const FULL = [
  "ledger_full",
  "The disk is full; nothing was recorded.",
  "Free some space, then repeat the call with the same idempotency_key.",
] as const;
const UNAVAILABLE = [
  "ledger_unavailable",
  "The ledger file cannot be opened or read.",
  "Check the path, owner and mode, or name another file with --ledger.",
] as const;

const TEXTS: readonly (readonly [string, AstraError["code"], string, string])[] = [
  ["SQLITE_BUSY", ...BUSY],
  ["SQLITE_LOCKED", ...BUSY],
  ["SQLITE_READONLY", ...READ_ONLY],
  ["SQLITE_FULL", ...FULL],
  [
    "SQLITE_NOTADB",
    "ledger_foreign",
    "The file is not a ledger: it is no SQLite database.",
    "Name another file with --ledger.",
  ],
  [
    "SQLITE_CORRUPT",
    "ledger_corrupt",
    "The ledger file is damaged.",
    "Restore a backup (`astra-budget ledger backup` makes one), and keep the damaged file.",
  ],
  ["SQLITE_CANTOPEN", ...UNAVAILABLE],
  ["SQLITE_IOERR", ...UNAVAILABLE],
  ["SQLITE_PERM", ...UNAVAILABLE],
  ["EACCES", ...READ_ONLY],
  ["EPERM", ...READ_ONLY],
  ["EROFS", ...READ_ONLY],
  ["ENOSPC", ...FULL],
  ["EISDIR", ...UNAVAILABLE],
  ["EEXIST", ...UNAVAILABLE], // a file where the ledger's folder should be
  ["ENOTDIR", ...UNAVAILABLE],
  ["ENOENT", ...UNAVAILABLE],
];
