// Files changed together: all or none, modes kept, nothing left lying about.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { commit, readText } from "../../src/setup/text-files.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "astra-budget-files-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});
const at = (...names: string[]): string => join(folder, ...names);

test("each file gets its new text and keeps its mode; a new one gets the mode asked for, in new folders too", () => {
  writeFileSync(at("old"), "1", { mode: 0o600 });
  writeFileSync(at("gone"), "2");
  commit(
    [
      { file: at("old"), before: "1", after: "\uFEFFone\r\n" },
      { file: at("new", "file"), before: null, after: "new" },
      { file: at("gone"), before: "2", after: null },
    ],
    0o640,
  );
  expect(readText(at("old"))).toBe("\uFEFFone\r\n");
  expect(statSync(at("old")).mode & 0o777).toBe(0o600);
  expect(statSync(at("new", "file")).mode & 0o777).toBe(0o640);
  expect(readdirSync(folder).sort()).toEqual(["new", "old"]);
});

test("where one cannot be put in place, those before it are as they were", () => {
  for (const name of ["old", "gone"]) writeFileSync(at(name), "1", { mode: 0o600 });
  const blocked = [
    { file: at("old"), before: "1", after: "one" },
    { file: at("gone"), before: "1", after: null },
    { file: at("folder", "inside"), before: null, after: "x" },
    { file: at("folder"), before: null, after: "a file cannot take the place of a folder" },
  ];
  expect(() => commit(blocked, 0o644)).toThrow(`${at("folder")}: the file is a folder`);
  for (const name of ["old", "gone"]) {
    expect(readFileSync(at(name), "utf8")).toBe("1");
    expect(statSync(at(name)).mode & 0o777).toBe(0o600);
  }
  expect(readdirSync(folder).sort()).toEqual(["folder", "gone", "old"]);
  expect(readdirSync(at("folder"))).toEqual([]);
});

test("a file that somebody else changed since it was read is not overwritten", () => {
  writeFileSync(at("old"), "theirs");
  expect(() => commit([{ file: at("old"), before: "1", after: "ours" }], 0o644)).toThrow("was changed meanwhile");
  expect(readFileSync(at("old"), "utf8")).toBe("theirs");
});

test("what is no readable text file is refused by its name", () => {
  writeFileSync(at("latin"), Buffer.from([0x7b, 0xe4, 0x7d]));
  symlinkSync(at("nowhere"), at("link"));
  expect(() => readText(at("latin"))).toThrow(`${at("latin")}: the file is not UTF-8 text`);
  expect(() => readText(at("link"))).toThrow("is a link to a file that is not there");
  expect(() => readText(folder)).toThrow("is no plain file");
  expect(readText(at("none"))).toBeNull();
});
