// `npm run bench`: every benchmark after the other, one table of ratios; both sides of each are measured in one run.
// `npm run bench costs` runs one (or several) of them; `npm run bench -- 10` takes 10 seconds for the mixed load, not 60.
import { costs } from "./costs.ts";
import { dashboard } from "./dashboard.ts";
import { gate } from "./gate.ts";
import { http } from "./http.ts";
import { httpLoad } from "./http-load.ts";
import { importing } from "./import.ts";
import { printTable, type Row } from "./measure.ts";
import { now } from "./now.ts";
import { report } from "./report.ts";
import { start } from "./start.ts";
import { stdio } from "./stdio.ts";

const all = { report, stdio, gate, start, costs, now, import: importing, http, httpLoad, dashboard };
const named = process.argv.slice(2).filter((word) => Object.hasOwn(all, word));

const rows: Row[] = [];
for (const [name, benchmark] of Object.entries(all)) {
  if (named.length > 0 && !named.includes(name)) continue;
  console.error(`${name} ...`);
  rows.push(...(await benchmark()));
}
printTable(rows);
