// CSV by RFC 4180: lines written, rows read piece by piece, and texts that no spreadsheet takes for a formula.
import { AstraError } from "../core/error.ts";

/** Nothing at all (null) is an empty cell; an empty text is a cell of two quotes. */
export type Cell = string | null;

/** A line without its end, which is CRLF. */
export const csvLine = (cells: readonly Cell[]): string => cells.map(cellText).join(",");

export const CSV_LINE_END = "\r\n";

/** Other signs than the comma part cells in some countries' spreadsheets. */
const PLAIN = /^[^",;\t\r\n]+$/;
const cellText = (cell: Cell): string =>
  cell === null ? "" : PLAIN.test(cell) && cell.trim() === cell ? cell : `"${cell.replaceAll('"', '""')}"`;

/**
 * What begins like this may be run as a formula by the spreadsheet that opens the file. An apostrophe before it makes it
 * a text; those that are there already are counted in, so that `unguarded` always gives back what was.
 */
const FORMULA = /^'*[=+\-@\t\r\n]/;
export const guarded = (text: string): string => (FORMULA.test(text) ? `'${text}` : text);
export const unguarded = (text: string): string => (/^'+[=+\-@\t\r\n]/.test(text) ? text.slice(1) : text);

/** A row, and the line of the file where it begins. */
export type CsvRow = { readonly line: number; readonly cells: readonly Cell[] };

/** No cell of ours is as long: a quote that is never closed would take in the rest of the file. */
const MOST_CHARACTERS = 1_000_000;

/** The rows of a text that comes in pieces; lines may end in CRLF or LF, empty ones are passed over. */
export async function* csvRows(pieces: AsyncIterable<string>): AsyncGenerator<CsvRow> {
  const reader = new CsvReader();
  for await (const piece of pieces) yield* reader.read(piece);
  yield* reader.end();
}

class CsvReader {
  #state: "start" | "plain" | "quoted" | "quote" | "return" = "start";
  #cell = "";
  #wasQuoted = false;
  #cells: Cell[] = [];
  #line = 1;
  #begun = 1;

  *read(piece: string): Generator<CsvRow> {
    let at = 0;
    while (at < piece.length) {
      if (this.#state === "quoted") at = this.#readQuoted(piece, at);
      else if (this.#state === "plain" || (this.#state === "start" && piece[at] !== '"'))
        at = this.#readPlain(piece, at);
      if (at >= piece.length) break;
      const row = this.#readSign(piece[at] ?? "");
      at += 1;
      if (row) yield row;
    }
    if (this.#cell.length > MOST_CHARACTERS) throw this.#fault("expected a shorter cell; is a quote not closed?");
  }

  *end(): Generator<CsvRow> {
    if (this.#state === "quoted") throw this.#fault("expected a closing quote before the end of the file");
    const row = this.#endRow();
    if (row) yield row;
  }

  #readQuoted(piece: string, at: number): number {
    const found = piece.indexOf('"', at);
    const end = found < 0 ? piece.length : found;
    const part = piece.slice(at, end);
    this.#cell += part;
    for (const char of part) if (char === "\n") this.#line += 1;
    return end;
  }

  #readPlain(piece: string, at: number): number {
    SIGN.lastIndex = at;
    const end = SIGN.exec(piece)?.index ?? piece.length;
    this.#cell += piece.slice(at, end);
    this.#state = "plain";
    return end;
  }

  /** A comma, a quote, or an end of line; or what may not stand after a quote. */
  #readSign(sign: string): CsvRow | null {
    const state = this.#state;
    if (state === "return" && sign !== "\n") throw this.#fault("expected CRLF or LF at the end of the line");
    if (sign === '"') {
      if (state === "plain") throw this.#fault("expected the whole cell in quotes, and a quote in it doubled");
      if (state === "quote") this.#cell += '"';
      this.#wasQuoted = true;
      this.#state = state === "quoted" ? "quote" : "quoted";
    } else if (sign === ",") this.#endCell();
    else if (sign === "\r") this.#state = "return";
    else if (sign === "\n") {
      const row = this.#endRow();
      this.#line += 1;
      this.#begun = this.#line;
      return row;
    } else throw this.#fault("expected a comma or the end of the line after a closing quote");
    return null;
  }

  #endCell(): void {
    this.#cells.push(this.#cell === "" && !this.#wasQuoted ? null : this.#cell);
    this.#cell = "";
    this.#wasQuoted = false;
    this.#state = "start";
  }

  #endRow(): CsvRow | null {
    this.#endCell();
    const cells = this.#cells;
    this.#cells = [];
    return cells.length === 1 && cells[0] === null ? null : { line: this.#begun, cells };
  }

  #fault(message: string): AstraError {
    return lineFault(this.#line, message);
  }
}

const SIGN = /[",\r\n]/g;

/** What is wrong with a line of a file. */
export function lineFault(line: number, message: string): AstraError {
  return new AstraError("invalid_input", "the file cannot be read", "Mend the named line and try again.", [
    { path: `line ${line}`, message },
  ]);
}
