// Ledger files for tests: a folder of their own, a filled ledger, and what became of it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AstraError } from "../../src/core/error.ts";
import { recordCharge } from "../../src/ledger/charges.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import type { Session } from "../../src/ledger/session-row.ts";
import { openSqlite, type SqliteLedger } from "../../src/ledger/sqlite.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { raw } from "./engines.ts";
import { aCharge, aSession, keyOf, seeded } from "./fixtures.ts";

/** A new folder, and how to get rid of it. */
export function folder(): { path: string; in(name: string): string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "astra-file-"));
  return { path, in: (name) => join(path, name), remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A new ledger in the file, with a session to charge to. */
export async function opened(file: string): Promise<{ ledger: SqliteLedger; session: Session }> {
  const ledger = await openSqlite(file);
  return { ledger, session: await ledger.write(() => seeded(aSession())) };
}

/** Books a charge under a key, which is also its error: of the key only a hash is kept. */
export const book = (ledger: Ledger, session: Session, key: string) =>
  ledger.write(() => recordCharge(aCharge(session, { key: keyOf(key), error: key })));

/** Books many, a hundred in a commit. */
export async function bookMany(ledger: Ledger, session: Session, count: number): Promise<void> {
  for (let done = 0; done < count; done += 100)
    await Promise.all(Array.from({ length: 100 }, (_, i) => book(ledger, session, `many-${done + i}`)));
}

/** The keys of all charges there are, from their errors (see `book`): of the keys themselves only hashes are kept. */
export async function keysIn(ledger: Ledger): Promise<string[]> {
  return (await ledger.read(() => raw<{ key: string }>("select error as key from charges"))).map((row) => row.key);
}

/** What is wrong with the ledger, structure and sums; nothing when all is well. */
export async function faultsOf(ledger: SqliteLedger): Promise<unknown[]> {
  return [...(await ledger.integrity()), ...(await ledger.read(verifyLedger)).differences];
}

/** The code of the error of ours that a promise must be rejected with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => "nothing was thrown",
    (thrown: unknown) => thrown,
  );
  return error instanceof AstraError ? error.code : `not ours: ${String(error)}`;
}
