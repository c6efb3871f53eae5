// Tables as CSV: read back they are what was shown, and no cell is a formula.
import fc from "fast-check";
import { expect, test } from "vitest";
import { type CsvRow, csvRows, unguarded } from "../../../src/faces/csv.ts";
import { csvOf } from "../../../src/faces/dashboard/page/table-csv.ts";

type Row = { readonly name: string; readonly cost: number | null };
const columns = [
  { title: "Agent", value: ({ name }: Row) => name },
  { title: "Cost", value: ({ cost }: Row) => cost },
];

test("a name that is a formula becomes a text, a negative number stays a number", () => {
  const text = csvOf(columns, [
    { name: '=HYPERLINK("http://evil.example","click")', cost: -0.5 },
    { name: "@SUM(A1)", cost: null },
  ]);
  expect(text).toBe('Agent,Cost\r\n"\'=HYPERLINK(""http://evil.example"",""click"")",-0.5\r\n\'@SUM(A1),\r\n');
});

test("whatever the names, every cell is read back as it was and none begins a formula", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: "grapheme", minLength: 1 }), { minLength: 1 }), async (names) => {
      const text = csvOf(
        columns,
        names.map((name) => ({ name, cost: 1 })),
      );
      const rows: CsvRow[] = [];
      for await (const row of csvRows(pieces(text))) rows.push(row);
      const cells = rows.slice(1).map(({ cells: [name] }) => name ?? "");
      expect(cells.filter((cell) => /^[=+\-@\t\r\n]/.test(cell))).toEqual([]);
      expect(cells.map(unguarded)).toEqual(names);
    }),
  );
});

async function* pieces(text: string) {
  yield text;
}
