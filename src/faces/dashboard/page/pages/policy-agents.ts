// Agents: the budget that a session of each gets, from its own lines, its role's or the hard caps.
import { BUDGET_TITLES, type BudgetLine, budgetLines, type EffectiveBudget } from "../budget-lines.ts";
import { el, name } from "../dom.ts";
import { amount } from "../format.ts";
import { agentLink } from "../marks.ts";
import { type Column, dataTable } from "../table.ts";

export type PolicyAgent = EffectiveBudget & {
  readonly agent_id: string;
  readonly role: string | null;
  readonly team_id: string | null;
  readonly daily_cost_limit_usd: number | null;
};
type Row = PolicyAgent & { readonly lines: ReadonlyMap<string, BudgetLine> };

export function agentsPart() {
  const table = dataTable<Row>({
    caption: "Agents and the budget of their sessions",
    keyOf: ({ agent_id }) => agent_id,
    empty:
      "No agent is listed: all work by their role and the hard caps. Agents are listed under agents: in astra.yml.",
    csv: true,
    columns: [
      { title: "Agent", value: ({ agent_id }) => agent_id, cell: ({ agent_id }) => agentLink(agent_id) },
      { title: "Role", value: ({ role }) => role, cell: ({ role }) => name(role) },
      { title: "Team", value: ({ team_id }) => team_id, cell: ({ team_id }) => name(team_id) },
      {
        title: "A day",
        kind: "number",
        value: (agent) => agent.daily_cost_limit_usd,
        cell: (agent) => amount("cost_usd", agent.daily_cost_limit_usd),
      },
      ...Object.entries(BUDGET_TITLES).map(budgetColumn),
    ],
  });
  return {
    element: el(
      "section",
      { "aria-labelledby": "agents" },
      el("h2", { id: "agents" }, "Agents"),
      table.element,
      el("p", { class: "hint" }, "What a session gets. An agent's page says where each field comes from."),
    ),
    show(agents: readonly PolicyAgent[]) {
      table.update(agents.map((agent) => ({ ...agent, lines: linesOf(agent) })));
    },
  };
}

const linesOf = (agent: PolicyAgent) => new Map(budgetLines(agent).map((line) => [line.field, line]));

function budgetColumn([field, title]: [string, string]): Column<Row> {
  return {
    title,
    kind: "number",
    value: ({ lines }) => lines.get(field)?.value ?? null,
    cell({ lines }) {
      const line = lines.get(field);
      return line ? el("span", { title: `${line.exact}: ${line.source}` }, line.shown) : "–";
    },
  };
}
