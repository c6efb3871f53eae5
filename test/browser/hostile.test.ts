// The dashboard on a ledger full of hostile names: nothing of them runs, nothing breaks the layout, no formula is exported.
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { csvRows } from "../../src/faces/csv.ts";
import { newRoom } from "../faces/room.ts";
import { expectChromium, IS_ABSENT } from "./chromium.ts";
import { fillWithReports, HOSTILE_POLICY, spoil } from "./hostile-ledger.ts";
import { PAGES, settled, turnTo } from "./pages.ts";
import { type Dashboard, newDashboard } from "./room.ts";

expectChromium();

const WIDTHS = [390, 1440];
/** Pages about one thing, reached by a link from a list. */
const MOST_LINKS = 4;

/** All that could be wrong with what is shown, in the words of a fault. */
const FAULTS = `(() => {
  const faults = [];
  const all = [...document.body.querySelectorAll("*")];
  if (globalThis.owned !== undefined) faults.push("ran: " + globalThis.owned);
  for (const element of all) {
    const tag = element.localName;
    if (["img", "script", "iframe", "marquee", "style", "object", "embed", "base", "meta", "link"].includes(tag)) faults.push("element " + tag);
    for (const { name } of element.attributes) if (/^on|^srcdoc$/.test(name)) faults.push("attribute " + name);
    if (tag === "a" && !/^(#\\/|#main$|blob:)/.test(element.getAttribute("href"))) faults.push("link " + element.getAttribute("href"));
    if (tag === "bdi" && element.textContent.length > 301) faults.push("endless: " + element.textContent.slice(0, 40));
  }
  const turned = /[\\u202a-\\u202e\\u2066-\\u2069\\u0000-\\u0008\\u001b\\u2028\\u2029]/;
  if (turned.test(document.body.innerText)) faults.push("an acting sign in a text");
  if (all.some((element) => [...element.attributes].some(({ name, value }) => name !== "href" && turned.test(value)))) faults.push("an acting sign in an attribute");
  const { scrollWidth } = document.documentElement;
  if (scrollWidth > innerWidth) faults.push("as wide as " + scrollWidth + " in " + innerWidth);
  return faults;
})()`;

const faultsOf = (page: Page): Promise<string[]> => page.evaluate(FAULTS);

/** Every page at every width, and a few of what each links to. */
async function expectHarmless(page: Page): Promise<void> {
  for (const title of PAGES) {
    await turnTo(page, title);
    await page.waitForTimeout(200);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      expect(await faultsOf(page), `${title} at ${width}`).toEqual([]);
    }
    const links: string[] = await page.evaluate('[...document.querySelectorAll("main a")].map((link) => link.hash)');
    for (const link of [...new Set(links)].slice(0, MOST_LINKS)) {
      await page.evaluate(`location.hash = ${JSON.stringify(link)}`);
      await page.waitForTimeout(200);
      expect(await faultsOf(page), `${title}, then ${link}`).toEqual([]);
    }
  }
}

async function expectNoFormula(page: Page): Promise<void> {
  let files = 0;
  for (const title of PAGES) {
    // The browser gives one load of a page ten files and no more.
    await page.reload();
    await turnTo(page, title);
    for (const button of await page.getByRole("button", { name: "CSV" }).all()) {
      if (!(await button.isEnabled())) continue;
      const saved = page.waitForEvent("download");
      await button.click();
      const text = readFileSync(await (await saved).path(), "utf8").slice(1);
      for await (const { cells } of csvRows(piecesOf(text))) {
        const formulas = cells.filter((cell) => cell !== null && /^[=+\-@\t\r\n]/.test(cell) && !isNumber(cell));
        expect(formulas, title).toEqual([]);
      }
      files++;
    }
  }
  expect(files).toBeGreaterThan(2);
}

const isNumber = (cell: string): boolean => /^-?\d+(\.\d+)?$/.test(cell);

async function* piecesOf(text: string): AsyncGenerator<string> {
  yield text;
}

async function hostileDashboard(): Promise<Dashboard> {
  return await newDashboard(HOSTILE_POLICY, newRoom(HOSTILE_POLICY));
}

describe.skipIf(IS_ABSENT)("hostile names", () => {
  test("as agents and people can report them", async () => {
    const dashboard = await hostileDashboard();
    await fillWithReports(dashboard);
    const page = await dashboard.visit({ as: "owner" });
    await settled(page, "Now");
    expect(await page.locator("main").innerText()).toContain("<img src=x onerror=");
    await expectHarmless(page);
    await expectNoFormula(page);
  });

  test("as only another program can write them into the file", async () => {
    const dashboard = await hostileDashboard();
    await fillWithReports(dashboard);
    spoil(dashboard.room.ledger);
    // No agent can be called that: who asks for one is told so.
    const page = await dashboard.visit({ as: "owner", refusals: [/^422 GET \/(leaderboard|api\/v1\/agents)\//] });
    await settled(page, "Now");
    await expectHarmless(page);
    await expectNoFormula(page);
  });

  test("in the dialogs that act on them", async () => {
    const dashboard = await hostileDashboard();
    await fillWithReports(dashboard);
    const page = await dashboard.visit({ as: "owner", look: { viewport: { width: 390, height: 900 } } });
    await page.getByRole("button", { name: "Stop", exact: false }).nth(1).waitFor();
    for (const name of [/^Stop /, /^End /, /^Raise /, /^Change /, "Resume"]) {
      for (const button of (await page.getByRole("button", { name }).all()).slice(0, 6)) {
        await button.click();
        expect(await faultsOf(page)).toEqual([]);
        await page.keyboard.press("Escape");
        await page.getByRole("dialog").waitFor({ state: "detached" });
      }
    }
  });
});
