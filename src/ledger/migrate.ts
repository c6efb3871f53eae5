// Migrations: numbered SQL files under schema/, one text for both engines.
import { readFileSync } from "node:fs";

/** In order; a ledger's version is how many of them it has seen. */
const FILES = ["0001_ledger.sql", "0002_authority.sql", "0003_privacy.sql"] as const;

export const LEDGER_VERSION = FILES.length;

/** The SQL texts that a ledger at `version` still needs, as the engine wants them. */
export function pendingMigrations(version: number, engine: "sqlite" | "postgres"): string[] {
  return FILES.slice(version).map((file) => {
    const text = readFileSync(new URL(`../../schema/${file}`, import.meta.url), "utf8");
    // STRICT tables know INTEGER only; Postgres's INTEGER has 32 bits. Tables with a key of several columns are
    // stored by it (WITHOUT ROWID), which halves the cost of an upsert.
    return engine === "postgres"
      ? text
      : text
          .replace(/\bBIGINT\b/g, "INTEGER")
          .replace(/^( {2}PRIMARY KEY \([^)]*\)\n)\);/gm, "$1) STRICT, WITHOUT ROWID;")
          .replace(/^\);/gm, ") STRICT;");
  });
}
