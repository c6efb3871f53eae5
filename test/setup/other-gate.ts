// An MCP server with a tool `gate` that is not ours: it answers whatever its first argument says, to every call.
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";

const [, , text = ""] = process.argv;
const server = new McpServer({ name: "other", version: "1" });
server.registerTool("gate", { inputSchema: z.looseObject({}) }, async () => ({ content: [{ type: "text", text }] }));
await server.connect(new StdioServerTransport());
