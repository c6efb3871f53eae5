// What a chart of columns draws: series put upon each other, in numbers only.

export type Series = { readonly key: string; readonly values: readonly number[] };

export type ChartData = {
  /** What each column is called, whole and as short as the axis needs it. */
  readonly columns: readonly { readonly label: string; readonly short: string }[];
  /** The lowest layer first, in dollars. */
  readonly series: readonly Series[];
};

/** Tops of the layers, the whole column first: each is drawn over the one before. What is below zero takes no room. */
export function stacked(series: readonly Series[], columns: number): number[][] {
  const tops: number[][] = [];
  let below = new Array<number>(columns).fill(0);
  for (const { values } of series) {
    below = below.map((top, i) => top + Math.max(0, values[i] ?? 0));
    tops.unshift(below);
  }
  return tops;
}

/** What the series come to in each column. */
export const columnSums = (series: readonly Series[], columns: number): number[] =>
  Array.from({ length: columns }, (_, i) => series.reduce((sum, { values }) => sum + (values[i] ?? 0), 0));

/** Place of the largest value; null where all are zero. */
export function highest(values: readonly number[]): number | null {
  let best: number | null = null;
  for (const [i, value] of values.entries()) if (value > (best === null ? 0 : (values[best] ?? 0))) best = i;
  return best;
}
