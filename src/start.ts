// What every command begins with: the ledger and the policy it names, and the context over both.
import { existsSync } from "node:fs";
import { AstraError } from "./core/error.ts";
import type { Values } from "./faces/options.ts";
import { openedAtFirstUse } from "./ledger/first-use.ts";
import type { Ledger } from "./ledger/ledger.ts";
import type { Context, Principal } from "./operations/operation.ts";
import { ledgerFile, policyFile } from "./place.ts";

/** Whoever may write the ledger's file may do everything; the audit says it was done here. */
export const TERMINAL: Principal = { kind: "owner", actor: "terminal" };

export const note = (text: string): void => {
  process.stderr.write(`astra-budget: ${text}\n`);
};

export const fileOf = (values: Values): string => ledgerFile(values.ledger as string | undefined);

/** For a check or a copy of the ledger: a misspelt name must not make a new, empty one and call it well. */
export function existingLedger(values: Values): string {
  const file = fileOf(values);
  if (existsSync(file)) return file;
  throw new AstraError(
    "ledger_unavailable",
    `There is no ledger: ${file}`,
    "Name its file with --ledger FILE or ASTRA_LEDGER.",
  );
}

/** A ledger that is opened when first used. */
export function ledgerAt(file: string): Ledger {
  return openedAtFirstUse(async () => (await import("./ledger/sqlite.ts")).openSqlite(file));
}

/** The context of a command or server that serves one workspace. */
export async function contextFor(values: Values): Promise<Context> {
  const { context } = await workspaceOver(ledgerAt(fileOf(values)), values.config as string | undefined);
  return context;
}

/** A workspace: the policy's file is followed, and each later version of it is noted in the audit. */
export async function workspaceOver(
  ledger: Ledger,
  config: string | undefined,
): Promise<{ context: Context; policyText: string }> {
  const { contextOver } = await import("./context.ts");
  const file = policyFile(config);
  if (file === null) {
    const { BUILT_IN_POLICY } = await import("./core/policy-resolve.ts");
    note("no astra.yml found: the built-in roles and hard caps apply. Name one with --config FILE.");
    return { context: contextOver(ledger, () => BUILT_IN_POLICY), policyText: "built-in" };
  }
  const { watchedPolicy } = await import("./config.ts");
  const watched = watchedPolicy(file, note, (text) => {
    recordReload(context, text).catch((error) => note(`the audit does not have this change: ${error}`));
  });
  const context = contextOver(
    ledger,
    oncePerTurn(() => watched.current()),
    () => watched.file(),
  );
  return { context, policyText: watched.text() };
}

/** Asked once for all that arrives together: a busy server decides thousands of times a second. */
function oncePerTurn<T>(ask: () => T): () => T {
  let known: { readonly value: T } | null = null;
  return () => {
    if (known) return known.value;
    known = { value: ask() };
    setImmediate(() => {
      known = null;
    });
    return known.value;
  };
}

async function recordReload(context: Context, text: string): Promise<void> {
  const { invoke } = await import("./operations/operation.ts");
  const { recordPolicy } = await import("./operations/audit.ts");
  const file = { kind: "owner", actor: "astra.yml" } as const;
  await invoke(recordPolicy, context, file, { sha256: context.sha256(text) });
}

/** To the operator a fault of the ledger names its file; agents never see where it lies. */
export function namingFile(error: unknown, file: string): unknown {
  if (!(error instanceof AstraError) || !error.code.startsWith("ledger_")) return error;
  return new AstraError(error.code, `${error.message} (${file})`, error.hint);
}
