// The yardstick of the stdio and start benchmarks: the least server this SDK can serve, with one tool that does nothing.
// Given a file, the tool answers with the JSON in it.
import { readFileSync } from "node:fs";
import { McpServer } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { z } from "zod";

const file = process.argv[2];
const answer = file ? JSON.parse(readFileSync(file, "utf8")) : { content: [{ type: "text", text: "ok" }] };

serveStdio(() => {
  const server = new McpServer({ name: "bare", version: "1.0.0" }, { capabilities: { tools: {} } });
  server.registerTool("noop", { inputSchema: z.object({}) }, async () => answer);
  return server;
});
process.stdin.on("end", () => process.exit(0));
