// Which agent this is, and its stop: put on it or lifted.
import { resumeSpending, stopSpending } from "../actions.ts";
import { mayAct } from "../api.ts";
import { el, name, put } from "../dom.ts";
import { type PageContext, pageLink } from "../page.ts";
import type { AgentPart } from "./agent.ts";

export function headPart({ me, live }: PageContext, id: string): AgentPart {
  const of = el("span", {});
  const stopped = el("div", { class: "last" });
  const showStop = () => {
    const stop = live.now.stops?.find(({ scope, scope_id }) => scope === "agent" && scope_id === id);
    if (stop) {
      const lift = el("button", { type: "button", onclick: () => resumeSpending(stop) }, "Resume");
      const because = el("span", {}, el("strong", {}, "Stopped: "), name(stop.reason));
      put(stopped, el("div", { class: "notice bad" }, because, mayAct(me) ? lift : null));
    } else if (mayAct(me)) {
      const halt = () => stopSpending({ kind: "agent", id });
      put(stopped, el("button", { type: "button", class: "danger", onclick: halt }, "Stop this agent"));
    } else put(stopped);
  };
  // A new stop comes with the stream; a button that has the focus is left alone by all else.
  let shown = live.now.stops;
  const off = live.on("now", () => {
    if (live.now.stops === shown) return;
    shown = live.now.stops;
    showStop();
  });
  showStop();
  return {
    element: el(
      "section",
      { class: "row picker", "aria-labelledby": "agent" },
      el("h2", { id: "agent" }, name(id)),
      of,
      el("a", { href: pageLink("agents") }, "All agents"),
      el("a", { href: pageLink("costs", { agent: id }) }, "Its costs"),
      stopped,
    ),
    show({ own }) {
      if (own) put(of, "Team ", name(own.team_id, "none"), ", role ", name(own.role, "none"));
      else put(of, "astra.yml does not list this agent.");
    },
    close: off,
  };
}
