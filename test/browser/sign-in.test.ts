// Signing in to the dashboard: which keys open it, where they are kept (nowhere), and what a viewer cannot do.
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { expectChromium, IS_ABSENT } from "./chromium.ts";
import { turnTo, VIEWERS_PAGES } from "./pages.ts";
import { newDashboard, rowsOf, signIn } from "./room.ts";

expectChromium();

const form = (page: Page) => page.getByRole("button", { name: "Sign in" });
const CHANGES = /stop|resume|end|raise|change|grant|acknowledge|revoke|reset|new/i;
const alert = (page: Page) => page.getByRole("alert");

describe.skipIf(IS_ABSENT)("signing in", () => {
  test("takes the key of an operator; a wrong key and an agent's are told apart", async () => {
    const dashboard = await newDashboard();
    const page = await dashboard.visit({ refusals: ["401 POST /auth/session", "403 POST /auth/session"] });
    const fill = async (secret: string) => {
      await page.getByLabel("Key").fill(secret);
      await page.keyboard.press("Enter");
    };
    await fill(`oc_${"x".repeat(43)}`);
    await expect.poll(() => alert(page).innerText()).toMatch("A whole key begins with oc_.");
    expect(await page.getByLabel("Key").inputValue()).toBe("");
    await fill(await dashboard.key("agent"));
    await expect.poll(() => alert(page).innerText()).toMatch(/agent.*viewer.*operator.*owner/is);
    await signIn(page, await dashboard.key("operator"));
    await page.getByRole("heading", { level: 1, name: "Now" }).waitFor();
    expect(await page.getByRole("banner").innerText()).toContain("operator");
  });

  test("keeps the key nowhere, and no script can read the cookie", async () => {
    const dashboard = await newDashboard();
    const page = await dashboard.visit();
    const secret = await dashboard.key("owner");
    await signIn(page, secret);
    const kept = await page.evaluate(`(async () => JSON.stringify({
      local: { ...localStorage }, session: { ...sessionStorage }, cookie: document.cookie, name, address: location.href,
      databases: await indexedDB.databases(), caches: await caches.keys(), state: history.state }))()`);
    expect(JSON.parse(String(kept))).toEqual({
      local: {},
      session: {},
      cookie: "",
      name: "",
      address: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/(#\/now)?$/),
      databases: [],
      caches: [],
      state: null,
    });
    expect(await page.content()).not.toContain(secret);
    const cookies = await page.context().cookies();
    expect(cookies).toMatchObject([{ name: "astra_session", httpOnly: true, sameSite: "Strict", path: "/" }]);
    expect(JSON.stringify(cookies)).not.toContain(secret);
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "Now" }).waitFor();
  });

  test("ends with signing out, in every tab, and the cookie is worth nothing afterwards", async () => {
    const dashboard = await newDashboard();
    const page = await dashboard.visit({ as: "viewer" });
    const cookies = await page.context().cookies();
    await page.getByRole("button", { name: "Sign out" }).click();
    await form(page).waitFor();
    expect(await page.context().cookies()).toEqual([]);
    await page.context().addCookies(cookies);
    await page.reload();
    await form(page).waitFor();
  });

  test("ends with its key", async () => {
    const dashboard = await newDashboard();
    const page = await dashboard.visit({ as: "viewer", refusals: ["401 GET /events"] });
    const keys = (await dashboard.room.json(["key", "list"])).keys as { key_id: string; role: string }[];
    const { key_id } = keys.find(({ role }) => role === "viewer") ?? {};
    await dashboard.room.run(["key", "revoke", String(key_id)]);
    await form(page).waitFor();
  });
});

describe.skipIf(IS_ABSENT)("a viewer", () => {
  test("sees every page but the owner's, and no button that changes anything", async () => {
    const dashboard = await newDashboard();
    const agent = await dashboard.agent("ada");
    await agent.call("open_session", { agent_id: "ada" });
    await dashboard.room.run(["stop", "--agent", "bob", "--reason", "Enough"]);
    const page = await dashboard.visit({ as: "viewer" });
    await expect.poll(() => rowsOf(page, "Open sessions")).toHaveLength(1);
    expect(await page.getByRole("navigation").getByRole("link").allInnerTexts()).toEqual(VIEWERS_PAGES);
    for (const title of VIEWERS_PAGES) {
      await turnTo(page, title);
      const buttons = await page.locator("main button:not(.sort)").allInnerTexts();
      expect(buttons.filter((text) => CHANGES.test(text))).toEqual([]);
    }
  });

  test("is refused by the server, with and without the token of the page; so is everybody without it", async () => {
    const dashboard = await newDashboard();
    const refusals = ["403 POST /api/v1/stops"];
    const [viewer, operator] = await Promise.all([
      dashboard.visit({ as: "viewer", refusals }),
      dashboard.visit({ as: "operator", refusals }),
    ]);
    const stop = (page: Page, token: string) =>
      page.evaluate(`(async () => {
        const { csrf_token } = await (await fetch("/auth/session")).json();
        const headers = { "content-type": "application/json", ...(${token}) };
        const body = JSON.stringify({ all: true, reason: "Because" });
        return (await fetch("/api/v1/stops", { method: "POST", headers, body })).status;
      })()`);
    const OWN = '{ "x-csrf-token": csrf_token }';
    expect(await stop(viewer, OWN)).toBe(403);
    expect(await stop(viewer, "{}")).toBe(403);
    expect(await stop(operator, "{}")).toBe(403);
    expect(await stop(operator, '{ "x-csrf-token": csrf_token.slice(1) + "x" }')).toBe(403);
    expect((await dashboard.room.json(["stops"])).stops).toEqual([]);
    expect(await stop(operator, OWN)).toBe(201);
  });
});
