// The range's costs day by day or month by month, by one attribution: a stacked chart and its table.
import { columnChart } from "../chart.ts";
import { el, name, put } from "../dom.ts";
import { bucketName } from "../format.ts";
import { usd } from "../marks.ts";
import { dataTable } from "../table.ts";
import type { CostSeries, CostsPart } from "./costs.ts";

type Row = { readonly bucket: string; readonly key: string; readonly cost: number };

export function overTimePart(): CostsPart {
  const table = dataTable<Row>({
    caption: "Costs over time",
    keyOf: ({ bucket, key }) => JSON.stringify([bucket, key]),
    empty: "Nothing was spent.",
    csv: true,
    columns: [
      { title: "When", value: ({ bucket }) => bucket, cell: ({ bucket }) => bucketName(bucket).label },
      { title: "What", value: ({ key }) => key, cell: ({ key }) => name(key) },
      { title: "Cost", kind: "number", value: ({ cost }) => cost, cell: ({ cost }) => usd(cost) },
    ],
  });
  const title = el("h2", { id: "over-time" });
  const chart = columnChart<Row>({ title: "Costs over time", table });
  const empty = el(
    "p",
    { class: "empty" },
    "Nothing was spent in this range. Take a longer one, or open a session with ",
    el("code", {}, "open_session"),
    " and report what it uses: it shows here within seconds. ",
    el("code", {}, "astra-budget import claude-code"),
    " brings in what was spent before.",
  );
  return {
    element: el("section", { "aria-labelledby": "over-time" }, title, chart.element, empty),
    show({ question, series }) {
      put(title, `Over time, by ${question.by}`);
      chart.element.hidden = series.series.length === 0;
      empty.hidden = series.series.length > 0;
      const drawn = series.series.map(({ key, cost_usd }) => ({ key, values: cost_usd }));
      chart.update({ columns: series.buckets.map(bucketName), series: drawn }, rowsOf(series));
    },
    close: chart.close,
  };
}

/** One line for each day or month and name that cost something. */
const rowsOf = ({ buckets, series }: CostSeries): Row[] =>
  buckets.flatMap((bucket, i) =>
    series.flatMap(({ key, cost_usd }) => {
      const cost = cost_usd[i] ?? 0;
      return cost === 0 ? [] : [{ bucket, key, cost }];
    }),
  );
