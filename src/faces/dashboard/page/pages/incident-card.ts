// An incident: what happened, the numbers it was raised for, what it stopped, and who looked at it.
import { resumeSpending } from "../actions.ts";
import { mayAct } from "../api.ts";
import { type Child, el, name } from "../dom.ts";
import { type Fact, factsOf, words } from "../evidence.ts";
import { agentLink, mark } from "../marks.ts";
import type { Incident, Stop } from "../now-state.ts";
import { type PageContext, pageLink } from "../page.ts";

/** An incident with the stop it made, while that is in force. */
export type Shown = { readonly incident: Incident; readonly stop: Stop | null };

type Doings = { again(): Promise<void>; acknowledge(incident: Incident): Promise<void> };

export function incidentCard({ me, clock }: PageContext, doings: Doings): (row: Shown) => readonly Child[] {
  return ({ incident, stop }) => {
    const facts = factsOf(incident.evidence, clock);
    return [
      el("h3", {}, name(incident.message)),
      el(
        "p",
        { class: "facts" },
        mark(incident.state),
        ` ${words(incident.kind)}, ${clock.dateTime(incident.raised_at)}. About ${incident.scope} `,
        incident.scope === "session" ? sessionLink(incident.scope_id) : name(incident.scope_id),
        ...(incident.agent_id === null ? [] : ["; agent ", agentLink(incident.agent_id)]),
        ...(incident.session_id === null || incident.scope === "session"
          ? []
          : ["; ", sessionLink(incident.session_id, "its session")]),
      ),
      el("dl", { class: "evidence" }, ...facts.map(factLine)),
      acknowledged(incident),
      stopLine(incident, stop),
      mayAct(me) ? buttons(incident, stop, doings) : null,
    ];

    function acknowledged({ acknowledged_at, acknowledged_by, note }: Incident): Child {
      if (!acknowledged_at) return null;
      return el(
        "p",
        {},
        `Seen ${clock.dateTime(acknowledged_at)} by `,
        name(acknowledged_by),
        ...(note ? [": ", name(note)] : ["."]),
      );
    }
  };
}

const sessionLink = (id: string, text?: string): HTMLElement =>
  el("a", { href: pageLink("swarms", { session: id }) }, text ?? name(id));

const factLine = ({ name: title, text, session }: Fact): HTMLElement =>
  el("div", {}, el("dt", {}, title), el("dd", {}, session === undefined ? name(text) : sessionLink(session)));

function stopLine({ stop_id }: Incident, stop: Stop | null): Child {
  if (stop_id === null) return null;
  if (stop === null) return el("p", {}, "It made a stop, which was lifted since.");
  return el("p", {}, mark("stopped"), ` It stopped ${stop.scope} `, name(stop.scope_id), ": ", name(stop.reason));
}

function buttons(incident: Incident, stop: Stop | null, { again, acknowledge }: Doings): Child {
  const seen =
    incident.state === "open"
      ? el("button", { type: "button", onclick: () => acknowledge(incident) }, "Acknowledge")
      : null;
  const resume =
    stop === null ? null : el("button", { type: "button", onclick: () => resumeSpending(stop).then(again) }, "Resume");
  if (!seen && !resume) return null;
  for (const button of [seen, resume])
    button?.setAttribute("aria-label", `${button.textContent}: ${words(incident.kind)} of ${incident.scope_id}`);
  return el("div", { class: "row" }, seen, resume);
}
