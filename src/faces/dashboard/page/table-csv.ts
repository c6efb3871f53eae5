// A table as CSV, of which no spreadsheet takes a cell for a formula.
import { CSV_LINE_END, csvLine, guarded } from "../../csv.ts";

export function csvOf<Row>(
  columns: readonly { readonly title: string; value(row: Row): string | number | null }[],
  rows: readonly Row[],
): string {
  const lines = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map((column) => cellOf(column.value(row)))),
  ];
  return lines.map((line) => csvLine(line) + CSV_LINE_END).join("");
}

function cellOf(value: string | number | null): string | null {
  if (value === null) return null;
  return typeof value === "number" ? String(value) : guarded(value);
}
