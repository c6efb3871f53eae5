// Tables and bars for a terminal: aligned, sanitised, as wide as they need to be.

export type Column<Row> = { readonly title: string; readonly align: "left" | "right"; cell(row: Row): string };

/** A table of text with a rule under its head; an empty list says so. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], none: string): string {
  if (rows.length === 0) return none;
  const cells = rows.map((row) => columns.map((column) => shownText(column.cell(row))));
  const widths = columns.map((column, i) =>
    Math.max(column.title.length, ...cells.map((row) => widthOf(row[i] ?? ""))),
  );
  const line = (texts: readonly string[]) =>
    texts
      .map((text, i) => {
        const space = " ".repeat(Math.max(0, (widths[i] ?? 0) - widthOf(text)));
        return columns[i]?.align === "right" ? space + text : text + space;
      })
      .join("  ")
      .trimEnd();
  return [
    line(columns.map((column) => column.title)),
    widths.map((width) => "-".repeat(width)).join("  "),
    ...cells.map(line),
  ].join("\n");
}

/** A bar of up to ten cells for a share between 0 and 1. */
export function bar(share: number): string {
  const cells = Math.round(Math.min(1, Math.max(0, share)) * 10);
  return "█".repeat(cells) + "·".repeat(10 - cells);
}

/** A stored text as a terminal may show it: no escape sequence, no control character, no direction override. */
export function shownText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "?");
}

/** JSON as a terminal may show it: the same value, with every character that could forge a line escaped. */
export function shownJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (text) =>
    [...Array(text.length).keys()].map((i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, "0")}`).join(""),
  );
}

/** Code points: wide enough for alignment in the scripts that ids are written in. */
const widthOf = (text: string): number => [...text].length;

/** "1 hold", "1,200 holds". */
export function counted(count: unknown, noun: string): string {
  return `${Number(count).toLocaleString("en-US")} ${noun}${Number(count) === 1 ? "" : "s"}`;
}

/** Dollars as people read them: at least two decimals, as many as there are. */
export function dollars(usd: number): string {
  const text = usd.toFixed(9).replace(/0+$/, "");
  const [whole = "0", fraction = ""] = text.split(".");
  return `$${whole}.${fraction.padEnd(2, "0")}`;
}
