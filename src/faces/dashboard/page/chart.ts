// A chart of columns, stacked where there are several series: its own legend, and its numbers as a table beside it.
import uPlot from "uplot";
import { Legend } from "./chart-legend.ts";
import { el } from "./dom.ts";
import { axisMoney, money } from "./format.ts";
import { type ChartData, columnSums, highest, stacked } from "./stacking.ts";
import type { DataTable } from "./table.ts";

export type Chart<Row> = {
  readonly element: HTMLElement;
  update(data: ChartData, rows: readonly Row[]): void;
  close(): void;
};

export type ChartOptions<Row> = {
  /** What is drawn, for those who cannot see it: "Cost by agent". */
  readonly title: string;
  /** The same numbers. */
  readonly table: DataTable<Row>;
  /** Every how many columns the axis may be labelled. */
  readonly labelSteps?: readonly number[];
};

const HEIGHT = 260;
const LABEL_STEPS = [1, 2, 3, 7, 14, 28, 56, 112, 366, 732];
/** Columns narrower than this have no line between their layers. */
const MOST_LINED = 60;

export function columnChart<Row>({ title, table, labelSteps = LABEL_STEPS }: ChartOptions<Row>): Chart<Row> {
  const place = el("div", { class: "plot", role: "img" });
  const legend = new Legend();
  const numbers = shownOnDemand(table);
  const element = el("figure", { class: "chart" }, place, legend.element, numbers.element);
  let data: ChartData = { columns: [], series: [] };
  let plot: uPlot | null = null;

  const draw = () => {
    const width = place.clientWidth;
    if (width === 0 || data.columns.length === 0) return;
    const aligned = alignedOf(data);
    // What uPlot cannot be told anew is how many series there are and how wide their lines.
    if (plot && plot.series.length === aligned.length && plot.data[0].length === aligned[0].length) {
      plot.setData(aligned);
      return;
    }
    plot?.destroy();
    const options = { width, labelSteps, data: () => data, colourOf: legend.colourOf, place };
    plot = new uPlot(
      plotOptions(options, (column) => legend.tell(data, column)),
      aligned,
      place,
    );
  };

  const sized = new ResizeObserver(() => {
    if (plot && place.clientWidth > 0) plot.setSize({ width: place.clientWidth, height: HEIGHT });
    else draw();
  });
  sized.observe(place);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const repaint = () => plot?.redraw();
  scheme.addEventListener("change", repaint);

  return {
    element,
    update(next, rows) {
      data = next;
      place.setAttribute("aria-label", inWords(title, data));
      legend.show(data);
      numbers.update(rows);
      draw();
    },
    close() {
      sized.disconnect();
      scheme.removeEventListener("change", repaint);
      plot?.destroy();
    },
  };
}

/** An empty column is not drawn at all: its edge would hide the base line. */
const alignedOf = ({ columns, series }: ChartData): uPlot.AlignedData => [
  columns.map((_, i) => i),
  ...stacked(series, columns.length).map((tops) => tops.map((top) => (top === 0 ? null : top))),
];

function inWords(title: string, { columns, series }: ChartData): string {
  const sums = columnSums(series, columns.length);
  const most = highest(sums);
  const first = columns[0]?.label ?? "";
  const last = columns.at(-1)?.label ?? "";
  const range = first === last ? first : `${first} to ${last}`;
  if (most === null) return `${title}, ${range}: nothing was spent.`;
  const all = sums.reduce((sum, value) => sum + value, 0);
  return `${title}, ${range}: ${money(all)} in all, the most ${columns[most]?.label}: ${money(sums[most] ?? 0)}. The numbers are in the table below.`;
}

type PlotOptions = {
  readonly width: number;
  readonly labelSteps: readonly number[];
  readonly place: HTMLElement;
  data(): ChartData;
  colourOf(series: number): string;
};

function plotOptions(
  { width, labelSteps, place, data, colourOf }: PlotOptions,
  pointed: (column: number | null) => void,
): uPlot.Options {
  const { series, columns } = data();
  // Colours are asked for whenever it is painted: they change with the reader's scheme.
  const style = () => getComputedStyle(place);
  const ink = () => style().color;
  const lineWidth = columns.length > MOST_LINED ? 0 : 1;
  const font = "12px system-ui, sans-serif";
  const paths = uPlot.paths.bars?.({ size: [0.8, 72] });
  // The last layer is drawn first, so that the ones below cover its foot.
  const layers = series.map((_, i) => series.length - 1 - i);
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: {
      x: { time: false, range: () => [-0.5, Math.max(0.5, data().columns.length - 0.5)] },
      y: { range: (_, _least, most) => [0, most > 0 ? most * 1.05 : 1] },
    },
    axes: [
      {
        stroke: ink,
        font,
        grid: { show: false },
        ticks: { show: false },
        space: 64,
        size: 28,
        incrs: [...labelSteps],
        values: (_, places) => places.map((i) => data().columns[i]?.short ?? ""),
      },
      {
        stroke: ink,
        font,
        grid: { stroke: () => style().borderTopColor, width: 1 },
        ticks: { show: false },
        size: (_, values) => 16 + 7 * Math.max(1, ...(values ?? []).map(({ length }) => length)),
        values: (_, amounts) => amounts.map(axisMoney),
      },
    ],
    series: [
      {},
      ...layers.map((layer) => ({
        ...(paths && { paths }),
        points: { show: false },
        fill: () => colourOf(layer),
        stroke: () => style().backgroundColor,
        width: lineWidth,
      })),
    ],
    hooks: { setCursor: [({ cursor }) => pointed(cursor.idx ?? null)] },
  };
}

/** A table that is filled when somebody opens it. */
function shownOnDemand<Row>(table: DataTable<Row>): {
  readonly element: HTMLElement;
  update(rows: readonly Row[]): void;
} {
  let rows: readonly Row[] = [];
  const fill = () => {
    if (element.open) table.update(rows);
  };
  const element = el("details", { ontoggle: fill }, el("summary", {}, "Show as table"), table.element);
  return {
    element,
    update(next) {
      rows = next;
      fill();
    },
  };
}
