// An MCP client of the current SDK at a running server's /mcp, with a key or a token as its bearer.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { onTestFinished } from "vitest";
import { INFO, resultOf, type ToolResult } from "./clients.ts";

export type McpAgent = {
  tools(): Promise<string[]>;
  call(name: string, args?: Record<string, unknown>): Promise<ToolResult>;
  /** What the server answers a protocol fault with, as text; the resource's text otherwise. */
  read(uri: string): Promise<string>;
};

/** Rejects where the server does not let it in. */
export async function mcpAgent(url: URL, bearer: string | null, era: "2025" | "2026" = "2026"): Promise<McpAgent> {
  const pinned = { versionNegotiation: { mode: { pin: "2026-07-28" } } } as const;
  const client = new Client(INFO, era === "2026" ? pinned : {});
  const headers: Record<string, string> = bearer === null ? {} : { authorization: `Bearer ${bearer}` };
  onTestFinished(() => client.close());
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", url), { requestInit: { headers } }));
  return {
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, args = {}) => {
      return resultOf(await client.callTool({ name, arguments: args }));
    },
    read: async (uri) => {
      try {
        const { contents } = (await client.readResource({ uri })) as { contents: { text: string }[] };
        return contents.map(({ text }) => text).join("\n");
      } catch (error) {
        return `fault: ${error instanceof Error ? error.message : String(error)}`;
      }
    },
  };
}
