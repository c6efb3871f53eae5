// The limits that bear on an agent: its own, its team's and the workspace's, as bars, and more for a while if need be.
import { grantMore } from "../actions.ts";
import { mayAct } from "../api.ts";
import { el, name } from "../dom.ts";
import { amount } from "../format.ts";
import { meter } from "../marks.ts";
import type { PageContext } from "../page.ts";
import { dataTable } from "../table.ts";
import type { AgentData, AgentPart } from "./agent.ts";

/** A line of GET /api/v1/limits; without a limit it tells what is spent anyway. */
export type AgentLimit = {
  readonly scope: string;
  readonly scope_id: string;
  readonly window: string;
  readonly measure: string;
  readonly limit: number | null;
  readonly spent: number;
  readonly held: number;
  readonly resets_at?: string | null;
};

export function limitsPart({ me, clock }: PageContext, id: string, again: () => void): AgentPart {
  const starts = ({ resets_at }: AgentLimit) => (resets_at ? clock.dateTime(resets_at) : "–");
  const table = dataTable<AgentLimit>({
    caption: "Limits of an agent",
    // A limit that comes or goes brings or takes the button.
    keyOf: (row) => `${titleOf(row)} ${row.limit === null}`,
    empty: "No limit over many sessions bears on this agent: set dailyCostLimitUsd or quotas for it in astra.yml.",
    csv: true,
    columns: [
      { title: "Limit", value: titleOf, cell: (row) => el("span", {}, `${row.scope} `, name(row.scope_id)) },
      { title: "Window", value: ({ window }) => window },
      { title: "Used", value: shareOf, cell: used },
      { title: "Starts anew", value: ({ resets_at }) => resets_at ?? null, cell: starts },
      ...(mayAct(me)
        ? [{ title: "Actions", value: () => null, buttons: (row: () => AgentLimit) => buttonsOf(row, again) }]
        : []),
    ],
  });
  return {
    element: el("section", { "aria-labelledby": "limits" }, el("h2", { id: "limits" }, "Limits"), table.element),
    show(data) {
      table.update(data.limits.filter((limit) => bearsOn(limit, id, data)));
    },
  };
}

const titleOf = ({ scope, scope_id, window, measure }: AgentLimit): string =>
  `${scope} ${scope_id} ${window} ${measure}`;

const shareOf = ({ limit, spent, held }: AgentLimit): number | null =>
  limit === null ? null : limit > 0 ? (spent + held) / limit : 1;

function bearsOn({ scope, scope_id }: AgentLimit, id: string, { own }: AgentData): boolean {
  if (scope === "workspace") return true;
  return (scope === "agent" && scope_id === id) || (scope === "team" && own !== null && scope_id === own.team_id);
}

function used(row: AgentLimit): HTMLElement {
  const { limit } = row;
  if (limit === null) return el("span", { class: "faint" }, `no limit, ${amount(row.measure, row.spent)} spent`);
  return meter(titleOf(row), { ...row, limit });
}

function buttonsOf(row: () => AgentLimit, again: () => void): HTMLElement[] {
  const { scope, scope_id, window, limit } = row();
  if (limit === null) return [];
  const raise = async () => {
    const now = row();
    if (now.limit !== null && (await grantMore({ ...now, limit: now.limit }))) again();
  };
  const label = `Raise the ${window} limit of ${scope} ${scope_id}`;
  return [el("button", { type: "button", "aria-label": label, onclick: raise }, "Raise")];
}
