// Teams: what each may spend in a day and on a task; operators change the day's limit here.
import { changeTeamLimit } from "../actions.ts";
import { mayAct } from "../api.ts";
import { el, name } from "../dom.ts";
import { amount } from "../format.ts";
import type { PageContext } from "../page.ts";
import { dataTable } from "../table.ts";

export type PolicyTeam = {
  readonly team_id: string;
  readonly daily_cost_limit_usd: number | null;
  readonly task_cost_limit_usd: number | null;
};

export function teamsPart({ me }: PageContext, again: () => void) {
  const table = dataTable<PolicyTeam>({
    caption: "Teams and their limits",
    keyOf: ({ team_id }) => team_id,
    empty: "There is no team. List teams and who is in them under teams: and agents: in astra.yml.",
    csv: true,
    columns: [
      { title: "Team", value: ({ team_id }) => team_id, cell: ({ team_id }) => name(team_id) },
      {
        title: "A day",
        kind: "number",
        value: (team) => team.daily_cost_limit_usd,
        cell: (team) => amount("cost_usd", team.daily_cost_limit_usd),
      },
      {
        title: "Each task",
        kind: "number",
        value: (team) => team.task_cost_limit_usd,
        cell: (team) => amount("cost_usd", team.task_cost_limit_usd),
      },
      ...(mayAct(me) ? [{ title: "Actions", value: () => null, buttons: changeButton }] : []),
    ],
  });

  function changeButton(row: () => PolicyTeam): HTMLElement[] {
    const label = `Change the daily limit of team ${row().team_id}`;
    const change = () => changeTeamLimit(row()).then(again);
    return [el("button", { type: "button", "aria-label": label, onclick: change }, "Change")];
  }
  return {
    element: el("section", { "aria-labelledby": "teams" }, el("h2", { id: "teams" }, "Teams"), table.element),
    show: table.update,
  };
}
