// What an operator must see first: stops in force, and incidents nobody looked at.
import { resumeSpending } from "../actions.ts";
import { mayAct } from "../api.ts";
import { el, name, put } from "../dom.ts";
import type { Stop } from "../now-state.ts";
import { type PageContext, pageLink } from "../page.ts";
import type { Part } from "./now.ts";

export function noticesPart({ me, clock }: PageContext): Part {
  const element = el("section", { class: "notices", "aria-label": "Notices" });
  const stopLine = (stop: Stop) =>
    el(
      "div",
      { class: "notice bad" },
      el(
        "span",
        {},
        el("strong", {}, stop.scope === "workspace" ? "All spending is stopped" : `Stopped: ${stop.scope} `),
        stop.scope === "workspace" ? null : name(stop.scope_id),
        ` since ${clock.dateTime(stop.created_at)}: `,
        name(stop.reason),
      ),
      mayAct(me) ? el("button", { type: "button", onclick: () => resumeSpending(stop) }, "Resume") : null,
    );
  return {
    element,
    of: ["stops", "open_incidents", "incidents"],
    show(now) {
      const newest = now.incidents[0];
      const count = now.open_incidents;
      const incidents =
        newest === undefined
          ? null
          : el(
              "div",
              { class: "notice warn" },
              el(
                "span",
                {},
                el("strong", {}, count === 1 ? "1 open incident" : `${count} open incidents`),
                ", the newest: ",
                name(newest.message),
              ),
              el("a", { href: pageLink("incidents") }, "Look"),
            );
      put(element, ...now.stops.map(stopLine), incidents);
      element.hidden = element.childElementCount === 0;
    },
  };
}
