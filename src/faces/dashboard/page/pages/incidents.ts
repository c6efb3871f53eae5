// Incidents: what an operator should look at, why, what it stopped, and who was told.
import { acknowledge } from "../actions-incidents.ts";
import { read } from "../api.ts";
import { cardList } from "../cards.ts";
import { choice } from "../choice.ts";
import { el } from "../dom.ts";
import { INCIDENT_KINDS, words } from "../evidence.ts";
import type { Incident, Stop } from "../now-state.ts";
import { type Page, type PageContext, showInAddress } from "../page.ts";
import { type Paged, pagedList } from "../paged.ts";
import { deliveriesPart } from "./deliveries.ts";
import { incidentCard, type Shown } from "./incident-card.ts";

const STATES = ["open", "acknowledged"];

export function incidentsPage(context: PageContext): Page {
  const { live, params } = context;
  const filter = { state: params.get("state") ?? "open", kind: params.get("kind") ?? "" };
  const filterBy = (name: keyof typeof filter, label: string, all: readonly string[]) =>
    choice({
      label,
      value: filter[name],
      options: options(all),
      picked(value) {
        filter[name] = value;
        showInAddress("incidents", filter);
        list.restart();
      },
    });
  const cards = cardList<Shown>({
    label: "Incidents",
    keyOf: ({ incident }) => incident.incident_id,
    card: incidentCard(context, {
      again: () => list.again(),
      acknowledge: async (incident) => {
        if (await acknowledge(incident)) await list.again();
      },
    }),
    empty:
      "No such incident. Spikes, retry loops, red flags and caps about to be hit appear here; what is looked for is set under incidents: in astra.yml.",
  });
  const list: Paged = pagedList<Shown>(live, {
    view: cards,
    step: 20,
    async read(page) {
      const [{ incidents, next_cursor }, { stops }] = await Promise.all([
        read<{ incidents: Incident[]; next_cursor: string | null }>("/api/v1/incidents", { ...page, ...filter }),
        read<{ stops: Stop[] }>("/api/v1/stops", { limit: 500 }),
      ]);
      const inForce = new Map(stops.map((stop) => [stop.stop_id, stop]));
      const rows = incidents.map((incident) => ({ incident, stop: inForce.get(incident.stop_id ?? "") ?? null }));
      return { rows, next: next_cursor };
    },
  });
  const deliveries = deliveriesPart(context);
  return {
    element: el(
      "div",
      { class: "page" },
      el(
        "section",
        { "aria-labelledby": "incidents" },
        el("h2", { id: "incidents" }, "What to look at"),
        el(
          "div",
          { class: "row filters" },
          filterBy("state", "State", STATES),
          filterBy("kind", "Kind", INCIDENT_KINDS),
        ),
        list.element,
      ),
      deliveries.element,
    ),
    close() {
      list.close();
      deliveries.close();
    },
  };
}

/** Words to choose from, and all of them. */
const options = (all: readonly string[]) => [
  { value: "", title: "all" },
  ...all.map((value) => ({ value, title: words(value) })),
];
