// A process of its own that opens the ledger it is given, books a charge, and says how that went: {"code"} or {"ok"}.
import { AstraError } from "../../src/core/error.ts";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { aSession, seeded } from "./fixtures.ts";

try {
  const ledger = await openSqlite(process.argv[2] ?? "");
  await ledger.write(() => seeded(aSession({ id: "ses_child" })));
  await ledger.close();
  process.stdout.write(JSON.stringify({ ok: true }));
} catch (error) {
  const code = error instanceof AstraError ? error.code : `not ours: ${String(error)}`;
  process.stdout.write(JSON.stringify({ code, text: error instanceof Error ? error.message : "" }));
}
