// The dashboard for everybody: axe finds no fault of WCAG 2 A or AA on any page, in the dialog or before signing in.
import axe from "axe-core";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { newRoom } from "../faces/room.ts";
import { expectChromium, IS_ABSENT } from "./chromium.ts";
import { fillLively, LIVELY_POLICY } from "./lively-ledger.ts";
import { PAGES, settled, turnTo } from "./pages.ts";
import { type Dashboard, newDashboard, rowWith } from "./room.ts";

expectChromium();

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

type Violation = {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
};

/** What is wrong, as the rule, the element and why. */
async function violationsIn(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(`axe.run({ runOnly: ${JSON.stringify(RULES)} })`);
  const { violations, passes } = found as { violations: Violation[]; passes: unknown[] };
  expect(passes.length).toBeGreaterThan(5);
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}\n${node.failureSummary}`));
}

async function livelyDashboard(): Promise<Dashboard> {
  const room = newRoom(LIVELY_POLICY);
  const dashboard = await newDashboard(LIVELY_POLICY, room);
  await fillLively(room.ledger);
  return dashboard;
}

describe.skipIf(IS_ABSENT).for(["light", "dark"] as const)("in the %s", (colorScheme) => {
  test("axe finds no fault on any page", async () => {
    const dashboard = await livelyDashboard();
    const page = await dashboard.visit({ as: "owner", look: { colorScheme } });
    await settled(page, "Now");
    await rowWith(page, "Open sessions", "research-lead").waitFor();
    for (const title of PAGES) {
      await turnTo(page, title);
      expect.soft(await violationsIn(page), title).toEqual([]);
    }
    await page.goto(new URL("#/agents?agent=research-lead", dashboard.url).href);
    await settled(page, "Agents");
    expect.soft(await violationsIn(page), "one agent").toEqual([]);
  });

  test("axe finds no fault in the sign-in form, with its fault shown, and in the dialogs", async () => {
    const dashboard = await livelyDashboard();
    const form = await dashboard.visit({ look: { colorScheme }, refusals: ["401 POST /auth/session"] });
    await form.getByLabel("Key").fill("oc_wrong");
    expect.soft(await violationsIn(form)).toEqual([]);
    await form.keyboard.press("Enter");
    await expect.poll(() => form.getByRole("alert").innerText()).not.toBe("");
    expect.soft(await violationsIn(form)).toEqual([]);
    const page = await dashboard.visit({ as: "operator", look: { colorScheme } });
    for (const name of ["Stop all spending", "Raise", "Resume"]) {
      await page.getByRole("button", { name }).first().click();
      expect.soft(await violationsIn(page), name).toEqual([]);
      await page.keyboard.press("Escape");
    }
  });
});
