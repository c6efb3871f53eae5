// What an agent used in each hour of a calendar day, week or month: a chart and its table.
import { columnChart } from "../chart.ts";
import { el, put } from "../dom.ts";
import { type Clock, compact, number } from "../format.ts";
import { usd } from "../marks.ts";
import { dataTable } from "../table.ts";
import type { AgentPart } from "./agent.ts";

/** GET /leaderboard/{agent_id}. */
export type AgentHours = {
  readonly period: string;
  readonly totals: Used;
  readonly hours: readonly (Used & { readonly hour: string; readonly startsAt: string })[];
};
type Used = {
  readonly cost: number;
  readonly tokens: number;
  readonly toolCalls: number;
  readonly executions: number;
  readonly successes: number;
};
type Hour = AgentHours["hours"][number];

/** Of hours: within a day, and by whole days. */
const HOUR_STEPS = [1, 2, 3, 6, 12, 24, 48, 72, 120, 168, 240];

export function hoursPart(clock: Clock, periods: HTMLElement): AgentPart {
  const table = dataTable<Hour>({
    caption: "Hours of an agent",
    keyOf: ({ startsAt }) => startsAt,
    empty: "Nothing was used in this period.",
    csv: true,
    columns: [
      { title: "Hour", value: ({ hour }) => hour, cell: ({ startsAt }) => clock.dateTime(startsAt) },
      { title: "Cost", kind: "number", value: ({ cost }) => cost, cell: ({ cost }) => usd(cost) },
      { title: "Tokens", kind: "number", value: ({ tokens }) => tokens, cell: ({ tokens }) => number(tokens) },
      { title: "Tool calls", kind: "number", value: ({ toolCalls }) => toolCalls },
      { title: "Ended sessions", kind: "number", value: ({ executions }) => executions },
      { title: "Successes", kind: "number", value: ({ successes }) => successes },
    ],
  });
  const chart = columnChart<Hour>({ title: "Cost by hour", table, labelSteps: HOUR_STEPS });
  const totals = el("p", { class: "hint" });
  return {
    element: el(
      "section",
      { "aria-labelledby": "hours" },
      el("div", { class: "row picker" }, el("h2", { id: "hours" }, "Hours"), periods),
      totals,
      chart.element,
    ),
    show({ hours: { period, totals: all, hours } }) {
      const short = period === "day" ? clock.hour : clock.shortDay;
      const columns = hours.map(({ startsAt }) => ({ label: clock.dateTime(startsAt), short: short(startsAt) }));
      chart.update({ columns, series: [{ key: "cost", values: hours.map(({ cost }) => cost) }] }, hours.filter(isUsed));
      put(
        totals,
        usd(all.cost),
        `, ${compact(all.tokens)} tokens, ${number(all.toolCalls)} tool calls, `,
        `${number(all.executions)} ended sessions, ${number(all.successes)} of them with success`,
      );
    },
    close: chart.close,
  };
}

const isUsed = ({ cost, tokens, toolCalls, executions }: Hour): boolean =>
  cost !== 0 || tokens > 0 || toolCalls > 0 || executions > 0;
