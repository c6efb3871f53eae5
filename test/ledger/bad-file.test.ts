// A file that is no usable ledger is refused with a code of ours, and nothing in it is changed.
import { spawnSync } from "node:child_process";
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { powerless } from "../powerless.ts";
import { book, bookMany, codeOf, faultsOf, folder, keysIn, opened } from "./files.ts";

let place: ReturnType<typeof folder>;
beforeEach(() => {
  place = folder();
});
afterEach(() => place.remove());

/** A closed ledger with 300 charges. */
async function filled(charges = 300): Promise<string> {
  const file = place.in("ledger.db");
  const { ledger, session } = await opened(file);
  await bookMany(ledger, session, charges);
  await ledger.close();
  return file;
}

async function expectRefused(file: string, code: string): Promise<void> {
  const before = readFileSync(file);
  expect(await codeOf(openSqlite(file))).toBe(code);
  expect(readFileSync(file).equals(before)).toBe(true);
}

describe("contents", () => {
  test("a text file is no ledger", async () => {
    for (const [i, text] of ["hello", "SQLite format 4 is not out yet\n".repeat(300)].entries()) {
      writeFileSync(place.in(`${i}`), text);
      await expectRefused(place.in(`${i}`), "ledger_foreign");
    }
  });

  test("a ledger whose header was overwritten is no ledger any more", async () => {
    const file = await filled();
    overwrite(file, 0, Buffer.alloc(60, 0xab));
    await expectRefused(file, "ledger_foreign");
  });

  test.each([50, 100, 512, 4096, 40_000])("a ledger cut off after %i bytes is damaged", async (length) => {
    const file = await filled();
    writeFileSync(file, readFileSync(file).subarray(0, length));
    await expectRefused(file, "ledger_corrupt");
  });

  test("a ledger whose list of tables is garbage is damaged", async () => {
    const file = await filled();
    overwrite(file, 100, Buffer.alloc(3_996, 0xab));
    await expectRefused(file, "ledger_corrupt");
  });

  test("damage deep in the file is found by the reading that meets it, as an error of ours", async () => {
    const file = await filled(6_000);
    const size = readFileSync(file).length;
    // The list of tables lies at the front; the charges come after.
    overwrite(file, Math.floor(size * 0.6), Buffer.alloc(Math.floor(size * 0.35), 0xab));
    const ledger = await openSqlite(file);
    expect(await codeOf(ledger.read(verifyLedger))).toBe("ledger_corrupt");
    expect(await codeOf(keysIn(ledger))).toBe("ledger_corrupt");
    await ledger.close();
  });

  test("another program's database is left alone, whatever its journal", async () => {
    for (const journal of ["delete", "wal"]) {
      const file = place.in(`${journal}.db`);
      const db = new Database(file);
      db.pragma(`journal_mode = ${journal}`);
      db.exec("create table sessions (id text); insert into sessions values ('theirs')");
      db.close();
      await expectRefused(file, "ledger_foreign");
    }
  });

  test("a ledger of a newer version is left alone", async () => {
    const file = await filled();
    const db = new Database(file);
    db.pragma("user_version = 99");
    db.close();
    await expectRefused(file, "ledger_newer");
  });

  test("an empty file becomes a ledger", async () => {
    writeFileSync(place.in("empty"), "");
    const { ledger, session } = await opened(place.in("empty"));
    await book(ledger, session, "k");
    expect(await faultsOf(ledger)).toEqual([]);
    await ledger.close();
  });
});

describe("places", () => {
  test("a folder is no ledger, and a file is no folder", async () => {
    expect(await codeOf(openSqlite(place.path))).toBe("ledger_unavailable");
    const file = await filled();
    expect(await codeOf(openSqlite(`${file}/ledger.db`))).toBe("ledger_unavailable");
    expect(await codeOf(openSqlite(`${file}/below/ledger.db`))).toBe("ledger_unavailable");
  });

  const child = fileURLToPath(new URL("open-child.ts", import.meta.url));
  const run = (file: string) => spawnSync(...powerless(process.execPath, [child, file]), { encoding: "utf8" });

  describe.skipIf(process.platform === "win32")("for a user without the right to write", () => {
    const codeFor = (file: string): unknown => {
      const { code, text, ok } = JSON.parse(run(file).stdout);
      expect(String(text)).not.toContain(place.path);
      return ok ? "ok" : code;
    };

    test("a read-only file is refused as read-only and stays as it was", async () => {
      const file = await filled();
      chmodSync(place.path, 0o777);
      chmodSync(file, 0o444);
      const before = readFileSync(file);
      expect(codeFor(file)).toBe("ledger_read_only");
      expect(readFileSync(file).equals(before)).toBe(true);
    });

    test("a file in a folder that cannot be written, where SQLite needs its log, is refused", async () => {
      const file = await filled();
      chmodSync(place.path, 0o555);
      chmodSync(file, 0o666);
      const before = readFileSync(file);
      expect(["ledger_read_only", "ledger_unavailable"]).toContain(codeFor(file));
      expect(readFileSync(file).equals(before)).toBe(true);
    });

    test("a folder that may not be made or entered is refused", async () => {
      chmodSync(place.path, 0o555);
      expect(codeFor(place.in("new/ledger.db"))).toBe("ledger_read_only");
      expect(codeFor(place.in("ledger.db"))).toBe("ledger_read_only");
      mkdirSync(place.in("secret"), { mode: 0o000 });
      expect(codeFor(place.in("secret/ledger.db"))).toBe("ledger_read_only");
    });

    test("a ledger made read-only while another process uses it harms neither", async () => {
      const file = place.in("ledger.db");
      const { ledger, session } = await opened(file);
      await book(ledger, session, "before");
      chmodSync(place.path, 0o755);
      chmodSync(file, 0o444);
      expect(codeFor(file)).toBe("ledger_read_only");
      await book(ledger, session, "after");
      expect((await keysIn(ledger)).sort()).toEqual(["after", "before"]);
      await ledger.close();
    });
  });
});

function overwrite(file: string, at: number, bytes: Buffer): void {
  const descriptor = openSync(file, "r+");
  writeSync(descriptor, bytes, 0, bytes.length, at);
  closeSync(descriptor);
}

test("a folder that cannot be made is a fault at once, not a hang", { timeout: 5_000 }, async () => {
  await expect(openSqlite("/proc/astra/budget/ledger.db")).rejects.toMatchObject({ code: "ledger_unavailable" });
});
