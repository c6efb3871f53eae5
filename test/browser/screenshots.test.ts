// The README's pictures, taken of a lively ledger; written only with ASTRA_SCREENSHOTS=1, taken and weighed in every run.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContextOptions, Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { newRoom } from "../faces/room.ts";
import { expectChromium, IS_ABSENT } from "./chromium.ts";
import { fillLively, LIVELY_POLICY } from "./lively-ledger.ts";
import { settled, turnTo } from "./pages.ts";
import { newDashboard, rowsOf } from "./room.ts";

expectChromium();

const DOCS = join(import.meta.dirname, "..", "..", "docs");
const MOST_BYTES = 200_000;
const IS_KEPT = process.env.ASTRA_SCREENSHOTS === "1";

type Picture = { readonly name: string; readonly title: string; readonly look: BrowserContextOptions };

const PICTURES: readonly Picture[] = [
  { name: "dashboard-now", title: "Now", look: { colorScheme: "light", viewport: { width: 1440, height: 920 } } },
  { name: "dashboard-costs", title: "Costs", look: { colorScheme: "light", viewport: { width: 1440, height: 920 } } },
  { name: "dashboard-dark", title: "Now", look: { colorScheme: "dark", viewport: { width: 1440, height: 920 } } },
  { name: "dashboard-phone", title: "Now", look: { colorScheme: "light", viewport: { width: 390, height: 1240 } } },
];

async function take(page: Page, { name, title }: Picture): Promise<number> {
  await settled(page, "Now");
  await expect.poll(() => rowsOf(page, "Open sessions")).toHaveLength(8);
  if (title !== "Now") await turnTo(page, title);
  await page.waitForTimeout(500);
  const png = await page.screenshot();
  if (IS_KEPT) writeFileSync(join(DOCS, `${name}.png`), png);
  return png.length;
}

describe.skipIf(IS_ABSENT)("the pictures of the README", () => {
  test(`are made, each below ${MOST_BYTES / 1_000} kB`, async () => {
    const room = newRoom(LIVELY_POLICY);
    const dashboard = await newDashboard(LIVELY_POLICY, room);
    await fillLively(room.ledger);
    for (const picture of PICTURES) {
      const page = await dashboard.visit({ as: "owner", look: picture.look });
      const bytes = await take(page, picture);
      expect(bytes, picture.name).toBeGreaterThan(20_000);
      expect(bytes, picture.name).toBeLessThan(MOST_BYTES);
    }
  });
});
