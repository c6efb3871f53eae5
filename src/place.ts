// Where things lie: the ledger's and the policy's file, by option, environment, or the platform's custom.
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** `--ledger`, else ASTRA_LEDGER, else `astra-budget/ledger.db` in the platform's data directory. */
export function ledgerFile(option: string | undefined): string {
  const named = option ?? process.env.ASTRA_LEDGER;
  return named ? resolve(named) : join(dataDirectory(), "astra-budget", "ledger.db");
}

function dataDirectory(): string {
  if (process.platform === "darwin") return join(homedir(), "Library", "Application Support");
  if (process.platform === "win32") return process.env.LOCALAPPDATA ?? join(homedir(), "AppData", "Local");
  return process.env.XDG_DATA_HOME || join(homedir(), ".local", "share");
}

/** `--config`, else ASTRA_CONFIG, else `astra.yml` here if there is one; null = the built-in policy. */
export function policyFile(option: string | undefined): string | null {
  const named = option ?? process.env.ASTRA_CONFIG;
  if (named) return named;
  return existsSync("astra.yml") ? "astra.yml" : null;
}
