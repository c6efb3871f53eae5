// What a page is, and how one that asks the server stays fresh while the ledger moves.
import type { Me } from "./api.ts";
import { Problem } from "./api.ts";
import { el, put } from "./dom.ts";
import type { Clock } from "./format.ts";
import type { Live } from "./live.ts";

export type PageContext = {
  readonly me: Me;
  readonly clock: Clock;
  readonly live: Live;
  /** What stands after the page's name in the address: "#/agents?agent=lead". */
  readonly params: URLSearchParams;
};

export type Page = { readonly element: HTMLElement; close?(): void };

/** The address of a page with its parameters. */
export function pageLink(page: string, params: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams(params).toString();
  return query === "" ? `#/${page}` : `#/${page}?${query}`;
}

/** Puts what a page shows by now into the address, so that a link to it shows the same; the page itself stays. */
export function showInAddress(page: string, params: Readonly<Record<string, string>>): void {
  history.pushState(null, "", pageLink(page, params));
}

/** While the ledger moves a page looks again, but not more often: the server counts requests. */
const PACE_MS = 5_000;

export type Fresh = { readonly status: HTMLElement; again(): Promise<void>; close(): void };

/** Loads and shows now, and again when the ledger moved; `status` tells of loading and faults. */
export function kept<Data>(live: Live, load: () => Promise<Data>, show: (data: Data) => void): Fresh {
  const status = el("p", { class: "hint", role: "status" }, "Loading …");
  let timer: ReturnType<typeof setTimeout> | null = null;
  let lookedAt = 0;
  let asked = 0;
  let answered = 0;
  let isDue = false;
  let isClosed = false;
  const again = async () => {
    lookedAt = Date.now();
    const mine = ++asked;
    let data: Data | null = null;
    try {
      data = await load();
    } catch (error) {
      const text = error instanceof Problem ? error.message : "The server cannot be reached.";
      if (!isClosed && mine === asked) put(status, el("span", { class: "fault" }, text));
    }
    // A later question may have been answered before.
    if (isClosed || mine !== asked) return;
    answered = mine;
    if (data !== null) {
      put(status);
      show(data);
    }
    if (isDue) later();
  };
  /** While an answer is on its way another question would only make it wait. */
  const later = () => {
    isDue = answered < asked;
    if (isDue || timer !== null) return;
    timer = setTimeout(
      () => {
        timer = null;
        if (!document.hidden) again();
      },
      Math.max(0, lookedAt + PACE_MS - Date.now()),
    );
  };
  const off = live.on("changed", later);
  again();
  return {
    status,
    again,
    close() {
      isClosed = true;
      off();
      if (timer !== null) clearTimeout(timer);
    },
  };
}
