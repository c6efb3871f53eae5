// Files of charges: our own columns as CSV or as one JSON object a line, written and read back without a loss.
import { CHARGE_COLUMNS, type ChargeRecord } from "../operations/charge-record.ts";
import { type Cell, CSV_LINE_END, csvLine, csvRows, guarded, lineFault, unguarded } from "./csv.ts";
import { shownJson } from "./table.ts";

export const FORMATS = ["csv", "jsonl"] as const;
export type Format = (typeof FORMATS)[number];

/** A record that was read, not checked yet, and the line of the file where it begins. */
export type Found = { readonly line: number; readonly record: Readonly<Record<string, unknown>> };

/** The line of the columns' names; "" where a format has none. */
export const headOf = (format: Format, columns: readonly string[] = COLUMNS): string =>
  format === "csv" ? csvLine(columns) + CSV_LINE_END : "";

const COLUMNS = CHARGE_COLUMNS.map(([column]) => column);

export function lineOf(record: ChargeRecord, format: Format): string {
  if (format === "jsonl") return `${shownJson(record)}\n`;
  const cells = CHARGE_COLUMNS.map(([column, kind]): Cell => {
    const value = record[column];
    if (value === null) return null;
    if (kind === "json") return shownJson(value);
    return kind === "text" ? guarded(String(value)) : String(value);
  });
  return csvLine(cells) + CSV_LINE_END;
}

/** The records of a file that comes in pieces; what is in them is for `import_charges` to check. */
export function recordsIn(pieces: AsyncIterable<string>, format: Format): AsyncGenerator<Found> {
  return format === "csv" ? csvRecords(pieces) : jsonRecords(pieces);
}

async function* csvRecords(pieces: AsyncIterable<string>): AsyncGenerator<Found> {
  let columns: readonly string[] | null = null;
  for await (const { line, cells } of csvRows(pieces)) {
    if (columns === null) {
      columns = checkedColumns(cells, line);
      continue;
    }
    if (cells.length !== columns.length)
      throw lineFault(line, `expected ${columns.length} cells, as the first line has, not ${cells.length}`);
    const named = columns.map((column, i) => [column, meant(column, cells[i] ?? null)] as const);
    yield { line, record: Object.fromEntries(named) };
  }
}

/** Files of before there were meters lack it. */
const SINCE_METERS = "metered_by";

/** All of ours, in any order, and no others. */
function checkedColumns(cells: readonly Cell[], line: number): string[] {
  const columns = cells.map((cell) => cell ?? "");
  if (columns.includes("BilledCost"))
    throw lineFault(line, "expected an export without --focus: its columns do not say enough to book charges");
  const missing = COLUMNS.find((column) => column !== SINCE_METERS && !columns.includes(column));
  const unknown = columns.find((column) => !(COLUMNS as readonly string[]).includes(column));
  if (missing !== undefined) throw lineFault(line, `expected the columns of an export; ${missing} is missing`);
  if (unknown !== undefined || new Set(columns).size < columns.length)
    throw lineFault(line, "expected the columns of an export, each once and no others");
  return columns;
}

const KINDS: ReadonlyMap<string, string> = new Map(CHARGE_COLUMNS);

/** A cell as the value that it stands for; one that cannot is left as it is, for the check to name. */
function meant(column: string, cell: Cell): unknown {
  if (cell === null) return null;
  switch (KINDS.get(column)) {
    case "number":
      return /^-?\d{1,15}$/.test(cell) ? Number(cell) : cell;
    case "flag":
      return /^true$/i.test(cell) ? true : /^false$/i.test(cell) ? false : cell;
    case "json":
      return parsed(cell) ?? cell;
    case "money":
      return cell;
    default:
      return unguarded(cell);
  }
}

async function* jsonRecords(pieces: AsyncIterable<string>): AsyncGenerator<Found> {
  for await (const { line, text } of linesOf(pieces)) {
    if (text.trim() === "") continue;
    const record = parsed(text);
    if (typeof record !== "object" || record === null || Array.isArray(record))
      throw lineFault(line, "expected a JSON object");
    if ("BilledCost" in record)
      throw lineFault(line, "expected an export without --focus: its columns do not say enough to book charges");
    yield { line, record: record as Record<string, unknown> };
  }
}

const MOST_CHARACTERS = 1_000_000;

async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<{ line: number; text: string }> {
  let rest = "";
  let line = 1;
  for await (const piece of pieces) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    for (const text of lines) {
      yield { line, text };
      line += 1;
    }
    if (rest.length > MOST_CHARACTERS) throw lineFault(line, "expected a shorter line");
  }
  yield { line, text: rest };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
