// A table that fits a terminal's width: long texts are cut, and what does not fit even so is left out from the right.
import { shownText } from "./table.ts";
import { shownCut, textWidth } from "./text-width.ts";

export type Colour = "green" | "yellow" | "red" | "dim" | "bold";

/** Puts a colour on a text, or leaves it as it is where there are none. */
export type Paint = (text: string, colour: Colour) => string;

const CODES = { green: 32, yellow: 33, red: 31, dim: 2, bold: 1 } as const satisfies Record<Colour, number>;

export const painted: Paint = (text, colour) => `\x1b[${CODES[colour]}m${text}\x1b[0m`;
export const unpainted: Paint = (text) => text;

/** Texts on the left may be cut, numbers on the right never are. The most important column comes first. */
export type FittedColumn<Row> = {
  readonly title: string;
  readonly align: "left" | "right";
  cell(row: Row): string;
  colour?(row: Row): Colour | null;
};

const GAP = 2;
/** A text is not cut further. */
const LEAST_TEXT = 8;

/** Lines without their ends; the first is the head. */
export function fittedTable<Row>(
  rows: readonly Row[],
  columns: readonly FittedColumn<Row>[],
  width: number,
  paint: Paint,
): string[] {
  const cells = rows.map((row) => columns.map((column) => shownText(column.cell(row))));
  const natural = columns.map(({ title }, i) =>
    Math.max(textWidth(title), ...cells.map((row) => textWidth(row[i] ?? ""))),
  );
  const widths = fittedWidths(columns, natural, width);
  const padded = (text: string, i: number): string => {
    const cut = shownCut(text, widths[i] ?? 0);
    const space = " ".repeat(Math.max(0, (widths[i] ?? 0) - textWidth(cut)));
    return columns[i]?.align === "right" ? space + cut : cut + space;
  };
  const gap = " ".repeat(GAP);
  const head = widths.map((_, i) => padded(columns[i]?.title ?? "", i)).join(gap);
  const lines = rows.map((row, at) =>
    widths
      .map((_, i) => {
        const colour = columns[i]?.colour?.(row) ?? null;
        const text = padded(cells[at]?.[i] ?? "", i);
        return colour === null ? text : paint(text, colour);
      })
      .join(gap)
      .trimEnd(),
  );
  return [paint(head.trimEnd(), "dim"), ...lines];
}

/** The widths of the columns that are shown: the widest text is cut first. */
function fittedWidths<Row>(columns: readonly FittedColumn<Row>[], natural: readonly number[], width: number): number[] {
  const widths = [...natural];
  const over = () => widths.reduce((sum, each) => sum + each, GAP * (widths.length - 1)) - width;
  while (widths.length > 1 && over() > 0) {
    const texts = widths.map((each, i) => (columns[i]?.align === "left" ? each : 0));
    const widest = texts.indexOf(Math.max(...texts));
    if ((texts[widest] ?? 0) > LEAST_TEXT) widths[widest] = (texts[widest] ?? 0) - 1;
    else widths.pop();
  }
  return widths.map((each) => Math.min(each, width));
}
