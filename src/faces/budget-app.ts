// The budget of a session as an MCP App: the page that check_budget names, for clients that show such pages.
import type { McpServer } from "@modelcontextprotocol/server";
import { BUDGET_PAGE } from "./budget-app/page.ts";

/** Short, because every list of tools carries it. */
const APP_URI = "ui://budget";
const APP_TYPE = "text/html;profile=mcp-app";

/** What the server announces; clients that know the extension look for `_meta.ui` on tools. */
export const APP_EXTENSION = { "io.modelcontextprotocol/ui": {} } as const;

/** Which tools have a page, by the name of their operation. */
export const APP_OF_TOOL: Readonly<Record<string, { _meta: { ui: { resourceUri: string } } }>> = {
  check_budget: { _meta: { ui: { resourceUri: APP_URI } } },
};

/** It loads nothing from anywhere. */
const META = { ui: { csp: {}, prefersBorder: true } };

/** The page is the same for everybody until the next start: what it shows, the client passes to it. */
const cacheHint = { ttlMs: 300_000, cacheScope: "public" } as const;

export function offerBudgetApp(server: McpServer): void {
  const config = {
    title: "Budget of a session, as a page",
    description: "For clients that show MCP Apps beside check_budget; of no use to a model.",
    mimeType: APP_TYPE,
    cacheHint,
    _meta: META,
  };
  server.registerResource("budget_app", APP_URI, config, () => ({
    contents: [{ uri: APP_URI, mimeType: APP_TYPE, text: BUDGET_PAGE, _meta: META }],
  }));
}
