// The app of check_budget in a real Chromium: what people see of real answers, and that nothing in them is more than text.
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import axe from "axe-core";
import type { Frame } from "playwright-core";
import { describe, expect, onTestFinished, test } from "vitest";
import { INFO } from "../faces/clients.ts";
import { CLI, newRoom, type Room } from "../faces/room.ts";
import { type AppHost, type HostOptions, showApp } from "./app-host.ts";
import { expectChromium, IS_ABSENT } from "./chromium.ts";

const POLICY = `
workspace: { id: acme, timezone: UTC, dailyCostLimitUsd: 10 }
teams: [{ id: night-shift, dailyCostLimitUsd: 2 }]
agents:
  - { id: ada, team: night-shift, budget: { maxCostCents: 100, maxToolCalls: 4 } }
`;
const MOST_BYTES = 12_000;
const CAN_CALL = { serverTools: {} };

type Answer = Awaited<ReturnType<Client["callTool"]>>;

/** A real server on a real ledger, ada's session in it, and the page as the server gives it out. */
async function work(room: Room = newRoom(POLICY)) {
  const client = new Client(INFO);
  onTestFinished(() => client.close());
  const args = [CLI, "stdio"];
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args, env: { ...room.env }, cwd: room.folder }),
  );
  const call = (name: string, given: Record<string, unknown>): Promise<Answer> =>
    client.callTool({ name, arguments: given });
  const { structuredContent } = await call("open_session", { agent_id: "ada", task_id: "t-1" });
  const { session_id } = structuredContent as { session_id: string };
  const [page] = (await client.readResource({ uri: "ui://budget" })).contents;
  const html = page && "text" in page ? page.text : "";
  const spend = (cost_usd: number) =>
    call("report_usage", { session_id, input_tokens: 1_000, output_tokens: 10, cost_usd });
  return { call, session_id, html, spend };
}

const textOf = (app: Frame, selector: string) => app.locator(selector).innerText();

/** The row of one limit. */
const row = (app: Frame, name: string) => app.locator("li").filter({ hasText: name });

async function expectShown(app: Frame, decision: string): Promise<void> {
  await expect.poll(() => textOf(app, "#decision")).toBe(decision);
}

const numbersOf = (app: Frame, name: string) => row(app, name).locator(".numbers").innerText();
const noteOf = (app: Frame, name: string) => row(app, name).locator(".note").innerText();

/** The widths of a bar's parts, of a hundred. */
const sharesOf = (app: Frame, name: string) =>
  row(app, name)
    .locator(".bar i")
    .evaluateAll((parts) =>
      parts.map((part) => Number.parseFloat((part as unknown as { style: { width: string } }).style.width)),
    );

/** Everything that can be read is contrasted, labelled and in order. */
async function expectAccessible({ app }: AppHost): Promise<void> {
  await app.evaluate(axe.source);
  const { violations } = (await app.evaluate("axe.run()")) as {
    violations: { id: string; nodes: { html: string }[] }[];
  };
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
}

const backgroundOf = (app: Frame) => app.evaluate("getComputedStyle(document.body).backgroundColor");

expectChromium();

describe.skipIf(IS_ABSENT)("the app of check_budget", () => {
  test("is one small page", async () => {
    const { html } = await work();
    expect(Buffer.byteLength(html)).toBeLessThan(MOST_BYTES);
  });

  test("greets its client by the letter of MCP Apps, tells its size and answers what it is asked", async () => {
    const { html } = await work();
    const host = await showApp({ html });
    expect(host.heard[0]).toEqual({
      jsonrpc: "2.0",
      id: 1,
      method: "ui/initialize",
      params: {
        protocolVersion: "2026-01-26",
        appInfo: { name: "astra-budget", version: "1" },
        appCapabilities: { availableDisplayModes: ["inline"] },
      },
    });
    expect(host.heard[1]).toEqual({ jsonrpc: "2.0", method: "ui/notifications/initialized", params: {} });
    const { params } = await host.next("ui/notifications/size-changed");
    expect(params).toEqual({ width: 420, height: expect.any(Number) });
    expect(params?.height).toBeGreaterThan(20);
    await host.send({ id: 7, method: "ping" });
    await host.send({ id: 8, method: "ui/resource-teardown", params: { reason: "closed" } });
    await host.send({ id: 9, method: "tools/list" });
    await expect
      .poll(() => host.heard.filter(({ method }) => method === undefined))
      .toEqual([
        { jsonrpc: "2.0", id: 7, result: {} },
        { jsonrpc: "2.0", id: 8, result: {} },
        { jsonrpc: "2.0", id: 9, error: { code: -32_601, message: "Method not found" } },
      ]);
    expect(await textOf(host.app, "#message")).toBe("Waiting for the answer.");
    expect(host.mishaps).toEqual([]);
  });

  test("shows the verdict, every limit with its numbers and its bar, when it resets, and the hold", async () => {
    const { call, session_id, html, spend } = await work();
    await spend(0.4);
    const ask = { session_id, estimate: { cost_usd: 0.2 }, hold: true };
    const held = await call("check_budget", ask);
    const host = await showApp({ html, context: { theme: "light", locale: "en-US", timeZone: "UTC" } });
    const { app } = host;
    await host.pass(ask, held);
    await expectShown(app, "✓ Allow");
    const { verdict, hold_id } = held.structuredContent as {
      verdict: { message: string; limits: object[] };
      hold_id: string;
    };
    expect(await textOf(app, "#message")).toBe(verdict.message);
    expect(await textOf(app, "#hold")).toMatch(/^Set aside until \w+ \d+, \d+:\d\d.[AP]M UTC: hld_/);
    expect(await textOf(app, "#hold")).toContain(hold_id);
    expect(await app.locator("li").count()).toBe(verdict.limits.length);
    await host.pass({ session_id }, await call("check_budget", { session_id }));
    await expect.poll(() => numbersOf(app, "Session: cost")).toBe("$0.40 spent · $0.20 held · $0.40 left of $1.00");
    expect(await sharesOf(app, "Session: cost")).toEqual([40, 20]);
    expect(await noteOf(app, "Session: cost")).toBe("nearest its end");
    expect(await numbersOf(app, "Team night-shift: cost, today")).toMatch(
      /^\$0\.40 spent · \$0\.20 held · \$1\.40 left of \$2\.00 · resets \w+ \d+, 12:00.AM UTC$/,
    );
    expect(await sharesOf(app, "Team night-shift")).toEqual([20, 10]);
    expect(await numbersOf(app, "Session: tool calls")).toBe("0 spent · 4 left of 4");
    expect(await numbersOf(app, "Session: duration")).toMatch(/^\d+ s spent · \d+ s left of 300 s$/);
    await expectAccessible(host);
    expect(host.mishaps).toEqual([]);
  });

  test("a warning and a denial are told by words, not by colour alone", async () => {
    const { call, session_id, html, spend } = await work();
    const host = await showApp({ html });
    const { app } = host;
    for (const [cost, decision, note] of [
      [0.9, "! Warn", "decides"],
      [0.3, "✕ Deny", "used up, decides"],
    ] as const) {
      await spend(cost);
      await host.pass({ session_id }, await call("check_budget", { session_id }));
      await expectShown(app, decision);
      expect(await noteOf(app, "Session: cost")).toBe(note);
      await expectAccessible(host);
    }
    expect(await numbersOf(app, "Session: cost")).toContain("over by $0.20");
    expect(await sharesOf(app, "Session: cost")).toEqual([100, 0]);
    expect(host.mishaps).toEqual([]);
  });

  test("checks again through the client: the same question, but nothing is set aside", async () => {
    const { call, session_id, html, spend } = await work();
    const asked: Record<string, unknown>[] = [];
    const host = await showApp({
      html,
      capabilities: CAN_CALL,
      call: (params) => {
        asked.push(params);
        return call(String(params.name), params.arguments as Record<string, unknown>);
      },
    });
    const { app } = host;
    const button = app.getByRole("button", { name: "Check again" });
    expect(await button.count()).toBe(0);
    const question = { session_id, estimate: { cost_usd: 0.1 } };
    const ask = { ...question, hold: true, hold_ttl_ms: 60_000, idempotency_key: "k" };
    await host.pass(ask, await call("check_budget", ask));
    await expectShown(app, "✓ Allow");
    await spend(0.85);
    await button.click();
    await expectShown(app, "✕ Deny");
    expect(asked).toEqual([{ name: "check_budget", arguments: question }]);
    expect(await numbersOf(app, "Session: cost")).toMatch(/^\$0\.85 spent · \$0\.10 held/);
    expect(await button.isEnabled()).toBe(true);
  });

  test("says what went wrong and keeps what it showed: a fault of the tool, of the client, a cancelled call", async () => {
    const { call, session_id, html } = await work();
    let fails = 0;
    const failing = async (): Promise<Answer> => {
      fails += 1;
      if (fails > 1) throw new Error("The user said no.");
      return call("check_budget", { session_id: "ses_nobody" });
    };
    const host = await showApp({ html, capabilities: CAN_CALL, call: failing });
    const { app } = host;
    await host.send({ method: "ui/notifications/tool-cancelled", params: { reason: "stopped" } });
    await expect.poll(() => textOf(app, "[role=alert]")).toBe("The check was cancelled.");
    expect(await textOf(app, "#message")).toBe("No budget to show.");
    await host.pass({ session_id }, await call("check_budget", { session_id }));
    await expectShown(app, "✓ Allow");
    expect(await app.getByRole("alert").count()).toBe(0);
    const button = app.getByRole("button", { name: "Check again" });
    for (const fault of [/^session_not_found: /, /^The user said no\.$/]) {
      await button.click();
      await expect.poll(() => textOf(app, "[role=alert]")).toMatch(fault);
      await expectShown(app, "✓ Allow");
    }
    await host.pass({ session_id }, { content: [] });
    await expect.poll(() => textOf(app, "[role=alert]")).toBe("The answer holds no budget.");
    expect(host.mishaps).toEqual([]);
  });

  test("a client that never answers is given up on, and can be asked again", async () => {
    const { call, session_id, html } = await work();
    const host = await showApp({ html, capabilities: CAN_CALL });
    const { app, page } = host;
    await host.pass({ session_id }, await call("check_budget", { session_id }));
    await expectShown(app, "✓ Allow");
    await page.clock.install();
    const button = app.getByRole("button", { name: "Check again" });
    await button.click();
    await host.next("tools/call");
    expect(await button.isDisabled()).toBe(true);
    await page.clock.fastForward(30_000);
    await expect.poll(() => textOf(app, "[role=alert]")).toBe("The client did not answer.");
    expect(await button.isEnabled()).toBe(true);
  });

  test("without a limit it says so; a client that passes on the text alone is shown its sentence", async () => {
    const { call, html } = await work(newRoom("agents: [{ id: ada }]"));
    const host = await showApp({ html });
    const answer = await call("check_budget", { agent_id: "ada" });
    await host.pass({ agent_id: "ada" }, answer);
    await expect.poll(() => textOf(host.app, "#message")).toBe("No limit bears on this.");
    expect(await host.app.locator("li").count()).toBe(0);
    const { content } = answer;
    await host.pass({ agent_id: "ada" }, { content });
    await expect.poll(() => textOf(host.app, "[role=alert]")).toBe("allow: No limit bears on this.");
  });

  test("is light or dark as its client is, takes its colours and font, and changes with it", async () => {
    const { call, session_id, html } = await work();
    const host = await showApp({ html, context: { theme: "dark", locale: "no such locale", timeZone: "Nowhere" } });
    const { app } = host;
    await host.pass({ session_id }, await call("check_budget", { session_id }));
    await expectShown(app, "✓ Allow");
    expect(await backgroundOf(app)).toBe("rgb(27, 27, 29)");
    await expectAccessible(host);
    const change = (params: Record<string, unknown>) =>
      host.send({ method: "ui/notifications/host-context-changed", params });
    await change({ theme: "light" });
    await expect.poll(() => backgroundOf(app)).toBe("rgb(255, 255, 255)");
    await change({
      styles: { variables: { "--color-background-primary": "light-dark(#fffbe6, #000)", color: "red" } },
    });
    await expect.poll(() => backgroundOf(app)).toBe("rgb(255, 251, 230)");
    await change({ locale: "de-DE", timeZone: "Europe/Berlin" });
    await expect.poll(() => numbersOf(app, "Session: cost")).toContain("1,00");
    expect(host.mishaps).toEqual([]);
  });

  test("fits a phone and its client's frame: it tells each new height, and nothing sticks out", async () => {
    const { call, session_id, html } = await work();
    const host = await showApp({ html, width: 280 });
    const before = Number((await host.next("ui/notifications/size-changed")).params?.height);
    await host.pass({ session_id }, await call("check_budget", { session_id }));
    await expectShown(host.app, "✓ Allow");
    await expect
      .poll(async () => (await host.next("ui/notifications/size-changed")).params?.height)
      .toBeGreaterThan(before + 100);
    expect(await host.app.evaluate("document.documentElement.scrollWidth")).toBe(280);
  });
});

/** It would tell the host, if it ran. */
const MARKUP = `<img src=x onerror="parent.postMessage('ran','*')"><script>parent.postMessage('ran','*')</script>`;
const HOSTILE = {
  markup: MARKUP,
  "the end of a script": `</script>${MARKUP}`,
  "turned directions": "\u202egnirts\u2066",
  emoji: "👩‍👩‍👧 🏴‍☠️",
  "10,000 letters": "x".repeat(10_000),
  "a formula": "=1+1",
  "a property of every object": "__proto__",
  "half a character": "\ud800",
};

/** The same answer, every string in it replaced. */
const spoilt = (value: unknown, text: string): unknown => {
  if (typeof value === "string") return text;
  if (Array.isArray(value)) return value.map((each) => spoilt(each, text));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, spoilt(each, text)]));
};

describe.skipIf(IS_ABSENT)("hostile text in the app", () => {
  test("a reason that an operator wrote into the ledger is read, not run", async () => {
    const room = newRoom(POLICY);
    const { call, session_id, html } = await work(room);
    await room.run(["stop", "--agent", "ada", "--reason", MARKUP]);
    const host = await showApp({ html });
    await host.pass({ session_id }, await call("check_budget", { session_id }));
    await expectShown(host.app, "✕ Deny");
    expect(await textOf(host.app, "#message")).toContain(MARKUP);
    await expectHarmless(host);
  });

  test.each(Object.entries(HOSTILE))(
    "is text in every string of an answer, a fault and a context: %s",
    async (_, text) => {
      const { call, session_id, html } = await work();
      const answer = spoilt(await call("check_budget", { session_id }), text) as Answer;
      const options: HostOptions = { html, capabilities: CAN_CALL, call: async () => ({ ...answer, isError: true }) };
      const host = await showApp({ ...options, context: { locale: text, timeZone: text, theme: text } });
      await host.pass({ session_id: text }, answer);
      await expect.poll(() => host.app.locator("li").count()).toBeGreaterThan(3);
      await host.app.getByRole("button", { name: "Check again" }).click();
      await expect.poll(() => host.app.getByRole("alert").count()).toBe(1);
      await expectHarmless(host);
      expect(await host.app.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(420);
      expect(await host.app.locator("main").innerText()).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
    },
  );
});

/** Nothing ran, nothing was asked of the network, and no element is there that is not the app's own. */
async function expectHarmless({ app, heard, mishaps }: AppHost): Promise<void> {
  expect(await app.locator("script").count()).toBe(1);
  expect(await app.locator("img, a, iframe, object, form").count()).toBe(0);
  expect(heard).not.toContain("ran");
  expect(mishaps).toEqual([]);
}
