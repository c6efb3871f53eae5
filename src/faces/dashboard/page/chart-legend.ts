// A chart's legend: each series with its colour, and its sum, or what it is in the column under the cursor.
import { el, name, put } from "./dom.ts";
import { exactMoney, money } from "./format.ts";
import type { ChartData } from "./stacking.ts";

/** Colours there are (--series-1 …); what comes after shares the colour of the others. */
const COLOURS = 8;

export class Legend {
  readonly #what = el("p", { class: "hint" });
  readonly #list = el("ul", {});
  #swatches: readonly HTMLElement[] = [];
  #values: readonly HTMLElement[] = [];
  readonly element = el("figcaption", { class: "legend" }, this.#what, this.#list);

  /** As the style sheet has it for the reader's scheme; a canvas cannot ask for it itself. */
  colourOf = (series: number): string => {
    const swatch = this.#swatches[series];
    return swatch ? getComputedStyle(swatch).backgroundColor : "gray";
  };

  show(data: ChartData): void {
    this.#swatches = data.series.map(({ key }, i) => {
      const isOther = i >= COLOURS || key === "(others)";
      return el("span", { class: `swatch series-${isOther ? "others" : i + 1}`, "aria-hidden": "true" });
    });
    this.#values = data.series.map(() => el("span", { class: "amount" }));
    put(this.#list, ...data.series.map(({ key }, i) => el("li", {}, this.#swatches[i], name(key), this.#values[i])));
    this.tell(data, null);
  }

  tell({ columns, series }: ChartData, column: number | null): void {
    const at = column !== null && columns[column] ? column : null;
    const values = series.map(({ values }) =>
      at === null ? values.reduce((sum, value) => sum + value, 0) : (values[at] ?? 0),
    );
    for (const [i, value] of values.entries()) {
      const shown = this.#values[i];
      if (!shown) continue;
      shown.title = exactMoney(value);
      put(shown, money(value));
    }
    const all = money(values.reduce((sum, value) => sum + value, 0));
    put(this.#what, at === null ? `All together: ${all}` : `${columns[at]?.label}: ${all}`);
  }
}
