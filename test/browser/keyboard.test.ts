// The dashboard by keyboard alone: every control is reached, in the order of the page, and one sees where one is.
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { newRoom } from "../faces/room.ts";
import { expectChromium, IS_ABSENT } from "./chromium.ts";
import { fillLively, LIVELY_POLICY } from "./lively-ledger.ts";
import { PAGES, settled, turnTo } from "./pages.ts";
import { newDashboard, rowWith } from "./room.ts";

expectChromium();

const MOST_STOPS = 600;

/** Numbers every control that can be seen, in the order of the document; answers how many there are. */
const NUMBER_CONTROLS = `(() => {
  const controls = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
    .filter((each) => each.checkVisibility() && !each.disabled);
  for (const [i, control] of controls.entries()) control.dataset.control = String(i);
  return controls.length;
})()`;

/** What has the focus: which control, and is there a frame around it that can be told from what is behind it? */
const FOCUSED = `(() => {
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
  return {
    control: Number(document.activeElement.dataset.control ?? -1),
    isSeen: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2,
    html: document.activeElement.outerHTML.slice(0, 120),
  };
})()`;

type Focused = { readonly control: number; readonly isSeen: boolean; readonly html: string };

/** Tabs through the page from its top, as far as its last control. */
async function tabThrough(page: Page): Promise<{ reached: Set<number>; unseen: string[]; count: number }> {
  const count = Number(await page.evaluate(NUMBER_CONTROLS));
  const reached = new Set<number>();
  const unseen: string[] = [];
  await page.evaluate("document.activeElement.blur()");
  for (let i = 0; i < MOST_STOPS && reached.size < count; i++) {
    await page.keyboard.press("Tab");
    const focused = (await page.evaluate(FOCUSED)) as Focused;
    if (focused.control >= 0) reached.add(focused.control);
    if (focused.control >= 0 && !focused.isSeen) unseen.push(focused.html);
  }
  return { reached, unseen, count };
}

describe.skipIf(IS_ABSENT)("by keyboard", () => {
  test("every control of every page is reached and seen to have the focus", async () => {
    const room = newRoom(LIVELY_POLICY);
    const dashboard = await newDashboard(LIVELY_POLICY, room);
    await fillLively(room.ledger);
    const page = await dashboard.visit({ as: "owner" });
    await settled(page, "Now");
    await rowWith(page, "Open sessions", "research-lead").waitFor();
    for (const title of PAGES) {
      await turnTo(page, title);
      const { reached, unseen, count } = await tabThrough(page);
      expect.soft(reached.size, `${title}: controls reached`).toBe(count);
      expect.soft(unseen, title).toEqual([]);
    }
  });

  test("a page that was turned to has the focus, and the first Tab of all skips the head", async () => {
    const dashboard = await newDashboard();
    const page = await dashboard.visit({ as: "viewer" });
    await page.reload();
    await settled(page, "Now");
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to the page");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
    await turnTo(page, "Policy");
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
  });

  test("an open dialog keeps the focus to itself", async () => {
    const dashboard = await newDashboard();
    const page = await dashboard.visit({ as: "operator" });
    await page.getByRole("button", { name: "Stop all spending" }).press("Enter");
    for (let i = 0; i < 8; i++) {
      await page.keyboard.press("Tab");
      // The browser's own controls come after the last one of the dialog.
      expect(
        await page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')"),
      ).toBe(true);
    }
    await page.keyboard.press("Escape");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Stop all spending");
  });
});
