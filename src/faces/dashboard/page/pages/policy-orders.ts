// What operators ordered and is in force now: stops, and limits raised for a while.
import { resumeSpending, revokeGrant } from "../actions.ts";
import { mayAct, read } from "../api.ts";
import { el, name } from "../dom.ts";
import { amount } from "../format.ts";
import type { Grant, Stop } from "../now-state.ts";
import type { PageContext } from "../page.ts";
import { pagedList } from "../paged.ts";
import { type Column, dataTable } from "../table.ts";

export function stopsPart({ me, live, clock }: PageContext) {
  const table = dataTable<Stop>({
    caption: "All stops in force",
    keyOf: ({ stop_id }) => stop_id,
    empty: "Nothing is stopped.",
    columns: [
      { title: "Stopped", value: ({ scope }) => scope, cell: ({ scope, scope_id }) => about(scope, scope_id) },
      { title: "Since", value: ({ created_at }) => created_at, cell: ({ created_at }) => clock.dateTime(created_at) },
      {
        title: "Reason",
        value: ({ reason }) => reason,
        cell: ({ reason }) => el("div", { class: "wrap" }, name(reason)),
      },
      ...(mayAct(me) ? [action<Stop>("Resume", resumeSpending, () => list.again())] : []),
    ],
  });
  const list = pagedList<Stop>(live, {
    view: table,
    async read(page) {
      const { stops, next_cursor } = await read<{ stops: Stop[]; next_cursor: string | null }>("/api/v1/stops", page);
      return { rows: stops, next: next_cursor };
    },
  });
  return { element: part("stops", "Stops in force", list.element), again: list.again, close: list.close };
}

type GrantMade = Grant & { readonly reason: string; readonly created_by: string };

export function grantsPart({ me, live, clock }: PageContext) {
  const table = dataTable<GrantMade>({
    caption: "All limits that are raised",
    keyOf: ({ grant_id }) => grant_id,
    empty: "No limit is raised. Now has a button for it at each limit.",
    columns: [
      { title: "Limit", value: ({ scope }) => scope, cell: ({ scope, scope_id }) => about(scope, scope_id) },
      { title: "Window", value: ({ window }) => window },
      {
        title: "By",
        kind: "number",
        value: (grant) => grant.amount,
        cell: (grant) => amount(grant.measure, grant.amount),
      },
      { title: "Until", value: ({ expires_at }) => expires_at, cell: ({ expires_at }) => clock.dateTime(expires_at) },
      { title: "Who", value: ({ created_by }) => created_by, cell: ({ created_by }) => name(created_by) },
      {
        title: "Reason",
        value: ({ reason }) => reason,
        cell: ({ reason }) => el("div", { class: "wrap" }, name(reason)),
      },
      ...(mayAct(me) ? [action<GrantMade>("Take back", revokeGrant, () => list.again())] : []),
    ],
  });
  const list = pagedList<GrantMade>(live, {
    view: table,
    async read(page) {
      const { grants, next_cursor } = await read<{ grants: GrantMade[]; next_cursor: string | null }>(
        "/api/v1/grants",
        page,
      );
      return { rows: grants, next: next_cursor };
    },
  });
  return { element: part("grants", "Limits raised for a while", list.element), again: list.again, close: list.close };
}

const part = (id: string, title: string, content: HTMLElement): HTMLElement =>
  el("section", { "aria-labelledby": id }, el("h2", { id }, title), content);

const about = (scope: string, id: string): HTMLElement => el("span", {}, `${scope} `, name(id));

function action<Row extends Stop | Grant>(
  word: string,
  act: (row: Row) => Promise<boolean>,
  done: () => void,
): Column<Row> {
  const buttons = (row: () => Row) => [
    el(
      "button",
      {
        type: "button",
        "aria-label": `${word}: ${row().scope} ${row().scope_id}`,
        onclick: () => act(row()).then(done),
      },
      word,
    ),
  ];
  return { title: "Actions", value: () => null, buttons };
}
