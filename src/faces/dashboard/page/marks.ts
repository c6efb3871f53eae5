// Small signs that several pages share: a state in a word and a colour, a bar of a limit, a link to an agent.
import { el, name } from "./dom.ts";
import { amount, exactMoney, money, share } from "./format.ts";
import { pageLink } from "./page.ts";

const TONES = {
  ok: "good",
  allow: "good",
  success: "good",
  acknowledged: "good",
  warn: "warn",
  open: "plain",
  over: "bad",
  deny: "bad",
  stopped: "bad",
  error: "bad",
  failed: "bad",
  late: "warn",
} as const satisfies Record<string, "good" | "warn" | "bad" | "plain">;

/** A state as a word; its colour only repeats it. */
export function mark(word: string): HTMLElement {
  const tone = word in TONES ? TONES[word as keyof typeof TONES] : "plain";
  return el("span", { class: `mark ${tone}` }, word);
}

/** Dollars, exact on hover. */
export const usd = (value: number | null): HTMLElement =>
  el("span", { class: "usd", title: exactMoney(value) }, money(value));

export const agentLink = (id: string): HTMLElement => el("a", { href: pageLink("agents", { agent: id }) }, name(id));

export type Used = {
  readonly measure: string;
  readonly limit: number;
  readonly spent: number;
  readonly held: number;
};

/** A limit as a bar of what is spent and held, with the numbers beside it in words. */
export function meter(label: string, used: Used): HTMLElement {
  const { measure, limit, spent, held } = used;
  const text = `${amount(measure, spent)}${held > 0 ? ` and ${amount(measure, held)} held` : ""} of ${amount(measure, limit)}`;
  const exact = measure === "cost_usd" ? `${exactMoney(spent)} of ${exactMoney(limit)}` : text;
  return bar(label, { ...used, text, exact });
}

/** A bar with its words. */
export function bar(
  label: string,
  { limit, spent, held, text, exact }: Omit<Used, "measure"> & { readonly text: string; readonly exact: string },
): HTMLElement {
  const part = (value: number) => (limit > 0 ? Math.min(1, value / limit) : 1);
  const total = part(spent + held);
  const spentBar = el("span", { class: "spent" });
  spentBar.style.width = `${part(spent) * 100}%`;
  const heldBar = el("span", { class: "held" });
  heldBar.style.width = `${Math.max(0, total - part(spent)) * 100}%`;
  const tone = total >= 1 ? "bad" : total >= 0.8 ? "warn" : "good";
  return el(
    "span",
    { class: "meter" },
    el(
      "span",
      { class: `bar ${tone}`, role: "img", "aria-label": `${label}: ${text}, ${share(total)}` },
      spentBar,
      heldBar,
    ),
    el("span", { class: "meter-text", title: exact }, text),
  );
}
