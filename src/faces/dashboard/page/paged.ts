// A list that the server tells by the page: "More" reads further, and while the ledger moves all that is shown is read anew.
import { el } from "./dom.ts";
import type { Live } from "./live.ts";
import { kept } from "./page.ts";

export type Part<Row> = { readonly rows: readonly Row[]; readonly next: string | null };

export type PagedOptions<Row> = {
  /** Where the rows are shown. */
  readonly view: { readonly element: HTMLElement; update(rows: readonly Row[]): void };
  /** One page of the list. */
  read(page: { readonly limit: number; readonly cursor: string | null }): Promise<Part<Row>>;
  /** Rows at first, and more at each asking. */
  readonly step?: number;
};

export type Paged = {
  readonly element: HTMLElement;
  /** From the start, as when a filter changed. */
  restart(): Promise<void>;
  again(): Promise<void>;
  close(): void;
};

const STEP = 50;
/** The server tells no more at once. */
const MOST_AT_ONCE = 500;

export function pagedList<Row>(live: Live, { view, read, step = STEP }: PagedOptions<Row>): Paged {
  let wanted = step;
  const more = el("button", { type: "button", hidden: true }, "More");
  const load = async (): Promise<Part<Row>> => {
    const rows: Row[] = [];
    let next: string | null = null;
    do {
      const part: Part<Row> = await read({ limit: Math.min(wanted - rows.length, MOST_AT_ONCE), cursor: next });
      rows.push(...part.rows);
      next = part.next;
    } while (next !== null && rows.length < wanted);
    return { rows, next };
  };
  const fresh = kept(live, load, ({ rows, next }) => {
    view.update(rows);
    view.element.hidden = false;
    more.hidden = next === null;
    more.disabled = false;
  });
  more.addEventListener("click", () => {
    wanted += step;
    more.disabled = true;
    fresh.again().finally(() => {
      more.disabled = false;
    });
  });
  // "There is nothing" is not said before the server said so.
  view.element.hidden = true;
  return {
    element: el("div", {}, fresh.status, view.element, more),
    restart() {
      wanted = step;
      return fresh.again();
    },
    again: fresh.again,
    close: fresh.close,
  };
}
