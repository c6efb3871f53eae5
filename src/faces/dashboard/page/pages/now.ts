// Now: what is spent today against each cap, who spends at this moment, and every charge as it comes.
import { stopSpending } from "../actions.ts";
import { mayAct } from "../api.ts";
import { el, put } from "../dom.ts";
import { usd } from "../marks.ts";
import type { Now, Pace } from "../now-state.ts";
import type { Page, PageContext } from "../page.ts";
import { feedPart } from "./now-feed.ts";
import { limitsPart } from "./now-limits.ts";
import { noticesPart } from "./now-notices.ts";
import { sessionsPart } from "./now-sessions.ts";

/** A part of the page: shown again only when what it shows came anew. */
export type Part = {
  readonly element: HTMLElement;
  readonly of: readonly (keyof Now)[];
  show(now: Now): void;
  tick?(): void;
};

/** Time left, rates and ages move without any event. */
const TICK_MS = 1_000;

export function nowPage(context: PageContext): Page {
  const { live } = context;
  const head = headline(context);
  const parts: readonly Part[] = [
    noticesPart(context),
    head,
    limitsPart(context),
    sessionsPart(context),
    feedPart(context),
  ];
  const loading = el("p", { class: "hint", role: "status" }, "Loading …");
  // An empty table says that there is nothing, which nobody knows yet; but all spending can be stopped.
  for (const { element } of parts) element.hidden = element !== head.element;
  const shown = new Map<Part, Partial<Now>>();
  let frame = 0;
  const isDue = (part: Part) => part.of.some((key) => live.now[key] !== shown.get(part)?.[key]);
  const showPart = (part: Part) => {
    part.element.hidden = false;
    part.show(live.now as Now);
    // Those that were shown longest ago stand first.
    shown.delete(part);
    shown.set(part, live.now);
  };
  // However many events come, one part is shown a frame: all together they would take longer than a frame has.
  const show = () => {
    frame = 0;
    if (live.now.at === undefined) return;
    if (shown.size === 0) parts.forEach(showPart);
    loading.hidden = true;
    const [next, ...others] = [...shown.keys()].filter(isDue);
    if (next) showPart(next);
    if (others.length > 0) frame = requestAnimationFrame(show);
  };
  const off = live.on("now", () => {
    frame ||= requestAnimationFrame(show);
  });
  const timer = setInterval(() => {
    if (!document.hidden && shown.size > 0) for (const part of parts) part.tick?.();
  }, TICK_MS);
  show();
  return {
    element: el("div", { class: "page" }, loading, ...parts.map(({ element }) => element)),
    close() {
      off();
      clearInterval(timer);
      cancelAnimationFrame(frame);
    },
  };
}

function headline({ me, clock }: PageContext): Part {
  const today = el("div", { class: "figure" });
  const month = el("div", { class: "figure" });
  const open = el("div", { class: "figure" });
  const stopAll = mayAct(me)
    ? el(
        "button",
        { type: "button", class: "danger", onclick: () => stopSpending({ kind: "workspace" }) },
        "Stop all spending",
      )
    : null;
  const figure = (into: HTMLElement, title: string, pace: Pace) =>
    put(
      into,
      el("span", { class: "label" }, title),
      el("span", { class: "value" }, usd(pace.spent_usd)),
      el("span", { class: "hint" }, ...projection(pace)),
    );
  const projection = ({ projected_usd, ends_at }: Pace) =>
    projected_usd === null
      ? [`too early to project; ends ${clock.dateTime(ends_at)}`]
      : ["at this pace ", usd(projected_usd), ` by ${clock.dateTime(ends_at)}`];
  return {
    element: el("section", { class: "figures", "aria-label": "Spend" }, today, month, open, stopAll),
    of: ["today", "month", "open_sessions", "day"],
    show(now) {
      figure(today, `Today, ${clock.day(now.day)}`, now.today);
      figure(month, "This month", now.month);
      put(
        open,
        el("span", { class: "label" }, "Open sessions"),
        el("span", { class: "value" }, String(now.open_sessions)),
        el("span", { class: "hint" }, now.open_sessions === 0 ? "nobody spends" : "spending now"),
      );
    },
  };
}
