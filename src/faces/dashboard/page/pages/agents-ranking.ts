// The leaderboard: what each agent used in a calendar day, week or month, and how well it did.
import { read } from "../api.ts";
import { choice } from "../choice.ts";
import { el, put } from "../dom.ts";
import { compact, duration, number, shareOf } from "../format.ts";
import { agentLink, usd } from "../marks.ts";
import { kept, type Page, type PageContext, showInAddress } from "../page.ts";
import { periodChoice, periodIn } from "../period.ts";
import { dataTable } from "../table.ts";

/** A line of GET /leaderboard. */
type Agent = {
  readonly rank: number;
  readonly agentId: string;
  readonly cost: number;
  readonly charges: number;
  readonly tokens: number;
  readonly toolCalls: number;
  readonly executions: number;
  readonly successRate: number | null;
  readonly latencyMeanMs: number | null;
  readonly fitness: number | null;
};
type Leaderboard = { readonly agents: readonly Agent[]; readonly agentsLeftOut: number };

const SORTS = {
  cost: "cost",
  tokens: "tokens",
  executions: "ended sessions",
  success: "success rate",
  fitness: "fitness",
} as const;
type Sort = keyof typeof SORTS;

/** The most that the server tells at once. */
const MOST_AGENTS = 100;

export function rankingPage({ live, params }: PageContext): Page {
  const asked = params.get("sort") ?? "";
  let sort: Sort = Object.hasOwn(SORTS, asked) ? (asked as Sort) : "cost";
  let period = periodIn(params, "month");
  const table = rankingTable();
  const more = el("p", { class: "hint" });
  const fresh = kept(
    live,
    () => read<Leaderboard>("/leaderboard", { period, sort, limit: MOST_AGENTS }),
    ({ agents, agentsLeftOut }) => {
      table.update(agents);
      put(more, agentsLeftOut > 0 ? `${agentsLeftOut} more agents are not shown: rank by something else.` : null);
    },
  );
  const again = () => {
    showInAddress("agents", { period, sort });
    fresh.again();
  };
  const ranked = choice({
    label: "Ranked by",
    value: sort,
    options: Object.entries(SORTS).map(([value, title]) => ({ value, title })),
    picked: (value) => {
      sort = value as Sort;
      again();
    },
  });
  const periods = periodChoice(period, (value) => {
    period = value;
    again();
  });
  return {
    element: el(
      "div",
      { class: "page" },
      el("section", { class: "row picker", "aria-label": "What to show" }, periods, ranked),
      fresh.status,
      el("section", { "aria-labelledby": "ranking" }, el("h2", { id: "ranking" }, "Leaderboard"), table.element, more),
    ),
    close: fresh.close,
  };
}

const rankingTable = () =>
  dataTable<Agent>({
    caption: "Agents, ranked",
    keyOf: ({ agentId }) => agentId,
    empty: "No agent spent or ended a session in this period. Take a longer one.",
    csv: true,
    columns: [
      { title: "Rank", kind: "number", value: ({ rank }) => rank },
      { title: "Agent", value: ({ agentId }) => agentId, cell: ({ agentId }) => agentLink(agentId) },
      { title: "Cost", kind: "number", value: ({ cost }) => cost, cell: ({ cost }) => usd(cost) },
      {
        title: "Tokens",
        kind: "number",
        value: ({ tokens }) => tokens,
        cell: ({ tokens }) => el("span", { title: number(tokens) }, compact(tokens)),
      },
      { title: "Charges", kind: "number", value: ({ charges }) => charges, cell: ({ charges }) => number(charges) },
      {
        title: "Tool calls",
        kind: "number",
        value: ({ toolCalls }) => toolCalls,
        cell: ({ toolCalls }) => number(toolCalls),
      },
      {
        title: "Ended sessions",
        kind: "number",
        value: ({ executions }) => executions,
        cell: ({ executions }) => number(executions),
      },
      {
        title: "Success",
        kind: "number",
        value: ({ successRate }) => successRate,
        cell: ({ successRate }) => shareOf(successRate),
      },
      {
        title: "Mean time",
        kind: "number",
        value: ({ latencyMeanMs }) => latencyMeanMs,
        cell: ({ latencyMeanMs }) => (latencyMeanMs === null ? "–" : duration(latencyMeanMs)),
      },
      {
        title: "Fitness",
        kind: "number",
        value: ({ fitness }) => fitness,
        cell: ({ fitness }) => (fitness === null ? "–" : fitness.toFixed(3)),
      },
    ],
  });
