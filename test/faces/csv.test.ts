// CSV: whatever is written is read back, in whatever pieces it comes, and no cell is a formula.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AstraError } from "../../src/core/error.ts";
import { type Cell, CSV_LINE_END, csvLine, csvRows, guarded, unguarded } from "../../src/faces/csv.ts";

async function* inPieces(text: string, length: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += length) yield text.slice(at, at + length);
}

async function read(text: string, length = 7): Promise<{ line: number; cells: readonly Cell[] }[]> {
  const rows = [];
  for await (const row of csvRows(inPieces(text, length))) rows.push(row);
  return rows;
}

const cellsOf = async (text: string) => (await read(text)).map((row) => row.cells);

async function faultOf(text: string): Promise<string> {
  try {
    await read(text);
  } catch (error) {
    if (error instanceof AstraError) return error.faults.map(({ path, message }) => `${path}: ${message}`).join("; ");
    throw error;
  }
  return "none";
}

/** Mostly the characters that mean something. */
const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom('"', ",", "\r", "\n", "'", "=", "+", "-", "@", "\t", ";", " ", "a"),
    fc.string({ unit: "grapheme", maxLength: 1 }),
  ),
  maxLength: 12,
});

describe("what is written", () => {
  test("is read back, cell by cell, in pieces of any length", async () => {
    const cell = fc.option(text, { freq: 4 });
    const table = fc
      .integer({ min: 1, max: 4 })
      .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 6 }));
    await fc.assert(
      fc.asyncProperty(table, fc.integer({ min: 1, max: 9 }), async (rows, length) => {
        const written = rows.map((row) => csvLine(row) + CSV_LINE_END).join("");
        // A row of one empty cell is an empty line, which is none.
        const expected = rows.filter((row) => row.length > 1 || row[0] !== null);
        const found = await read(written, length);
        expect(found.map((row) => row.cells)).toEqual(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  test("is what RFC 4180 says: CRLF, quotes where they are needed, doubled inside", () => {
    expect(csvLine(["a", null, "", 'say "x"', "a,b", "a\r\nb", " a", "1;2"])).toBe(
      'a,,"","say ""x""","a,b","a\r\nb"," a","1;2"',
    );
    expect(CSV_LINE_END).toBe("\r\n");
  });

  test("has no cell that a spreadsheet would run, and every guarded text is given back", () => {
    for (const start of ["=", "+", "-", "@", "\t", "\r", "\n"])
      for (const quotes of ["", "'", "''"]) expect(guarded(`${quotes}${start}cmd|' /C calc'!A0`)).toMatch(/^'/);
    expect(guarded("research-agent")).toBe("research-agent");
    expect(unguarded("'tis")).toBe("'tis");
    fc.assert(
      fc.property(text, (value) => {
        expect(guarded(value)).not.toMatch(/^[=+\-@\t\r\n]/);
        expect(unguarded(guarded(value))).toBe(value);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("what others write", () => {
  test("may end its lines in LF, leave out the last end, and have empty lines", async () => {
    expect(await cellsOf("a,b\n\n1,2\n\r\n3,")).toEqual([
      ["a", "b"],
      ["1", "2"],
      ["3", null],
    ]);
    expect(await cellsOf("")).toEqual([]);
    expect(await cellsOf("a,b\r")).toEqual([["a", "b"]]);
  });

  test("is told by the line where a row begins, also after cells of several lines", async () => {
    const rows = await read('a\n"b\nb\r\nb"\nc\n\nd');
    expect(rows.map((row) => [row.line, row.cells[0]])).toEqual([
      [1, "a"],
      [2, "b\nb\r\nb"],
      [5, "c"],
      [7, "d"],
    ]);
  });

  test.each([
    ['a\n"b', "line 2: expected a closing quote before the end of the file"],
    ['a\nb"c', "line 2: expected the whole cell in quotes, and a quote in it doubled"],
    ['"a"b', "line 1: expected a comma or the end of the line after a closing quote"],
    ["a\rb", "line 1: expected CRLF or LF at the end of the line"],
    [`a\n"${"x".repeat(1_000_100)}`, "line 2: expected a shorter cell; is a quote not closed?"],
  ])("is refused with its line: %#", async (broken, fault) => {
    expect(await faultOf(broken)).toBe(fault);
  });

  test("is read or refused with a line, whatever it is", async () => {
    await fc.assert(
      fc.asyncProperty(text, async (any) => {
        expect(await faultOf(any)).toMatch(/^(none$|line \d+: expected )/);
      }),
      { numRuns: 3_000 },
    );
  });
});
