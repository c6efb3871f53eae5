// The dashboard in the browser: who is signed in, which page is shown, and whether the stream is live.
import { type Me, onSignedOut, signOut, whoAmI } from "./api.ts";
import { el, name, put } from "./dom.ts";
import { clockIn } from "./format.ts";
import { type Live, openLive } from "./live.ts";
import type { Page } from "./page.ts";
import { pages } from "./pages.ts";
import { signInForm } from "./sign-in.ts";

const STATUS = { connecting: "connecting …", live: "live", lost: "connection lost, trying again …" } as const;

async function start(): Promise<void> {
  try {
    const me = await whoAmI();
    if (me) show(me);
    else put(document.body, signInForm(show));
  } catch {
    const again = el("button", { type: "button", class: "primary", onclick: start }, "Try again");
    put(document.body, el("main", { class: "alone" }, el("h1", {}, "The server cannot be reached"), again));
  }
}

function show(me: Me): void {
  let isLeft = false;
  const leave = () => {
    // Several answers may say at once that nobody is signed in any more.
    if (isLeft) return;
    isLeft = true;
    live.close();
    page?.close?.();
    window.removeEventListener("hashchange", turn);
    start();
  };
  onSignedOut(leave);
  const live = openLive(async () => {
    // A server that cannot be reached says nothing about who is signed in.
    const known = await whoAmI().catch(() => me);
    if (!known) leave();
    return known !== null;
  });
  const clock = clockIn(me.timezone);
  const main = el("main", { id: "main", tabindex: "-1" });
  const mine = pages.filter(({ ownersOnly }) => !ownersOnly || me.role === "owner");
  const links = mine.map(({ path, title }) => el("a", { href: `#/${path}` }, title));
  let page: Page | null = null;

  const turn = () => {
    const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
    const wanted = mine.find((each) => each.path === path) ?? mine[0];
    if (!wanted) return;
    page?.close?.();
    for (const [i, link] of links.entries()) {
      if (mine[i] === wanted) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    document.title = `${wanted.title} – astra-budget`;
    page = wanted.make({ me, clock, live, params: new URLSearchParams(query) });
    const isFirst = main.childElementCount === 0;
    put(main, el("h1", {}, wanted.title), page.element);
    // Whoever came by keyboard goes on in the page, not in the head again.
    if (!isFirst) main.focus();
  };

  put(document.body, skipLink(), header(me, links, live), main);
  window.addEventListener("hashchange", turn);
  turn();
}

function skipLink(): HTMLElement {
  const skip = (event: Event) => {
    event.preventDefault();
    document.getElementById("main")?.focus();
  };
  return el("a", { class: "skip", href: "#main", onclick: skip }, "Skip to the page");
}

function header(me: Me, links: readonly HTMLElement[], live: Live): HTMLElement {
  const status = el("span", { class: "live", role: "status" });
  const tell = () => {
    status.dataset.status = live.status;
    put(status, STATUS[live.status]);
  };
  live.on("status", tell);
  tell();
  const out = async () => {
    await signOut().catch(() => {});
    location.reload();
  };
  return el(
    "header",
    {},
    el("strong", { class: "brand" }, "astra-budget"),
    el("nav", { "aria-label": "Pages" }, ...links),
    el(
      "div",
      { class: "who" },
      status,
      el("span", { title: "Workspace" }, name(me.workspace_id)),
      el("span", { title: "All times are in this zone" }, `Times: ${me.timezone}`),
      el("span", { title: "What you may do" }, me.role),
      me.csrf_token === null ? null : el("button", { type: "button", class: "quiet", onclick: out }, "Sign out"),
    ),
  );
}

start();
