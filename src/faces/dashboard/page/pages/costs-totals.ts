// What was spent in the range altogether, how sure that is, and what to do where it is not.
import { el, name, put } from "../dom.ts";
import { type Clock, compact, money, number } from "../format.ts";
import { usd } from "../marks.ts";
import { pageLink } from "../page.ts";
import type { Costs, CostsPart } from "./costs.ts";

export function totalsPart(clock: Clock): CostsPart {
  const figures = el("section", { class: "figures", "aria-label": "Totals" });
  const doubts = el("section", { class: "notices", "aria-label": "What is in doubt" });
  return {
    element: el("div", { class: "page" }, figures, doubts),
    show({ costs }) {
      const days = [...new Set([costs.startDate, costs.endDate])].map(clock.day).join(" – ");
      put(
        figures,
        figure("Spent", dollars(costs.totalCost), days),
        figure("Metered", dollars(costs.meteredCost), "seen by a meter"),
        figure("Self-reported", dollars(costs.selfReportedCost), "known from agents only"),
        figure("Tokens", count(tokensOf(costs)), tokenParts(costs)),
        figure("Charges", count(costs.charges), meanOf(costs)),
      );
      put(doubts, ...doubtsOf(costs));
      doubts.hidden = doubts.childElementCount === 0;
    },
  };
}

const figure = (label: string, value: HTMLElement, hint: string): HTMLElement =>
  el(
    "div",
    { class: "figure" },
    el("span", { class: "label" }, label),
    el("span", { class: "value" }, value),
    el("span", { class: "hint" }, hint),
  );

type Known = number | null | undefined;

/** Null is what the privacy budget keeps; a number of it is never told elsewhere. */
const withheld = (): HTMLElement =>
  el("span", { class: "faint", title: "The privacy budget keeps this number" }, "withheld");

const dollars = (value: Known): HTMLElement => (typeof value === "number" ? usd(value) : withheld());

const count = (value: Known): HTMLElement =>
  typeof value === "number" ? el("span", { title: number(value) }, compact(value)) : withheld();

function tokensOf(costs: Costs): Known {
  const { totalInputTokens: input, totalOutputTokens: output } = costs;
  if (typeof input !== "number" || typeof output !== "number") return null;
  return input + output + (costs.totalCacheReadTokens ?? 0) + (costs.totalCacheWriteTokens ?? 0);
}

const meanOf = ({ totalCost, charges }: Costs): string =>
  typeof totalCost === "number" && charges ? `${money(totalCost / charges)} on average` : "";

function tokenParts(costs: Costs): string {
  const parts = [
    [costs.totalInputTokens, "in"],
    [costs.totalOutputTokens, "out"],
    [costs.totalCacheReadTokens, "from cache"],
    [costs.totalCacheWriteTokens, "into cache"],
  ] as const;
  return parts.flatMap(([value, what]) => (value ? [`${compact(value)} ${what}`] : [])).join(", ");
}

function doubtsOf(costs: Costs): (HTMLElement | null)[] {
  const recost = el("code", {}, "astra-budget recost --since DAY --dry-run");
  return [
    doubt(
      costs.unpricedCharges,
      "without a price, counted as nothing",
      costs.unpricedModels,
      el(
        "span",
        {},
        "Add their models under ",
        el("code", {}, "prices"),
        " in astra.yml, then price history again: ",
        recost,
      ),
    ),
    doubt(
      costs.approximateCharges,
      "priced approximately",
      costs.approximateModels,
      el("span", {}, "Their own prices can be set under ", el("code", {}, "prices"), " in astra.yml, then: ", recost),
    ),
    doubt(
      costs.lateCharges,
      "reported late, after their session had ended",
      costs.lateAgents,
      "They are counted. These agents should report before they end; a meter does it for them.",
      (agent) => el("a", { href: pageLink("agents", { agent }) }, name(agent)),
    ),
  ];
}

/** Names shown in one line. */
const MOST_NAMES = 8;

function doubt(
  charges: number | undefined,
  what: string,
  names: readonly string[] = [],
  todo: HTMLElement | string,
  shown: (text: string) => HTMLElement = name,
): HTMLElement | null {
  if (!charges) return null;
  const list = names.slice(0, MOST_NAMES).flatMap((text, i) => [i === 0 ? ": " : ", ", shown(text)]);
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "";
  const told = el("strong", {}, `${number(charges)} ${charges === 1 ? "charge" : "charges"} ${what}`);
  return el("div", { class: "notice warn" }, el("span", {}, told, ...list, more, ". ", todo));
}
