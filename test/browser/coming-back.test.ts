// A page that is left alone and looked at again, in a real Chromium: it takes no connection meanwhile, and catches up.
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Page } from "playwright-core";
import { describe, expect, onTestFinished, test } from "vitest";
import { newServerRoom, type ServerRoom } from "../faces/server-room.ts";
import { browser, expectChromium, IS_ABSENT } from "./chromium.ts";

expectChromium();

const USAGE = { input_tokens: 1, output_tokens: 1, cost_usd: 0.25 };
/** More than a browser has connections to one server. */
const PAGES = 8;

async function someone({ ownerKeys }: ServerRoom, url: URL) {
  const context = await (await browser()).newContext({ locale: "en-US" });
  onTestFinished(() => context.close());
  const page = async (hash = "") => {
    const made = await context.newPage();
    await made.goto(new URL(hash, url).href);
    return made;
  };
  const first = await page();
  await first.getByLabel("Key").fill(ownerKeys[0] ?? "");
  await first.keyboard.press("Enter");
  await status(first, "live");
  return { context, first, page };
}

const status = (page: Page, text: string) =>
  page.getByRole("banner").getByRole("status").filter({ hasText: text }).waitFor({ timeout: 15_000 });

/** What the browser tells a page when another tab is looked at: here all of them count as seen. */
const see = (page: Page, isSeen: boolean) =>
  page.evaluate(`Object.defineProperty(document, "hidden", { configurable: true, value: ${!isSeen} });
    document.dispatchEvent(new Event("visibilitychange"))`);

async function spender({ owner }: ServerRoom) {
  const { session_id } = (await owner.post("/api/v1/agents/ada/sessions")).body;
  return () => owner.post(`/api/v1/sessions/${session_id}/usage`, USAGE);
}

/** A way to the server that can be held up without a word, as when a machine sleeps or a cable is pulled. */
async function wireTo(url: URL) {
  const pairs = new Set<readonly [Socket, Socket]>();
  const server: Server = createServer((near) => {
    const far = connect(Number(url.port), url.hostname);
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const end of pair) end.on("error", () => {}).on("close", () => pair.map((each) => each.destroy()));
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const [near] of pairs) near.destroy();
    server.close();
  });
  const at = new URL(url);
  at.port = String((server.address() as { port: number }).port);
  return {
    url: at,
    /** What is open falls silent for good; what is opened later is not touched. */
    silence: () => {
      for (const [near, far] of pairs) {
        far.unpipe(near);
        far.resume();
      }
    },
  };
}

describe.skipIf(IS_ABSENT)("a page that is come back to", () => {
  test("takes no connection while nobody sees it: the next page loads, however many are open", async () => {
    const room = await newServerRoom();
    const { first, page } = await someone(room, room.url);
    await see(first, false);
    for (let i = 1; i < PAGES; i++) {
      const next = await page();
      await status(next, "live");
      await see(next, false);
    }
  });

  test("shows what happened meanwhile: in the feed without a gap that looks like none, and on pages that ask", async () => {
    const room = await newServerRoom();
    const spend = await spender(room);
    await spend();
    const { first, page } = await someone(room, room.url);
    const costs = await page("#/costs");
    await costs.getByText("$0.25").first().waitFor();
    const rows = () => first.getByRole("table", { name: "Newest charges" }).locator("tbody tr").count();
    await expect.poll(rows).toBe(1);
    for (const each of [first, costs]) await see(each, false);
    for (let i = 0; i < 39; i++) await spend();
    expect(await rows()).toBe(1);
    for (const each of [first, costs]) await see(each, true);
    await costs.getByText("$10.00").first().waitFor({ timeout: 15_000 });
    await expect.poll(rows).toBe(30);
  });

  test("hears that its connection is dead though nothing says so, and connects anew", async () => {
    const room = await newServerRoom();
    const wire = await wireTo(room.url);
    const { context, first } = await someone(room, wire.url);
    await context.clock.install();
    await first.reload();
    await status(first, "live");
    wire.silence();
    const spend = await spender(room);
    await spend();
    // Other connections, kept for the next request, are as dead: each is found out in its turn.
    const isShown = async () => {
      await first.clock.fastForward(60_000);
      return await first.getByText("$0.25").first().isVisible();
    };
    await expect.poll(isShown, { interval: 1_000, timeout: 15_000 }).toBe(true);
    await status(first, "live");
  });
});

describe.skipIf(IS_ABSENT)("a machine whose clock is an hour behind", () => {
  test("shows how much time a session has left by the server's clock", async () => {
    const room = await newServerRoom({ policy: { hardCaps: { maxDuration: 1_800_000 } } });
    await spender(room);
    const { context, first } = await someone(room, room.url);
    await context.clock.install({ time: Date.now() - 3_600_000 });
    await first.reload();
    await first.getByText(/^(30|29) min/).waitFor({ timeout: 10_000 });
  });
});
