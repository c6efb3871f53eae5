// On a full disk nothing is half-written, nothing acknowledged is lost, and all goes on once there is room.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Session } from "../../src/ledger/session-row.ts";
import { openSqlite, type SqliteLedger } from "../../src/ledger/sqlite.ts";
import { raw } from "./engines.ts";
import { book, bookMany, codeOf, faultsOf, folder, keysIn, opened } from "./files.ts";

let place: ReturnType<typeof folder>;
beforeEach(() => {
  place = folder();
});
afterEach(() => place.remove());

/** Books bursts of charges until one is refused; answers the keys that were acknowledged and those refused. */
async function fillUp(ledger: SqliteLedger, session: Session, perBurst: number) {
  const acknowledged: string[] = [];
  for (let burst = 0; burst < 5_000; burst++) {
    const keys = Array.from({ length: perBurst }, (_, i) => `${perBurst}:${burst}:${i}`);
    const outcomes = await Promise.allSettled(keys.map((key) => book(ledger, session, key)));
    acknowledged.push(...keys.filter((_, i) => outcomes[i]?.status === "fulfilled"));
    const refused = outcomes.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
    if (refused.length > 0) return { acknowledged, refused, keys };
  }
  throw new Error("the disk never got full");
}

async function expectWhole(ledger: SqliteLedger, acknowledged: readonly string[]): Promise<void> {
  expect((await keysIn(ledger)).sort()).toEqual([...acknowledged].sort());
  expect(await faultsOf(ledger)).toEqual([]);
}

describe("a file that may not grow (max_page_count)", () => {
  test.each([1, 20])(
    "%i writes at a time: the refused are told so, the rest is kept, and room mends it",
    async (perBurst) => {
      const file = place.in("ledger.db");
      const { ledger, session } = await opened(file);
      await ledger.write(() => raw("pragma max_page_count = 60"));
      const { acknowledged, refused, keys } = await fillUp(ledger, session, perBurst);
      for (const error of refused) expect(error).toMatchObject({ name: "AstraError", code: "ledger_full" });
      await expectWhole(ledger, acknowledged);
      await ledger.write(() => raw("pragma max_page_count = 1000000"));
      const rest = keys.filter((key) => !acknowledged.includes(key));
      for (const key of rest) await book(ledger, session, key);
      await expectWhole(ledger, [...acknowledged, ...rest]);
      await ledger.close();
    },
  );
});

const small = canMount();

describe.skipIf(!small)(
  `a full file system (tmpfs of 3 MB)${small ? "" : " (SKIPPED: mounting is not permitted here)"}`,
  () => {
    let disk: string;
    beforeEach(() => {
      disk = place.in("disk");
      mkdirSync(disk);
      mount(disk);
    });
    afterEach(() => execFileSync("umount", ["-l", disk]));

    test.each([1, 20])(
      "%i writes at a time: nothing acknowledged is lost, and free space mends it",
      async (perBurst) => {
        const { ledger, session } = await opened(`${disk}/ledger.db`);
        writeFileSync(`${disk}/ballast`, Buffer.alloc(1_500_000));
        const { acknowledged, refused, keys } = await fillUp(ledger, session, perBurst);
        for (const error of refused) expect(error).toMatchObject({ name: "AstraError", code: "ledger_full" });
        await expectWhole(ledger, acknowledged);
        rmSync(`${disk}/ballast`);
        const rest = keys.filter((key) => !acknowledged.includes(key));
        for (const key of rest) await book(ledger, session, key);
        await expectWhole(ledger, [...acknowledged, ...rest]);
        await ledger.close();
        const again = await openSqlite(`${disk}/ledger.db`);
        await expectWhole(again, [...acknowledged, ...rest]);
        await again.close();
      },
    );

    test("a ledger cannot be made on a full disk, and one that is there is not harmed by trying to open it", async () => {
      const { ledger, session } = await opened(`${disk}/ledger.db`);
      await book(ledger, session, "k");
      await ledger.close();
      fill();
      expect(["ledger_full", "ledger_unavailable"]).toContain(await codeOf(openSqlite(`${disk}/new.db`)));
      const outcome = await codeOf(openSqlite(`${disk}/ledger.db`).then((each) => book(each, session, "more")));
      expect(["ledger_full", "ledger_unavailable"]).toContain(outcome);
      rmSync(`${disk}/ballast`);
      const again = await openSqlite(`${disk}/ledger.db`);
      await expectWhole(again, ["k"]);
      await again.close();
      const fresh = await opened(`${disk}/new.db`);
      await book(fresh.ledger, fresh.session, "k");
      await fresh.ledger.close();
    });

    test("a backup onto a full disk is refused and leaves no half file", async () => {
      const { ledger, session } = await opened(place.in("ledger.db"));
      await bookMany(ledger, session, 300);
      fill();
      expect(["ledger_full", "ledger_unavailable"]).toContain(await codeOf(ledger.backup(`${disk}/copy.db`)));
      expect(existsSync(`${disk}/copy.db`)).toBe(false);
      await book(ledger, session, "after");
      expect(await faultsOf(ledger)).toEqual([]);
      await ledger.close();
    });

    /** Takes all space but a few kilobytes. */
    function fill(): void {
      for (const chunk of [100_000, 4_096]) {
        try {
          for (;;) writeFileSync(`${disk}/ballast`, Buffer.alloc(chunk), { flag: "a" });
        } catch {
          // Full.
        }
      }
      expect(statSync(`${disk}/ballast`).size).toBeGreaterThan(1_000_000);
    }
  },
);

function mount(where: string): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", where], { stdio: "ignore" });
}

function canMount(): boolean {
  const probe = folder();
  try {
    mount(probe.path);
    execFileSync("umount", [probe.path]);
    return true;
  } catch {
    return false;
  } finally {
    probe.remove();
  }
}
