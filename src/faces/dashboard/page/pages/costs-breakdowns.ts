// The range's costs by each attribution, as tables that sort, with what each name's share of the total is.
import { ATTRIBUTES, type Attribute, addressOf, type CostQuestion } from "../cost-question.ts";
import { el, name } from "../dom.ts";
import { shareOf } from "../format.ts";
import { agentLink, usd } from "../marks.ts";
import { pageLink } from "../page.ts";
import { dataTable } from "../table.ts";
import type { Costs, CostsPart, Sums } from "./costs.ts";

type Row = {
  readonly key: string;
  readonly cost: number;
  readonly share: number | null;
  readonly question: CostQuestion;
};

export function breakdownsPart(): CostsPart {
  const parts = ATTRIBUTES.map(breakdown);
  const element = el("div", { class: "columns" }, ...parts.map((part) => part.element));
  return {
    element,
    show(data) {
      // The chart's place says what to do where nothing was spent; seven empty tables say no more.
      element.hidden = Object.keys(sumsOf(data.costs, "agent")).length === 0;
      for (const part of parts) part.show(data);
    },
  };
}

function breakdown(attribute: Attribute): CostsPart {
  const id = `by-${attribute}`;
  const table = dataTable<Row>({
    caption: `Costs by ${attribute}`,
    keyOf: ({ key }) => key,
    empty: "Nothing was spent in this range.",
    sortedBy: "Cost",
    csv: true,
    columns: [
      { title: capital(attribute), value: ({ key }) => key, cell: (row) => linked(attribute, row) },
      { title: "Cost", kind: "number", value: ({ cost }) => cost, cell: ({ cost }) => usd(cost) },
      { title: "Share", kind: "number", value: ({ share }) => share, cell: ({ share }) => shareOf(share) },
    ],
  });
  return {
    element: el(
      "section",
      { class: "breakdown", "aria-labelledby": id },
      el("h2", { id }, `By ${attribute}`),
      table.element,
    ),
    show({ costs, question }) {
      table.update(rowsOf(sumsOf(costs, attribute), costs.totalCost, question));
    },
  };
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

function sumsOf(costs: Costs, attribute: Attribute): Sums {
  const { byAgent, byProvider, byModel, byTool, byTeam, byRole, byTask } = costs;
  const all = {
    agent: byAgent,
    provider: byProvider,
    model: byModel,
    tool: byTool,
    team: byTeam,
    role: byRole,
    task: byTask,
  };
  return all[attribute] ?? {};
}

const rowsOf = (sums: Sums, total: number | null, question: CostQuestion): Row[] =>
  Object.entries(sums).map(([key, cost]) => ({ key, cost, share: total ? cost / total : null, question }));

/** An agent has its page; every other name narrows the costs to it. Those in parentheses are no names. */
function linked(attribute: Attribute, { key, question }: Row): HTMLElement {
  if (key.startsWith("(")) return name(key);
  if (attribute === "agent") return agentLink(key);
  const only = { ...question.only, [attribute]: key };
  return el("a", { href: pageLink("costs", addressOf({ ...question, only })) }, name(key));
}
