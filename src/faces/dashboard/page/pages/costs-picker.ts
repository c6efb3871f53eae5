// What the costs are asked for: a range, an attribution, and what they are narrowed to.

import { choice } from "../choice.ts";
import { ATTRIBUTES, type Attribute, addressOf, type CostQuestion, RANGES, type RangeName } from "../cost-question.ts";
import { el, name, put } from "../dom.ts";
import { pageLink } from "../page.ts";
import type { CostsPart } from "./costs.ts";

const DATES = "dates";

export function pickerPart(asked: CostQuestion, ask: (question: CostQuestion) => void): CostsPart {
  let question = asked;
  const isByDates = typeof asked.range !== "string";
  const pickRange = (value: string) => {
    dates.element.hidden = value !== DATES;
    if (value !== DATES) ask({ ...question, range: value as RangeName });
  };
  const range = choice({
    label: "Range",
    value: typeof asked.range === "string" ? asked.range : DATES,
    options: [
      ...Object.entries(RANGES).map(([value, { title }]) => ({ value, title })),
      { value: DATES, title: "Two dates …" },
    ],
    picked: pickRange,
  });
  const by = choice({
    label: "Over time by",
    value: asked.by,
    options: ATTRIBUTES.map((value) => ({ value, title: value })),
    picked: (value) => ask({ ...question, by: value as Attribute }),
  });
  const dates = datesForm((from, to) => ask({ ...question, range: { from, to } }));
  if (typeof asked.range !== "string") dates.set(asked.range.from, asked.range.to);
  dates.element.hidden = !isByDates;
  const only = el("div", { class: "row" });
  return {
    element: el("section", { class: "row picker", "aria-label": "What to show" }, range, dates.element, by, only),
    show({ question: shown, costs }) {
      question = shown;
      if (dates.element.hidden) dates.set(costs.startDate, costs.endDate);
      put(only, ...ATTRIBUTES.map((attribute) => narrowed(question, attribute)));
    },
  };
}

function datesForm(shown: (from: string, to: string) => void) {
  const from = el("input", { type: "date", id: "from", required: true });
  const to = el("input", { type: "date", id: "to", required: true });
  const fault = el("span", { class: "fault", role: "alert" });
  const submit = (event: Event) => {
    event.preventDefault();
    const isOrdered = from.value <= to.value;
    put(fault, isOrdered ? null : "The first day is after the last.");
    if (isOrdered) shown(from.value, to.value);
  };
  const element = el(
    "form",
    { class: "row", onsubmit: submit },
    el("label", { for: "from" }, "From"),
    from,
    el("label", { for: "to" }, "to"),
    to,
    el("button", { type: "submit" }, "Show"),
    fault,
  );
  const set = (first: string, last: string) => {
    from.value = first;
    to.value = last;
  };
  return { element, set };
}

/** What the costs are narrowed to, with a way back. */
function narrowed(question: CostQuestion, attribute: Attribute): HTMLElement | null {
  const value = question.only[attribute];
  if (value === undefined) return null;
  const { [attribute]: _, ...rest } = question.only;
  const back = pageLink("costs", addressOf({ ...question, only: rest }));
  return el("span", { class: "chip" }, `only ${attribute} `, name(value), el("a", { href: back }, "show all"));
}
