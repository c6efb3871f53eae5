// Costs as text for a person at a terminal, and as one flat table for a spreadsheet.
import { nanoFromUsd, usdText } from "../core/money.ts";
import { CSV_LINE_END, csvLine, guarded } from "./csv.ts";
import { bar, type Column, counted, dollars, shownText, table } from "./table.ts";
import { type Answer, count, type Line, money, text } from "./terminal-columns.ts";

export function costsText(answer: Answer): string {
  const total = Number(answer.total_cost_usd);
  const tokens = `${counted(answer.total_input_tokens, "input token")} and ${counted(answer.total_output_tokens, "output token")}`;
  const parts = [
    `${dollars(total)} from ${answer.start_date} to ${answer.end_date}, ${tokens}, ${counted(answer.charges, "charge")}`,
    ...doubts(answer),
    ...forecastText(answer.forecast as Forecast | null),
  ];
  for (const [name, costs] of breakdownsOf(answer))
    if (Number(answer.charges) > 0) parts.push(breakdown(name, costs, total));
  if (Array.isArray(answer.tree)) parts.push(treeText(answer.tree as Line[]));
  parts.push(sessionsText(answer));
  return parts.join("\n\n");
}

/** How much of the total is in doubt, why, and what to do about it. */
function doubts(answer: Answer): string[] {
  const named = (names: unknown) => ((names as string[]).length > 0 ? ` (${(names as string[]).join(", ")})` : "");
  const lines: string[] = [];
  const [metered, selfReported] = [Number(answer.metered_cost_usd), Number(answer.self_reported_cost_usd)];
  if (metered > 0 && selfReported > 0)
    lines.push(
      `Self-reported only: ${dollars(selfReported)} (${percentText(selfReported / (metered + selfReported))}).`,
    );
  if (Number(answer.unpriced_charges) > 0)
    lines.push(
      `Without a price: ${counted(answer.unpriced_charges, "charge")}${named(answer.unpriced_models)}. Add their models under prices in astra.yml.`,
    );
  if (Number(answer.approximate_charges) > 0)
    lines.push(
      `Priced approximately: ${counted(answer.approximate_charges, "charge")}${named(answer.approximate_models)}. Their own prices can be set under prices in astra.yml.`,
    );
  if (Number(answer.late_charges) > 0)
    lines.push(
      `Reported late, after their session had ended: ${counted(answer.late_charges, "charge")}${named(answer.late_agents)}.`,
    );
  return lines.length > 0 ? [lines.map(shownText).join("\n")] : [];
}

/** "12 %"; a little is not told as nothing, nor nearly all as all. */
const percentText = (share: number): string => `${Math.min(99, Math.max(1, Math.round(share * 100)))} %`;

type Pace = { readonly spent_usd: number; readonly projected_usd: number | null };
type Forecast = { readonly day: Pace; readonly month: Pace; readonly caps: Line[] };

/** Where today and this month are going, and which caps bear on that. */
function forecastText(forecast: Forecast | null): string[] {
  if (forecast === null) return [];
  const pace = (name: string, { spent_usd, projected_usd }: Pace) =>
    `${name}: ${dollars(spent_usd)} so far, ${projected_usd === null ? "too early to say what by its end" : `about ${dollars(rounded(projected_usd))} by its end at this pace`}.`;
  const lines = `${pace("Today", forecast.day)}\n${pace("This month", forecast.month)}`;
  const caps = table(
    forecast.caps,
    [
      { title: "cap", align: "left", cell: (cap) => `${cap.scope} ${cap.scope_id}, ${cap.window}` },
      money("spent", "spent_usd"),
      money("of", "limit_usd"),
      { title: "used", align: "left", cell: (cap) => bar(shareOf(Number(cap.spent_usd), Number(cap.limit_usd))) },
      { title: "reached", align: "left", cell: reachedText },
    ] satisfies Column<Line>[],
    "",
  );
  return [caps === "" ? lines : `${lines}\n\n${caps}`];
}

/** A projection to the nano-dollar would look surer than it is. */
const rounded = (usd: number): number => Math.round(usd * 100) / 100;

const reachedText = (cap: Line): string => {
  if (Number(cap.spent_usd) >= Number(cap.limit_usd)) return "used up";
  return cap.reached_at === null ? "not at this pace" : String(cap.reached_at);
};

const shareOf = (part: number, whole: number): number => (whole > 0 ? part / whole : 1);

/** Breakdowns by their names; months and days come as a list, the rest by key. */
function breakdownsOf(answer: Answer): [name: string, costs: [key: string, usd: number][]][] {
  return Object.entries(answer).flatMap(([key, value]) => {
    if (!key.startsWith("by_")) return [];
    const name = key.slice(3);
    const costs = Array.isArray(value)
      ? value.map((each: Answer): [string, number] => [String(each[name]), Number(each.cost_usd)])
      : Object.entries(value as Record<string, number>);
    return [[name, costs]];
  });
}

function breakdown(name: string, costs: readonly [string, number][], total: number): string {
  const rows = costs.map(([key, cost]) => ({ key, cost, share: total > 0 ? cost / total : 0 }));
  return table(
    rows,
    [
      { title: name, align: "left", cell: (row) => row.key },
      { title: "cost", align: "right", cell: (row) => dollars(row.cost) },
      { title: "share", align: "left", cell: (row) => `${bar(row.share)} ${Math.round(row.share * 100)} %` },
    ],
    `No costs by ${name}.`,
  );
}

/** A session and those below it, each further in than its parent. */
const treeText = (tree: readonly Line[]): string =>
  table(
    tree,
    [
      { title: "agent", align: "left", cell: (row) => "  ".repeat(Number(row.depth)) + String(row.agent_name) },
      text("session", "session_id"),
      text("status", "status"),
      money("own", "cost_usd"),
      money("with all below", "tree_cost_usd"),
    ],
    "No such session.",
  );

function sessionsText(answer: Answer): string {
  const left = Number(answer.sessions_left_out);
  const sessions = table(
    answer.sessions as Line[],
    [
      text("session", "session_id"),
      text("agent", "agent_name"),
      text("task", "task_title"),
      text("status", "status"),
      money("cost", "cost_usd"),
      count("tokens", "tokens"),
      count("minutes", "duration_minutes"),
    ],
    "No sessions.",
  );
  return left > 0 ? `${sessions}\nLeft out: ${counted(left, "older session")} (--limit).` : sessions;
}

/** Every breakdown, one after the other. An answer's numbers hold nano-dollars exactly up to eight million dollars. */
export function costsCsv(answer: Answer): string {
  const rows = breakdownsOf(answer).flatMap(([name, costs]) =>
    costs.map(([key, usd]) => [name, guarded(key), exactUsd(usd)]),
  );
  return [["dimension", "key", "cost_usd"], ...rows].map((row) => csvLine(row) + CSV_LINE_END).join("");
}

const exactUsd = (usd: number): string => (usd < 0 ? `-${usdText(nanoFromUsd(-usd))}` : usdText(nanoFromUsd(usd)));
