// What an operator does from the page, by mouse and by keyboard: agents are told at once, and the audit has it.
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { ask } from "../process/servers.ts";
import { expectChromium, IS_ABSENT } from "./chromium.ts";
import { turnTo } from "./pages.ts";
import { type Dashboard, newDashboard, rowsOf, rowWith } from "./room.ts";

expectChromium();

const OPEN = "Open sessions";
const LIMITS = "Limits and what stands against them";
const dialog = (page: Page) => page.getByRole("dialog");
const check = async (session: Session) =>
  (await ask(session.agent, "check_budget", { session_id: session.id })).verdict;

type Session = Awaited<ReturnType<typeof sessionOf>>;

async function sessionOf(dashboard: Dashboard, agentId: string) {
  const agent = await dashboard.agent(agentId);
  const { session_id: id } = await ask(agent, "open_session", { model: "claude-haiku-4-5" });
  return { agent, id };
}

/** Fills the dialog that is open and confirms it. */
async function confirm(page: Page, button: string, fields: Readonly<Record<string, string>>): Promise<void> {
  for (const [label, value] of Object.entries(fields)) await dialog(page).getByLabel(label).fill(value);
  await dialog(page).getByRole("button", { name: button }).click();
  await dialog(page).waitFor({ state: "detached" });
}

/** Goes on by Tab until what has the focus has that name. */
async function tabTo(page: Page, name: string): Promise<void> {
  const NAME = 'document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent';
  for (let i = 0; i < 100; i++) {
    await page.keyboard.press("Tab");
    if ((await page.evaluate(NAME)) === name) return;
  }
  throw new Error(`no Tab leads to ${name}`);
}

describe.skipIf(IS_ABSENT)("an operator", () => {
  test("stops a session by mouse and resumes it; its agent is told why, another's is not", async () => {
    const dashboard = await newDashboard();
    const [ada, bob] = [await sessionOf(dashboard, "ada"), await sessionOf(dashboard, "bob")];
    const page = await dashboard.visit({ as: "operator" });
    await rowWith(page, OPEN, "ada").getByRole("button", { name: "Stop" }).click();
    expect(await dialog(page).innerText()).toMatch(/everything below it, is denied from now on, until you resume/);
    await confirm(page, "Stop", { Reason: "It reads the same page again and again" });
    expect(await check(ada)).toMatchObject({
      decision: "deny",
      message: expect.stringContaining("It reads the same page again and again"),
    });
    expect((await check(bob)).decision).toBe("allow");
    const notice = page.getByText("It reads the same page again and again");
    await notice.waitFor();
    await expect
      .poll(async () => (await rowsOf(page, OPEN)).find(({ Agent }) => Agent === "ada")?.Verdict)
      .toBe("deny");

    await page.getByRole("button", { name: "Resume" }).click();
    await confirm(page, "Resume", { Reason: "Looked at it" });
    expect((await check(ada)).decision).toBe("allow");
    await notice.waitFor({ state: "detached" });
  });

  test("stops another by keyboard alone, and the focus is where it was", async () => {
    const dashboard = await newDashboard();
    const ada = await sessionOf(dashboard, "ada");
    const page = await dashboard.visit({ as: "operator" });
    await rowWith(page, OPEN, "ada").waitFor();
    await tabTo(page, "Stop ada's session");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Escape");
    await dialog(page).waitFor({ state: "detached" });
    const focused = () => page.evaluate("document.activeElement.getAttribute('aria-label')");
    expect(await focused()).toBe("Stop ada's session");
    expect((await check(ada)).decision).toBe("allow");

    await page.keyboard.press("Enter");
    await page.keyboard.type("By hand");
    await tabTo(page, "Stop");
    await page.keyboard.press("Enter");
    await dialog(page).waitFor({ state: "detached" });
    expect(await focused()).toBe("Stop ada's session");
    expect(await check(ada)).toMatchObject({ decision: "deny", message: expect.stringContaining("By hand") });
  });

  test("needs a reason, and is told what the server says against it", async () => {
    const dashboard = await newDashboard();
    await sessionOf(dashboard, "ada");
    const page = await dashboard.visit({
      as: "operator",
      refusals: ["422 POST /api/v1/grants"],
    });
    await rowWith(page, OPEN, "ada").getByRole("button", { name: "Stop" }).click();
    await dialog(page).getByRole("button", { name: "Stop" }).click();
    expect(await dialog(page).isVisible()).toBe(true);
    await page.keyboard.press("Escape");
    await rowWith(page, LIMITS, "research").getByRole("button", { name: "Raise" }).click();
    for (const [label, value] of [
      ["By how much", "5"],
      ["hours", "100000"],
      ["Reason", "More"],
    ] as const)
      await dialog(page).getByLabel(label).fill(value);
    await dialog(page).getByRole("button", { name: "Raise limit" }).click();
    await expect.poll(() => dialog(page).getByRole("alert").innerText()).toMatch(/31 days/);
    expect((await dashboard.room.json(["grants"])).grants).toEqual([]);
  });

  test("changes a team's daily limit, grants more of it, and ends a session; each is in the audit", async () => {
    const dashboard = await newDashboard();
    const bob = await sessionOf(dashboard, "bob");
    await ask(bob.agent, "report_usage", { session_id: bob.id, input_tokens: 1, output_tokens: 1, cost_usd: 1.5 });
    const page = await dashboard.visit({ as: "owner" });
    const support = rowWith(page, LIMITS, "support");
    const limitOf = async () => {
      const { limits } = await check(bob);
      return limits.find(({ scope, window }) => scope === "team" && window === "day");
    };
    expect(await limitOf()).toMatchObject({ limit: 5 });

    await support.getByRole("button", { name: "Change" }).click();
    await confirm(page, "Change limit", { "New daily limit": "2", Reason: "Too dear" });
    expect(await limitOf()).toMatchObject({ limit: 2 });
    await expect.poll(() => support.innerText()).toMatch(/\$1\.50 of \$2\.00/);

    await support.getByRole("button", { name: "Raise" }).click();
    await confirm(page, "Raise limit", { "By how much": "0.5", hours: "2", Reason: "Nearly done" });
    expect(await limitOf()).toMatchObject({ limit: 2.5 });

    await rowWith(page, OPEN, "bob").getByRole("button", { name: "End" }).click();
    await confirm(page, "End session", { Reason: "Done with" });
    expect((await check(bob)).decision).toBe("deny");
    await expect.poll(() => rowsOf(page, OPEN)).toEqual([]);

    await turnTo(page, "Keys and audit");
    const audit = page.getByRole("region", { name: /audit/i }).first();
    for (const reason of ["Too dear", "Nearly done", "Done with"]) await audit.getByText(reason).first().waitFor();
  });
});
