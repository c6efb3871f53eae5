// Each cap as a bar: what is spent and held of it, when it will be reached, and more for a while if need be.
import { changeTeamLimit, grantMore } from "../actions.ts";
import { mayAct } from "../api.ts";
import { el, name, put } from "../dom.ts";
import { mark, meter } from "../marks.ts";
import type { Limit } from "../now-state.ts";
import type { PageContext } from "../page.ts";
import { dataTable } from "../table.ts";
import type { Part } from "./now.ts";

export function limitsPart({ me, clock }: PageContext): Part {
  const more = el("p", { class: "hint" });
  const table = dataTable<Limit>({
    caption: "Limits and what stands against them",
    keyOf: ({ scope, scope_id, window, measure }) => JSON.stringify([scope, scope_id, window, measure]),
    empty:
      "No limit is set over more than one session. Set dailyCostLimitUsd for the workspace, a team or an agent in astra.yml: it takes effect when the file is saved.",
    columns: [
      { title: "Limit", value: titleOf, cell: (row) => el("span", {}, `${row.scope} `, name(row.scope_id)) },
      { title: "Window", value: ({ window }) => window },
      { title: "Used", value: ({ share }) => share, cell: (row) => meter(titleOf(row), row) },
      { title: "State", value: ({ state }) => state, cell: ({ state }) => mark(state) },
      { title: "Reached", value: ({ reached_at }) => reached_at, cell: (row) => reached(row) },
      ...(mayAct(me) ? [{ title: "Actions", value: () => null, buttons: (row: () => Limit) => buttonsOf(row) }] : []),
    ],
  });
  const reached = ({ reached_at, resets_at, state }: Limit): string => {
    if (state === "over") return resets_at === null ? "now" : `now; starts anew ${clock.dateTime(resets_at)}`;
    return reached_at === null ? "not at this pace" : `${clock.dateTime(reached_at)} at this pace`;
  };
  return {
    element: el("section", { "aria-labelledby": "limits" }, el("h2", { id: "limits" }, "Limits"), table.element, more),
    of: ["limits", "limits_left_out"],
    show({ limits, limits_left_out }) {
      table.update(limits);
      put(more, limits_left_out > 0 ? `The fullest are shown; ${limits_left_out} more are not.` : null);
    },
  };
}

const titleOf = ({ scope, scope_id, window, measure }: Limit): string => `${scope} ${scope_id} ${window} ${measure}`;

function buttonsOf(row: () => Limit): HTMLElement[] {
  const grant = el(
    "button",
    {
      type: "button",
      "aria-label": `Raise the limit of ${row().scope} ${row().scope_id}`,
      onclick: () => grantMore(row()),
    },
    "Raise",
  );
  const { scope, window, measure } = row();
  if (scope !== "team" || window !== "day" || measure !== "cost_usd") return [grant];
  const change = el(
    "button",
    {
      type: "button",
      "aria-label": `Change the daily limit of team ${row().scope_id}`,
      onclick: () => changeTeamLimit({ team_id: row().scope_id, daily_cost_limit_usd: row().limit }),
    },
    "Change",
  );
  return [grant, change];
}
