// Rankings and ledgers as text for a person at a terminal.
import { bar, type Column, counted, dollars, shownText, table } from "./table.ts";
import { type Answer, count, cut, type Line, money, text } from "./terminal-columns.ts";

const numberOf = (row: Line, key: string): number | null =>
  row[key] === null || row[key] === undefined ? null : Number(row[key]);

const percent = (title: string, key: string): Column<Line> => ({
  title,
  align: "right",
  cell: (row) => {
    const share = numberOf(row, key);
    return share === null ? "-" : `${Math.round(share * 100)} %`;
  },
});

const fitness: Column<Line> = {
  title: "fitness",
  align: "left",
  cell: (row) => {
    const share = numberOf(row, "fitness");
    return share === null ? "-" : `${bar(share)} ${share.toFixed(3)}`;
  },
};

const seconds = (title: string, key: string): Column<Line> => ({
  title,
  align: "right",
  cell: (row) => {
    const ms = numberOf(row, key);
    return ms === null
      ? "-"
      : `${(ms / 1000).toLocaleString("en-US", { minimumFractionDigits: 1, maximumFractionDigits: 1 })} s`;
  },
});

/** What of the largest. */
const barOf = (rows: readonly Line[], key: string): Column<Line> => {
  const most = Math.max(...rows.map((row) => Number(row[key] ?? 0)));
  return { title: "", align: "left", cell: (row) => bar(most > 0 ? Number(row[key] ?? 0) / most : 0) };
};

/** The sorted column is the one to look at. */
const SORTED = { cost: "cost_usd", tokens: "tokens", executions: "executions", success: "success_rate" } as const;

export function topText(answer: Answer): string {
  const rows = answer.agents as Line[];
  const days =
    answer.start_date === answer.end_date ? `${answer.start_date}` : `${answer.start_date} to ${answer.end_date}`;
  const sorted = SORTED[answer.sort as keyof typeof SORTED];
  const columns = [
    count("", "rank"),
    text("agent", "agent_id"),
    ...(sorted ? [barOf(rows, sorted)] : []),
    money("cost", "cost_usd"),
    count("tokens", "tokens"),
    count("executions", "executions"),
    percent("success", "success_rate"),
    seconds("latency", "latency_mean_ms"),
    fitness,
  ];
  const shown = table(rows, columns, "No agent spent or finished anything in this time.");
  const left = Number(answer.agents_left_out);
  return [
    shownText(`By ${answer.sort}, ${days}`),
    "",
    shown,
    ...(left > 0 ? [`Left out: ${counted(left, "agent")} (--limit).`] : []),
  ].join("\n");
}

export function hoursText(answer: Answer): string {
  const rows = answer.hours as Line[];
  const { cost_usd, tokens, tool_calls, executions } = answer.totals as Line;
  const columns = [
    text("hour", "hour"),
    barOf(rows, "cost_usd"),
    money("cost", "cost_usd"),
    count("tokens", "tokens"),
    count("tool calls", "tool_calls"),
    count("executions", "executions"),
    count("successes", "successes"),
  ];
  const sum = `${dollars(Number(cost_usd))}, ${counted(tokens, "token")}, ${counted(tool_calls, "tool call")}, ${counted(executions, "execution")}`;
  return `${shownText(`Agent ${answer.agent_id}, ${answer.starts_at} to ${answer.ends_at}`)}: ${sum}\n\n${table(rows, columns, "No hours.")}`;
}

export function executionsText(answer: Answer): string {
  const columns = [
    text("session", "session_id"),
    text("agent", "agent_id"),
    text("role", "role"),
    text("user", "user_id"),
    text("outcome", "outcome"),
    text("ended", "ended_at"),
    seconds("latency", "latency_ms"),
    money("cost", "cost_usd"),
    count("tool calls", "tool_calls"),
    count("errors", "errors"),
    { title: "score", align: "right", cell: (row) => Number(row.score).toFixed(3) } satisfies Column<Line>,
    { title: "error", align: "left", cell: (row) => cut(String(row.error ?? "-"), 60) } satisfies Column<Line>,
  ];
  return table(answer.executions as Line[], columns, "No session has ended yet.") + more(answer);
}

const LEDGER: readonly Column<Line>[] = [
  count("executions", "executions"),
  percent("success", "success_rate"),
  seconds("latency", "latency_mean_ms"),
  seconds("p50", "latency_p50_ms"),
  seconds("p95", "latency_p95_ms"),
  count("input tokens", "input_tokens"),
  count("output tokens", "output_tokens"),
  money("cost", "cost_usd"),
  fitness,
];

export function rolesText(answer: Answer): string {
  return table(answer.roles as Line[], [text("role", "role"), ...LEDGER], "No session has ended yet.") + more(answer);
}

export function userRolesText(answer: Answer): string {
  const columns = [text("user", "user_id"), text("role", "role"), ...LEDGER];
  return table(answer.user_roles as Line[], columns, "No session has ended yet.") + more(answer);
}

const more = ({ next_cursor: cursor }: Answer): string =>
  cursor === null ? "" : `\nThere is more: --cursor ${shownText(String(cursor))}`;
