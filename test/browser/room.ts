// A room with the real server in it, people at its dashboard in a real browser, and agents over stdio on the same ledger.
import type { BrowserContextOptions, Page } from "playwright-core";
import { onTestFinished } from "vitest";
import { type Agent, modern } from "../faces/clients.ts";
import { newRoom, type Room } from "../faces/room.ts";
import { type ServerProcess, startServer } from "../faces/server-process.ts";
import { type Caller, callerAt } from "../faces/server-room.ts";
import { noonZone } from "../process/servers.ts";
import { browser } from "./chromium.ts";
import { guard } from "./guard.ts";

export type Role = "viewer" | "operator" | "owner";

export type Visit = {
  /** Signs in with a new key of this role; the sign-in form is left open if absent. */
  readonly as?: Role;
  /** Where to go, e.g. "#/costs". */
  readonly at?: string;
  readonly look?: BrowserContextOptions;
  /** Another way to the server than its own address. */
  readonly through?: URL;
  /** Refusals that the test is about, as "403 POST /auth/session". */
  readonly refusals?: readonly (string | RegExp)[];
};

export type Dashboard = {
  readonly room: Room;
  readonly url: URL;
  /** A new key by the real command. */
  key(role: Role | "agent"): Promise<string>;
  /** Calls REST with that key. */
  caller(key: string): Caller;
  /** A page of a browser of its own: whatever goes wrong in it fails the test. */
  visit(visit?: Visit): Promise<Page>;
  /** A real MCP client on a real stdio server of the same ledger, pinned to an agent; or to none. */
  agent(agentId?: string): Promise<Agent>;
  /** Kills the server. */
  kill(): Promise<void>;
  /** Starts it again at the same address. */
  restart(): Promise<void>;
};

/** It is about noon, in English, whatever the machine's own time and language are. */
const LOOK = { locale: "en-US", viewport: { width: 1440, height: 900 } } as const;

export const POLICY = `
workspace: { id: acme, timezone: ${noonZone()}, dailyCostLimitUsd: 50, monthlyCostLimitUsd: 400 }
hardCaps: { maxDuration: 3600000, maxCostCents: 1000 }
teams: [{ id: research, dailyCostLimitUsd: 20 }, { id: support, dailyCostLimitUsd: 5 }]
agents:
  - { id: ada, team: research, budget: { maxCostCents: 100 } }
  - { id: bob, team: support }
  - { id: eve, team: research }
tasks: [{ id: t-1, title: Read the papers, team: research }]
`;

export async function newDashboard(policy: string = POLICY, room: Room = newRoom(policy)): Promise<Dashboard> {
  let server: ServerProcess = await startServer(room, ["--rate-limit", "0"]);
  const { url } = server;
  const key: Dashboard["key"] = async (role) => {
    const agent = role === "agent" ? ["--agent", "ada"] : [];
    const { secret } = await room.json(["key", "create", "--name", `a ${role}`, "--role", role, ...agent]);
    return String(secret);
  };
  return {
    room,
    url,
    key,
    caller: (secret) => callerAt(url, { "x-api-key": secret }),
    async visit({ as, at = "", look = {}, through = url, refusals = [] } = {}) {
      const context = await (await browser()).newContext({ ...LOOK, ...look });
      onTestFinished(() => context.close());
      const page = await guard(context, through.origin, refusals);
      await page.goto(new URL(at, through).href);
      if (as) await signIn(page, await key(as));
      return page;
    },
    agent: (agentId) => modern(room, agentId === undefined ? [] : ["--agent", agentId]),
    kill: async () => void (await server.stop("SIGKILL")),
    restart: async () => {
      server = await startServer(room, ["--rate-limit", "0", "--port", url.port]);
    },
  };
}

/** By keyboard, as people do; the page that was asked for is shown when this resolves. */
export async function signIn(page: Page, secret: string): Promise<void> {
  await page.getByLabel("Key").fill(secret);
  await page.keyboard.press("Enter");
  await page.getByRole("navigation").waitFor();
}

/** The table of that caption. */
const tableOf = (page: Page, caption: string) => page.getByRole("table", { name: caption, exact: true });

/** A table as people read it: each row by the heads of its columns. */
export async function rowsOf(page: Page, caption: string): Promise<Record<string, string>[]> {
  // A table without rows is hidden, and nobody waits for it to come back.
  return await tableOf(page, caption).evaluateAll((tables) =>
    (tables as unknown as ShownTable[]).flatMap(({ tHead, tBodies }) => {
      const heads = [...(tHead.rows[0]?.cells ?? [])].map((head) => head.textContent);
      const lines = [...tBodies].flatMap(({ rows }) => [...rows]);
      return lines.map(({ cells }) =>
        Object.fromEntries([...cells].map((cell, i) => [heads[i] ?? "", cell.innerText.trim()])),
      );
    }),
  );
}

/** What the browser knows of a table: this runs there. */
type Part = { readonly rows: readonly { readonly cells: readonly { textContent: string; innerText: string }[] }[] };
type ShownTable = { readonly tHead: Part; readonly tBodies: readonly Part[] };

/** The row that has such a text in it. */
export const rowWith = (page: Page, caption: string, text: string) =>
  tableOf(page, caption)
    .locator("tbody tr")
    .filter({ has: page.getByText(text, { exact: true }) });

const PATIENCE_MS = 20_000;

/**
 * When a condition first held in a frame of the page, by the browser's clock, which is this machine's.
 * (Playwright's own waiting evaluates texts again and again, which the page's policy forbids.)
 */
export async function when(page: Page, condition: string): Promise<number> {
  const until = Date.now() + PATIENCE_MS;
  const held = await page.evaluate(`new Promise((resolve) => {
    const look = () => (${condition}) ? resolve(Date.now()) : Date.now() > ${until} ? resolve(null) : requestAnimationFrame(look);
    look();
  })`);
  if (typeof held !== "number") throw new Error(`it never held in the page: ${condition}`);
  return held;
}
