// An action whose answer is lost on the way, in a real Chromium: confirmed again it is told as done, and was done once.
import { describe, expect, onTestFinished, test } from "vitest";
import { newServerRoom } from "../faces/server-room.ts";
import { browser, expectChromium, IS_ABSENT } from "./chromium.ts";

expectChromium();

describe.skipIf(IS_ABSENT)("an action whose answer was lost", () => {
  test("raises a limit once", async () => {
    const room = await newServerRoom({ policy: { workspace: { dailyCostLimitUsd: 5 } } });
    const page = await (await browser()).newPage();
    onTestFinished(() => page.close());
    await page.goto(room.url.href);
    await page.getByLabel("Key").fill(room.ownerKeys[0] ?? "");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Raise the limit of workspace" }).click();
    await page.getByLabel("By how much").fill("2");
    await page.getByLabel("Reason").fill("a long night");

    const [grants, confirm] = ["**/api/v1/grants", page.getByRole("button", { name: "Raise limit", exact: true })];
    await page.route(grants, async (route) => {
      await route.fetch();
      await route.abort();
    });
    await confirm.click();
    await page.getByText("The server cannot be reached.").waitFor();
    await page.unroute(grants);
    await confirm.click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect((await room.owner.get("/api/v1/grants")).body.grants).toMatchObject([{ amount: 2 }]);
  });
});
