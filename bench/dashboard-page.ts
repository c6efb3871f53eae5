// What the dashboard's benchmark notes inside the page: paints, frames, long tasks and the newest charge in each frame.
import type { BrowserContext, CDPSession, Page } from "playwright-core";

/** Milliseconds since the navigation began. */
export type Look = { readonly paintedAt: number; readonly shownAt: number; readonly kilobytes: number };

export type Frames = {
  /** From each frame to the next. */
  readonly gaps: readonly number[];
  /** Milliseconds in tasks of 50 ms and more, together. */
  readonly longTasks: number;
  /** Each time the newest charge of the feed was another one: its number, and when, by the clock of the machine. */
  readonly newest: readonly { readonly number: number; readonly at: number }[];
};

/** Runs before the page's own script. A charge's number is its cost in millionths of a dollar. */
export const INSTRUMENTS = `
  globalThis.bench = { shownAt: null, gaps: [], longTasks: 0, newest: [], last: 0 };
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) bench.longTasks += duration;
  }).observe({ entryTypes: ["longtask"] });
  const look = (now) => {
    bench.gaps.push(now - bench.last);
    bench.last = now;
    if (bench.shownAt === null && document.querySelector("main tbody tr")) bench.shownAt = now;
    const cost = document.querySelector("[aria-labelledby=feed] tbody tr .usd")?.title ?? "";
    const number = Math.round(Number(cost.replace("$", "")) * 1e6);
    if (number !== bench.newest.at(-1)?.number) bench.newest.push({ number, at: Date.now() });
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
`;

/** Loads the first page with nothing kept from before. */
export async function firstLook(context: BrowserContext, url: string): Promise<Look> {
  const page = await context.newPage();
  const network = await context.newCDPSession(page);
  await network.send("Network.enable");
  await network.send("Network.setCacheDisabled", { cacheDisabled: true });
  const bytes = bytesOf(network);
  await page.goto(url);
  await page.locator("main tbody tr").first().waitFor();
  await page.waitForTimeout(500);
  const [paintedAt, shownAt] = (await page.evaluate(
    '[performance.getEntriesByName("first-contentful-paint")[0].startTime, bench.shownAt]',
  )) as [number, number];
  await page.close();
  return { paintedAt, shownAt, kilobytes: bytes() / 1_000 };
}

/** Heads and bodies as they came over the wire; the stream has no end, so its parts are counted. */
function bytesOf(network: CDPSession): () => number {
  const requests = new Map<string, number>();
  const add = (id: string, more: number) => requests.set(id, (requests.get(id) ?? 0) + more);
  network.on("Network.responseReceived", ({ requestId, response }) => add(requestId, response.encodedDataLength));
  network.on("Network.dataReceived", ({ requestId, encodedDataLength, dataLength }) =>
    add(requestId, encodedDataLength || dataLength),
  );
  network.on("Network.loadingFinished", ({ requestId, encodedDataLength }) =>
    requests.set(requestId, encodedDataLength),
  );
  return () => [...requests.values()].reduce((sum, each) => sum + each, 0);
}

/** The frames while something goes on. */
export async function frames(page: Page, during: () => Promise<unknown>): Promise<Frames> {
  await page.evaluate("Object.assign(bench, { gaps: [], longTasks: 0, newest: [] })");
  await during();
  return (await page.evaluate("bench")) as Frames;
}
