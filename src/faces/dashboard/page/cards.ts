// A list of cards, for what is too much for a table's line; a card is made anew only when what it tells has changed.
import { type Child, el } from "./dom.ts";
import { arrange } from "./table.ts";

export type CardsOptions<Row> = {
  readonly label: string;
  keyOf(row: Row): string;
  card(row: Row): readonly Child[];
  /** Shown where there is no card: what to do next. */
  readonly empty: string;
};

export function cardList<Row>({ label, keyOf, card, empty }: CardsOptions<Row>) {
  const shown = new Map<string, { readonly told: string; readonly item: HTMLElement }>();
  const list = el("ul", { class: "cards", "aria-label": label });
  const nothing = el("p", { class: "empty" }, empty);
  return {
    element: el("div", {}, list, nothing),
    update(rows: readonly Row[]) {
      const items = rows.map((row) => {
        const told = JSON.stringify(row);
        const known = shown.get(keyOf(row));
        if (known?.told === told) return known.item;
        const item = el("li", { class: "card" }, ...card(row));
        shown.set(keyOf(row), { told, item });
        return item;
      });
      const keys = new Set(rows.map(keyOf));
      for (const key of shown.keys()) if (!keys.has(key)) shown.delete(key);
      arrange(list, items);
      list.hidden = rows.length === 0;
      nothing.hidden = rows.length > 0;
    },
  };
}
