// Probes need no key; they learn nothing but whether the server lives and can read its ledger.
import type { Ledger } from "../ledger/ledger.ts";
import { keyBySecretHash } from "../operations/authenticate.ts";

/** Null for any other path. */
export function probe(path: string, ledger: Ledger): Response | Promise<Response> | null {
  if (path === "/healthz") return Response.json({ status: "ok" });
  return path === "/readyz" ? ready(ledger) : null;
}

async function ready(ledger: Ledger): Promise<Response> {
  try {
    await keyBySecretHash(ledger, "", Date.now());
    return Response.json({ status: "ready" });
  } catch {
    return Response.json({ status: "not ready", detail: "The ledger cannot be read." }, { status: 503 });
  }
}
