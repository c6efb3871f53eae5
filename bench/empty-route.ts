// The yardsticks of the HTTP benchmarks, a process of its own: the same Hono server with one route that answers a
// constant, and the same SDK's handler with one tool that does nothing.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { Hono } from "hono";
import { z } from "zod";

const app = new Hono();
app.all("/empty", (http) => http.json({ status: "ok" }));

const mcp = createMcpHandler(
  () => {
    const server = new McpServer({ name: "bare", version: "1.0.0" }, { capabilities: { tools: {} } });
    const answer = { content: [{ type: "text" as const, text: "ok" }] };
    server.registerTool("noop", { inputSchema: z.object({}) }, async () => answer);
    return server;
  },
  { legacy: "reject" },
);
app.all("/mcp", (http) => mcp.fetch(http.req.raw));

const server = createServer(getRequestListener(app.fetch));
server.listen(0, "127.0.0.1", () => {
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
