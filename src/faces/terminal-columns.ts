// Columns of the tables that a terminal shows: texts, counts and money of an answer's lines.
import { type Column, dollars } from "./table.ts";

export type Answer = Record<string, unknown>;
export type Line = Record<string, string | number | null | undefined>;

export const text = (title: string, key: string): Column<Line> => ({
  title,
  align: "left",
  cell: (row) => String(row[key] ?? "-"),
});
export const count = (title: string, key: string): Column<Line> => ({
  title,
  align: "right",
  cell: (row) => Number(row[key] ?? 0).toLocaleString("en-US"),
});
export const money = (title: string, key: string): Column<Line> => ({
  title,
  align: "right",
  cell: (row) => (row[key] === null || row[key] === undefined ? "-" : dollars(Number(row[key]))),
});

/** A long text by its beginning: `--json` has all of it. */
export const cut = (all: string, most: number): string => (all.length > most ? `${all.slice(0, most - 1)}…` : all);
