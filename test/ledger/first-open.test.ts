// Another process makes the ledger at each step of our opening the same file: we then open theirs, whichever the step.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { afterEach, expect, test, vi } from "vitest";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { raw } from "./engines.ts";
import { faultsOf, folder } from "./files.ts";

const child = fileURLToPath(new URL("open-child.ts", import.meta.url));

afterEach(() => {
  vi.restoreAllMocks();
});

test.each([1, 2, 3, 11, 12])(
  "a ledger that another process makes after our step %i is no foreign one",
  async (step) => {
    const place = folder();
    const file = place.in("ledger.db");
    // The driver is only watched, to choose the moment; all it does is done.
    const pragma = Database.prototype.pragma;
    let steps = 0;
    const watched = vi.spyOn(Database.prototype, "pragma").mockImplementation(function (
      this: Database.Database,
      ...args
    ) {
      const answer = pragma.apply(this, args);
      steps += 1;
      if (steps === step)
        expect(spawnSync(process.execPath, [child, file], { encoding: "utf8" }).stdout).toBe('{"ok":true}');
      return answer;
    });
    const ledger = await openSqlite(file);
    expect(steps).toBeGreaterThanOrEqual(step);
    watched.mockRestore();
    expect(await ledger.read(() => raw("select id from sessions"))).toEqual([{ id: "ses_child" }]);
    expect(await faultsOf(ledger)).toEqual([]);
    await ledger.close();
    place.remove();
  },
);
