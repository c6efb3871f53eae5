// `npm run bench`: every benchmark after the other, one table of ratios; both sides of each are measured in one run.
// `npm run bench -- 10` takes 10 seconds for the mixed load instead of 60.
import { costs } from "./costs.ts";
import { http } from "./http.ts";
import { httpLoad } from "./http-load.ts";
import { printTable, type Row } from "./measure.ts";
import { report } from "./report.ts";
import { start } from "./start.ts";
import { stdio } from "./stdio.ts";

const rows: Row[] = [];
for (const benchmark of [report, stdio, start, costs, http, httpLoad]) {
  console.error(`${benchmark.name} ...`);
  rows.push(...(await benchmark()));
}
printTable(rows);
