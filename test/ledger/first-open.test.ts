// Another process makes the ledger at each step of our opening the same file: we then open theirs, whichever the step.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { raw } from "./engines.ts";
import { faultsOf, folder } from "./files.ts";

const child = fileURLToPath(new URL("open-child.ts", import.meta.url));

/** Runs a step with every pragma of the driver seen after it was done; nothing is replaced, the moment is chosen. */
async function afterEachPragma<T>(seen: () => void, run: () => Promise<T>): Promise<T> {
  const pragma = Database.prototype.pragma;
  Database.prototype.pragma = function (...args) {
    const answer = pragma.apply(this, args);
    seen();
    return answer;
  };
  try {
    return await run();
  } finally {
    Database.prototype.pragma = pragma;
  }
}

test.each([1, 2, 3, 11, 12])(
  "a ledger that another process makes after our step %i is no foreign one",
  async (step) => {
    const place = folder();
    const file = place.in("ledger.db");
    let steps = 0;
    const makeIt = () => {
      steps += 1;
      if (steps !== step) return;
      expect(spawnSync(process.execPath, [child, file], { encoding: "utf8" }).stdout).toBe('{"ok":true}');
    };
    const ledger = await afterEachPragma(makeIt, () => openSqlite(file));
    expect(steps).toBeGreaterThanOrEqual(step);
    expect(await ledger.read(() => raw("select id from sessions"))).toEqual([{ id: "ses_child" }]);
    expect(await faultsOf(ledger)).toEqual([]);
    await ledger.close();
    place.remove();
  },
);
