// How Claude Code is to start our command: absolute paths, since it may itself be started anywhere.
import { resolve } from "node:path";
import { ledgerFile, policyFile } from "../place.ts";
import type { Launch } from "./guard.ts";

/** `cli`: our own command's file. The ledger is named only where it was named to us; else each start finds the same. */
export function launches(
  cli: string,
  named: { config: string | undefined; ledger: string | undefined },
): { server: Launch; hook: Launch; policy: string | null } {
  const policy = policyFile(named.config);
  const ledger = named.ledger ?? process.env.ASTRA_LEDGER;
  const options = [
    ...(policy === null ? [] : ["--config", resolve(policy)]),
    ...(ledger ? ["--ledger", ledgerFile(ledger)] : []),
  ];
  const start = (word: string): Launch => ({ command: process.execPath, args: [cli, word, ...options] });
  return { server: start("stdio"), hook: start("hook"), policy };
}
