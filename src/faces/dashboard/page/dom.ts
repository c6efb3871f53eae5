// Elements from data: every string becomes a text node, so that nothing an agent wrote is ever markup.

export type Child = Node | string | number | null | undefined | false;

type Handlers = { readonly [name in `on${string}`]?: (event: Event) => void };
type Attributes = Handlers & { readonly [name: string]: unknown };

/** Attributes that people read: names of others may stand in them. */
const SHOWN: readonly string[] = ["title", "aria-label"];

/** An element with attributes, event handlers (`onclick`) and children; an attribute of null or false is left out. */
export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value as (event: Event) => void);
    else element.setAttribute(name, value === true ? "" : SHOWN.includes(name) ? tamed(String(value)) : String(value));
  }
  put(element, ...children);
  return element;
}

/** Replaces what is in an element. */
export function put(element: Element, ...children: readonly Child[]): void {
  element.replaceChildren(
    ...children.flatMap((child) =>
      child === null || child === undefined || child === false ? [] : [child instanceof Node ? child : String(child)],
    ),
  );
}

/** Joiners that emoji and some scripts are written with stay; all other invisible signs could lie about a text. */
const UNSEEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\u2028\u2029]/gu;
const LONGEST = 300;

/** A text of somebody else's as a page may show it: one line, no direction override, not endless. */
export function tamed(text: string): string {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return short.toWellFormed().replace(UNSEEN, "\ufffd");
}

/** Somebody else's text, isolated so that its direction cannot reorder what stands around it; whole on hover. */
export function name(text: string | null | undefined, none = "–"): HTMLElement {
  if (text === null || text === undefined || text === "") return el("span", { class: "faint" }, none);
  const shown = tamed(text);
  return el("bdi", { class: "name", title: shown }, shown);
}
