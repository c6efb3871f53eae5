// Agents: the budget that a session of each gets, from its own lines, its role's or the hard caps.
import {
  BUDGET_FIELDS,
  BUDGET_TITLES,
  type BudgetField,
  type BudgetOut,
  budgetText,
  limitText,
} from "../budget-words.ts";
import { el, name } from "../dom.ts";
import { agentLink } from "../marks.ts";
import { type Column, dataTable } from "../table.ts";

export type PolicyAgent = {
  readonly agent_id: string;
  readonly role: string | null;
  readonly team_id: string | null;
  readonly budget: BudgetOut;
  /** Where each field comes from. */
  readonly sources: Readonly<Record<string, string>>;
  readonly daily_cost_limit_usd: number | null;
};

export function agentsPart() {
  const table = dataTable<PolicyAgent>({
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
        cell: (agent) => limitText(agent.daily_cost_limit_usd),
      },
      ...BUDGET_FIELDS.map(budgetColumn),
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
    show: table.update,
  };
}

function budgetColumn(field: BudgetField): Column<PolicyAgent> {
  return {
    title: BUDGET_TITLES[field],
    kind: "number",
    value: ({ budget }) => budget[field] ?? null,
    cell: ({ budget, sources }) => el("span", { title: sources[field] }, budgetText(field, budget[field])),
  };
}
