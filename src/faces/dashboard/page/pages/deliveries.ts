// Which incidents were sent to which webhook, and what came of it; not shown where nothing was ever sent.
import { type Delivery, sendAgain } from "../actions-incidents.ts";
import { mayAct, read } from "../api.ts";
import { el, name } from "../dom.ts";
import { mark } from "../marks.ts";
import type { PageContext } from "../page.ts";
import { pagedList } from "../paged.ts";
import { dataTable } from "../table.ts";

export function deliveriesPart({ me, live, clock }: PageContext) {
  const table = dataTable<Delivery>({
    caption: "Deliveries to webhooks",
    keyOf: ({ delivery_id }) => delivery_id,
    empty: "Nothing was sent.",
    csv: true,
    columns: [
      { title: "Made", value: ({ created_at }) => created_at, cell: ({ created_at }) => clock.dateTime(created_at) },
      { title: "Webhook", value: ({ webhook_id }) => webhook_id, cell: ({ webhook_id }) => name(webhook_id) },
      { title: "State", value: ({ state }) => state, cell: ({ state }) => mark(state) },
      { title: "Attempts", kind: "number", value: ({ attempts }) => attempts },
      { title: "Last result", value: ({ last_result }) => last_result, cell: ({ last_result }) => name(last_result) },
      {
        title: "Next attempt",
        value: ({ next_attempt_at }) => next_attempt_at,
        cell: ({ next_attempt_at }) => (next_attempt_at === null ? "–" : clock.dateTime(next_attempt_at)),
      },
      {
        title: "Incident",
        value: ({ incident_id }) => incident_id,
        cell: ({ incident_id }) => name(incident_id),
      },
      ...(mayAct(me) ? [{ title: "Actions", value: () => null, buttons: sendAgainButton }] : []),
    ],
  });
  const list = pagedList<Delivery>(live, {
    view: {
      element: table.element,
      update(rows) {
        element.hidden = rows.length === 0;
        table.update(rows);
      },
    },
    step: 20,
    async read(page) {
      const { deliveries, next_cursor } = await read<{ deliveries: Delivery[]; next_cursor: string | null }>(
        "/api/v1/webhooks/deliveries",
        page,
      );
      return { rows: deliveries, next: next_cursor };
    },
  });
  const element = el(
    "section",
    { "aria-labelledby": "deliveries", hidden: true },
    el("h2", { id: "deliveries" }, "Webhook deliveries"),
    list.element,
  );

  function sendAgainButton(row: () => Delivery): HTMLElement[] {
    const label = `Send again: message to ${row().webhook_id}`;
    const again = () => sendAgain(row()).then(() => list.again());
    return [el("button", { type: "button", "aria-label": label, onclick: again }, "Send again")];
  }
  return { element, close: list.close };
}
