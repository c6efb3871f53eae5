// A table of data: sortable by its heads, updated in place, and to be had as CSV.
import { type Child, el, put } from "./dom.ts";
import { csvOf } from "./table-csv.ts";

export type Column<Row> = {
  readonly title: string;
  /** What the column is sorted by, and what the CSV has; numbers stand to the right. */
  value(row: Row): string | number | null;
  /** What is shown; the value itself when absent. */
  cell?(row: Row): Child;
  readonly kind?: "number";
  /** Buttons: made once for a row, not sorted, not in the CSV. They must ask `row()` for what is so now. */
  buttons?(row: () => Row): readonly HTMLElement[];
};

export type TableOptions<Row> = {
  /** Read to those who cannot see the table; also the name of the CSV's file. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  keyOf(row: Row): string;
  /** Shown where there is no row: what to do next. */
  readonly empty: Child;
  /** The column to sort by first, the largest above; the order as given when absent. */
  readonly sortedBy?: string;
  readonly csv?: boolean;
  /** What is shown depends on the time, too: a row that is the same is looked at again. */
  readonly ticks?: true;
};

export type DataTable<Row> = { readonly element: HTMLElement; update(rows: readonly Row[]): void };

type Shown<Row> = { row: Row; readonly line: HTMLTableRowElement };
type Order = { readonly title: string; readonly direction: "ascending" | "descending" };

export function dataTable<Row>(options: TableOptions<Row>): DataTable<Row> {
  const { caption, columns, keyOf, empty, sortedBy } = options;
  let rows: readonly Row[] = [];
  let order: Order | null = sortedBy === undefined ? null : { title: sortedBy, direction: "descending" };
  const shown = new Map<string, Shown<Row>>();

  const heads = columns.map((column) => headOf(column, () => sortBy(column)));
  const body = el("tbody");
  const table = el(
    "table",
    {},
    el("caption", { class: "unseen" }, caption),
    el("thead", {}, el("tr", {}, ...heads)),
    body,
  );
  const nothing = el("p", { class: "empty" }, empty);
  const scroll = el("div", { class: "scroll", role: "region", "aria-label": caption, tabindex: "0" }, table);
  const download = el("button", { type: "button", class: "quiet", onclick: () => saveCsv(options, sorted()) }, "CSV");
  const tools = options.csv ? el("div", { class: "tools" }, download) : null;
  const element = el("div", { class: "table" }, tools, scroll, nothing);

  const sortBy = ({ title }: Column<Row>) => {
    const isAgain = order?.title === title && order.direction === "descending";
    order = { title, direction: isAgain ? "ascending" : "descending" };
    show();
  };

  const sorted = (): readonly Row[] => {
    const column = columns.find(({ title }) => title === order?.title);
    if (!column || !order) return rows;
    const sign = order.direction === "ascending" ? 1 : -1;
    return rows.toSorted((a, b) => sign * compare(column.value(a), column.value(b)));
  };

  const lineOf = (row: Row): HTMLTableRowElement => {
    const key = keyOf(row);
    const known = shown.get(key);
    if (known) {
      // Two hundred charges a second come by: what is the same is not even compared.
      if (known.row !== row || options.ticks) refill(known.line, columns, row);
      known.row = row;
      return known.line;
    }
    const fresh: Shown<Row> = { row, line: el("tr") };
    fresh.line.append(...columns.map((column) => cellOf(column, () => fresh.row)));
    shown.set(key, fresh);
    return fresh.line;
  };

  const show = () => {
    const ordered = sorted();
    const keys = new Set(ordered.map(keyOf));
    for (const key of shown.keys()) if (!keys.has(key)) shown.delete(key);
    arrange(body, ordered.map(lineOf));
    for (const [i, column] of columns.entries()) {
      const isOrder = order?.title === column.title;
      heads[i]?.setAttribute("aria-sort", isOrder && order ? order.direction : "none");
    }
    nothing.hidden = rows.length > 0;
    scroll.hidden = rows.length === 0;
    download.disabled = rows.length === 0;
  };

  show();
  return {
    element,
    update(next) {
      rows = next;
      show();
    },
  };
}

function headOf<Row>(column: Column<Row>, sort: () => void): HTMLElement {
  const css = { scope: "col", class: column.kind ?? null };
  if (column.buttons) return el("th", css, el("span", { class: "unseen" }, column.title));
  return el("th", css, el("button", { type: "button", class: "sort", onclick: sort }, column.title));
}

function cellOf<Row>(column: Column<Row>, row: () => Row): HTMLElement {
  const cell = el("td", { class: column.buttons ? "buttons" : (column.kind ?? null) });
  if (column.buttons) put(cell, ...column.buttons(row));
  else put(cell, contentOf(column, row()));
  return cell;
}

const contentOf = <Row>(column: Column<Row>, row: Row): Child => (column.cell ? column.cell(row) : column.value(row));

/** Only cells that changed are touched: what has the focus or is being read stays. */
function refill<Row>(line: HTMLTableRowElement, columns: readonly Column<Row>[], row: Row): void {
  for (const [i, column] of columns.entries()) {
    const cell = line.cells[i];
    if (!cell || column.buttons) continue;
    const content = contentOf(column, row);
    if (content instanceof Node ? cell.firstChild?.isEqualNode(content) : cell.textContent === String(content ?? ""))
      continue;
    put(cell, content);
  }
}

/** Brings lines into their order; those that stand where they belong are not moved. */
export function arrange(parent: Element, wanted: readonly Element[]): void {
  const keep = new Set(wanted);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  let at = parent.firstElementChild;
  for (const child of wanted) {
    if (child === at) at = at.nextElementSibling;
    else parent.insertBefore(child, at);
  }
}

function compare(a: string | number | null, b: string | number | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
}

function saveCsv<Row>({ caption, columns }: TableOptions<Row>, rows: readonly Row[]): void {
  // The mark tells spreadsheets that it is UTF-8.
  const url = URL.createObjectURL(
    new Blob(
      [
        "\ufeff",
        csvOf(
          columns.filter(({ buttons }) => !buttons),
          rows,
        ),
      ],
      { type: "text/csv" },
    ),
  );
  el("a", { href: url, download: `${caption.toLowerCase().replace(/\W+/g, "-")}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
}
