// `npm run bench`: every benchmark after the other, one table of ratios; both sides of each are measured in one run.
import { costs } from "./costs.ts";
import { printTable, type Row } from "./measure.ts";
import { report } from "./report.ts";
import { start } from "./start.ts";
import { stdio } from "./stdio.ts";

const rows: Row[] = [];
for (const benchmark of [report, stdio, start, costs]) {
  console.error(`${benchmark.name} ...`);
  rows.push(...(await benchmark()));
}
printTable(rows);
