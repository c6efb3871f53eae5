// What a session of an agent gets from the policy: each field of its budget, where it comes from, and its permissions.

import { type BudgetLine, budgetLines } from "../budget-lines.ts";
import { el, name, put } from "../dom.ts";
import { dataTable } from "../table.ts";
import type { AgentPart } from "./agent.ts";

/** GET /api/v1/policy, as far as an agent's page reads it. */
export type PolicyAnswer = {
  readonly agents: readonly AgentPolicy[];
  readonly hard_caps: Readonly<Record<string, number>>;
  readonly unknown_agents: string;
};
export type AgentPolicy = {
  readonly agent_id: string;
  readonly team_id: string | null;
  readonly role: string | null;
  readonly budget: Readonly<Record<string, number>>;
  readonly sources: Readonly<Record<string, string>>;
  readonly clamped: readonly { readonly field: string; readonly asked: number; readonly by: string }[];
  readonly tools: { readonly allow: readonly string[] | null; readonly deny: readonly string[] };
  readonly memory: Readonly<Record<string, boolean>>;
};

export function budgetPart(): AgentPart {
  const table = dataTable<BudgetLine>({
    caption: "Effective budget of a session",
    keyOf: ({ field }) => field,
    empty: "",
    csv: true,
    columns: [
      { title: "What", value: ({ title }) => title },
      {
        title: "At most",
        kind: "number",
        value: ({ value }) => value,
        cell: ({ shown, exact }) => el("span", { title: exact }, shown),
      },
      { title: "Comes from", value: ({ source }) => source },
      { title: "Cut down", value: ({ cut }) => cut, cell: ({ cut }) => cut ?? el("span", { class: "faint" }, "no") },
    ],
  });
  const unlisted = el("p", { class: "hint" });
  const permissions = el("div", { class: "lines" });
  return {
    element: el(
      "section",
      { "aria-labelledby": "budget" },
      el("h2", { id: "budget" }, "Budget of a session"),
      table.element,
      unlisted,
      permissions,
    ),
    show({ own, policy }) {
      table.update(budgetLines(own ?? { budget: policy.hard_caps, sources: {}, clamped: [] }));
      put(unlisted, own ? null : unlistedText(policy));
      put(permissions, ...(own ? permissionsOf(own) : []));
    },
  };
}

const unlistedText = ({ unknown_agents }: PolicyAnswer): string =>
  unknown_agents === "deny"
    ? "astra.yml does not list this agent, and denies agents that it does not list (unknownAgents: deny)."
    : "astra.yml does not list this agent: it gets the hard caps, or less where it opens a session in a role that has defaults.";

function permissionsOf({ tools, memory }: AgentPolicy): HTMLElement[] {
  const allowed = Object.keys(memory).filter((key) => memory[key]);
  const denied = Object.keys(memory).filter((key) => !memory[key]);
  const isFree = Object.keys(memory).length === 0;
  return [
    el("h3", {}, "Tools"),
    tools.allow === null
      ? el("p", {}, "May use every tool", tools.deny.length > 0 ? " that is not denied." : ".")
      : null,
    tools.allow !== null
      ? el("p", {}, "May use ", ...listed(tools.allow), tools.allow.length > 0 ? " only." : ".")
      : null,
    tools.deny.length > 0 ? el("p", {}, "May not use ", ...listed(tools.deny), ".") : null,
    el("h3", {}, "Memory"),
    isFree ? el("p", {}, "The policy says nothing about memory.") : null,
    allowed.length > 0 ? el("p", {}, "Permitted: ", ...listed(allowed), ".") : null,
    denied.length > 0 ? el("p", {}, "Not permitted: ", ...listed(denied), ".") : null,
  ].filter((line) => line !== null);
}

const listed = (names: readonly string[]): (HTMLElement | string)[] =>
  names.length === 0 ? ["no tool"] : names.flatMap((each, i) => [i === 0 ? "" : ", ", name(each)]);
