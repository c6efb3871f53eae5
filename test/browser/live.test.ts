// The Now page while real agents work: sessions appear and grow within a second, meet their cap, and come back after a restart.
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { ask } from "../process/servers.ts";
import { expectChromium, IS_ABSENT } from "./chromium.ts";
import { newDashboard, rowsOf, rowWith, signIn, when } from "./room.ts";
import { newWire } from "./wire.ts";

expectChromium();

/** From the commit to what people see. */
const LIVE_MS = 1_000;
const OPEN = "Open sessions";
/** The browser tries again after a second or so, more slowly the longer it takes. */
const PATIENCE = { timeout: 20_000 };

const statusOf = (page: Page) => page.getByRole("banner").getByRole("status");

/** When the text first stood in the row of that agent. */
const shownAt = (page: Page, agent: string, text: string): Promise<number> =>
  when(
    page,
    `[...document.querySelectorAll("tbody tr")].some(({ innerText }) => innerText.includes(${JSON.stringify(agent)}) && innerText.includes(${JSON.stringify(text)}))`,
  );

describe.skipIf(IS_ABSENT)("the Now page", () => {
  test("shows a session of a real stdio agent, each report and its cap within a second", async () => {
    const dashboard = await newDashboard();
    const page = await dashboard.visit({ as: "operator" });
    await page.getByText("No session is open").waitFor();
    const agent = await dashboard.agent("ada");

    const lags: number[] = [];
    const seen = async (text: string, call: () => Promise<unknown>) => {
      await call();
      const committedAt = Date.now();
      lags.push((await shownAt(page, "ada", text)) - committedAt);
    };
    let session_id = "";
    await seen("$0.00", async () => {
      ({ session_id } = await ask(agent, "open_session", { task_id: "t-1", model: "claude-haiku-4-5" }));
    });
    const report = (cost_usd: number) => () =>
      ask(agent, "report_usage", { session_id, input_tokens: 1_200, output_tokens: 300, cost_usd });
    await seen("$0.25", report(0.25));
    await seen("$0.50", report(0.25));
    await expect
      .poll(() => rowsOf(page, OPEN))
      .toMatchObject([
        { Agent: "ada", Task: "t-1", Model: "claude-haiku-4-5", Verdict: "allow", Tokens: "3,000", Cost: "$0.50" },
      ]);
    await seen("warn", report(0.35));
    await seen("deny", report(0.2));
    expect(Math.max(...lags), `milliseconds from commit to shown: ${lags}`).toBeLessThan(LIVE_MS);
    expect((await ask(agent, "check_budget", { session_id })).verdict.decision).toBe("deny");
    await expect.poll(() => rowsOf(page, OPEN)).toMatchObject([{ Cost: "$1.05", Verdict: "deny" }]);
    await expect
      .poll(() => rowsOf(page, "Newest charges"))
      .toMatchObject([
        { Agent: "ada", Cost: "$0.20", Verdict: "deny" },
        { Cost: "$0.35" },
        { Cost: "$0.25" },
        { Cost: "$0.25" },
      ]);

    await ask(agent, "end_session", { session_id });
    const endedAt = Date.now();
    expect(
      (await when(page, '!document.querySelector("main").innerText.includes("Time left")')) - endedAt,
    ).toBeLessThan(LIVE_MS);
    await expect.poll(() => rowsOf(page, OPEN)).toEqual([]);
  });

  test("saves its tables as CSV", async () => {
    const dashboard = await newDashboard();
    const agent = await dashboard.agent("ada");
    const { session_id } = await ask(agent, "open_session", { task_id: "t-1", model: "claude-haiku-4-5" });
    await ask(agent, "report_usage", { session_id, input_tokens: 12, output_tokens: 3, cost_usd: 0.123456789 });
    const page = await dashboard.visit({ as: "viewer" });
    await rowWith(page, OPEN, "ada").waitFor();
    const section = page.getByRole("region", { name: "Charges as they come" });
    const saved = page.waitForEvent("download");
    await section.getByRole("button", { name: "CSV" }).click();
    const download = await saved;
    expect(download.suggestedFilename()).toBe("newest-charges.csv");
    const [head, line, ...rest] = readFileSync(await download.path(), "utf8").split("\r\n");
    expect(head).toBe("\ufeffTime,Agent,Task,Model or tool,Tokens in,Tokens out,Cost,Verdict");
    expect(line).toMatch(/^20\d\d-[\dT:.-]+Z,ada,t-1,claude-haiku-4-5,12,3,0\.123456789,allow$/);
    expect(rest).toEqual([""]);
  });

  test("says that the server is gone, and is back by itself when it is", async () => {
    const dashboard = await newDashboard();
    const agent = await dashboard.agent("ada");
    const { session_id } = await ask(agent, "open_session", {});
    const page = await dashboard.visit({ as: "operator", refusals: ["401 GET /events"] });
    await rowWith(page, OPEN, "ada").waitFor();
    await dashboard.kill();
    await expect.poll(() => statusOf(page).innerText()).toMatch(/connection lost/);
    await ask(agent, "report_usage", { session_id, input_tokens: 1, output_tokens: 1, cost_usd: 0.75 });
    await dashboard.restart();
    // Who is signed in is kept in the server's memory: after a restart the key is asked for once more.
    await signIn(page, await dashboard.key("operator"));
    await expect.poll(() => statusOf(page).innerText()).toMatch(/^\W*live$/);
    await expect.poll(() => rowsOf(page, OPEN)).toMatchObject([{ Agent: "ada", Cost: "$0.75" }]);
  });

  test("finds back by itself after the network failed", async () => {
    const dashboard = await newDashboard();
    const agent = await dashboard.agent("ada");
    const { session_id } = await ask(agent, "open_session", {});
    const wire = await newWire(dashboard.url);
    const page = await dashboard.visit({ as: "viewer", through: wire.url });
    await rowWith(page, OPEN, "ada").waitFor();
    wire.cut();
    await expect.poll(() => statusOf(page).innerText()).toMatch(/connection lost/);
    await ask(agent, "report_usage", { session_id, input_tokens: 1, output_tokens: 1, cost_usd: 0.5 });
    wire.mend();
    await expect.poll(() => rowsOf(page, OPEN), PATIENCE).toMatchObject([{ Agent: "ada", Cost: "$0.50" }]);
    expect(await statusOf(page).innerText()).toMatch(/^\W*live$/);
  });
});
