// Lines of a growing file: complete ones only, from any offset, however long, in bounded memory.
import { appendFileSync, closeSync, ftruncateSync, openSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_LINE_BYTES, readLines } from "../../src/meters/line-reader.ts";
import { linesOf, put, temporaryFolder } from "./temporary.ts";

const folder = temporaryFolder();
const texts = (lines: readonly Buffer[]) => lines.map((line) => line.toString("latin1"));
const MIB = 1024 * 1024;

describe("readLines", () => {
  test("gives complete lines without their ends, and keeps an unfinished one for later", () => {
    const file = put(join(folder, "growing"), "one\r\n\ntwo\nthr");
    const first = linesOf(file);
    expect(first).toMatchObject({ end: 10, tooLong: 0, shrunk: false });
    expect(texts(first.lines)).toEqual(["one", "", "two"]);
    appendFileSync(file, "ee\n");
    const next = linesOf(file, first.end);
    expect(texts(next.lines)).toEqual(["three"]);
    expect(linesOf(file, next.end)).toEqual({ end: next.end, tooLong: 0, shrunk: false, lines: [] });
  });

  test("tells that a file was cut or replaced by a shorter one, and where to begin anew", () => {
    const file = put(join(folder, "cut"), "a\nb\n");
    truncateSync(file, 2);
    expect(linesOf(file, 4)).toEqual({ end: 0, tooLong: 0, shrunk: true, lines: [] });
    expect(texts(linesOf(file, 0).lines)).toEqual(["a"]);
  });

  test("takes a carriage return inside a line, or alone at its start, for what it is", () => {
    expect(texts(linesOf(put(join(folder, "returns"), "a\rb\n\r\n\r\r\n")).lines)).toEqual(["a\rb", "", "\r"]);
  });

  test("gives lines that are longer than its chunks whole, in their order", () => {
    const long = ["x".repeat(3 * MIB), "y", "z".repeat(MIB), "", "é".repeat(MIB)];
    const { lines } = linesOf(put(join(folder, "long"), `${long.join("\n")}\n`));
    expect(lines.map((line) => line.toString())).toEqual(long);
  });

  test("gives a line of the greatest length, and leaves out and counts the one that is a byte longer", () => {
    const most = Buffer.alloc(MAX_LINE_BYTES, "a");
    const file = put(join(folder, "greatest"), Buffer.concat([most, Buffer.from("\nb"), most, Buffer.from("\nc\n")]));
    const { lines, tooLong, end } = linesOf(file);
    expect(lines.map((line) => line.length)).toEqual([MAX_LINE_BYTES, 1]);
    expect({ tooLong, end }).toEqual({ tooLong: 1, end: 2 * MAX_LINE_BYTES + 5 });
  });

  test("tells where each line begins, from wherever it reads and however lines are ended", () => {
    const file = put(join(folder, "begins"), `one\r\n\ntwo\n${"x".repeat(2 * MIB)}\nhalf`);
    const fd = openSync(file, "r");
    try {
      const beginsFrom = (from: number) => {
        const begins: number[] = [];
        readLines(fd, from, (_, at) => begins.push(at));
        return begins;
      };
      expect(beginsFrom(0)).toEqual([0, 5, 6, 10]);
      expect(beginsFrom(6)).toEqual([6, 10]);
    } finally {
      closeSync(fd);
    }
  });

  test("never holds an endless line: 512 MB without a line end cost less than 48 MB", () => {
    const file = put(join(folder, "sparse"), "");
    const fd = openSync(file, "r+");
    try {
      ftruncateSync(fd, 512 * MIB);
      let most = 0;
      const before = process.memoryUsage().rss;
      const watch = () => {
        most = Math.max(most, process.memoryUsage().rss - before);
      };
      expect(readLines(fd, 0, watch)).toEqual({ end: 0, tooLong: 0, shrunk: false });
      watch();
      writeSync(fd, "\nafter\n", 512 * MIB);
      const lines: string[] = [];
      const read = readLines(fd, 0, (line) => {
        lines.push(line.toString());
        watch();
      });
      expect(read).toEqual({ end: 512 * MIB + 7, tooLong: 1, shrunk: false });
      expect(lines).toEqual(["after"]);
      expect(most).toBeLessThan(48 * MIB);
    } finally {
      closeSync(fd);
    }
  });

  test("read in any number of steps gives each line once, as if read at once", () => {
    const content = fc.array(fc.stringMatching(/^[ab\r]{0,6}\n?$/), { maxLength: 30 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(content, fc.array(fc.nat(20), { maxLength: 10 }), (whole, steps) => {
        const file = put(join(folder, "steps"), "");
        const given: string[] = [];
        let from = 0;
        let written = 0;
        for (const step of [...steps, whole.length]) {
          appendFileSync(file, whole.slice(written, written + step));
          written += step;
          const read = linesOf(file, from);
          given.push(...texts(read.lines));
          from = read.end;
        }
        const expected = whole.split("\n").slice(0, -1);
        expect(given).toEqual(expected.map((line) => line.replace(/\r$/, "")));
        expect(from).toBe(whole.lastIndexOf("\n") + 1);
      }),
    );
  });
});
