// The MCP App of check_budget as the Inspector finds it over every transport, and that plain clients notice nothing.
import { createRequire } from "node:module";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { describe, expect, onTestFinished, test } from "vitest";
import { INFO } from "./clients.ts";
import { commandOf, runCommand } from "./package-command.ts";
import { CLI, newRoom, type Room } from "./room.ts";
import { startServer } from "./server-process.ts";

const require = createRequire(import.meta.url);
const INSPECTOR = commandOf(require.resolve("@modelcontextprotocol/inspector/package.json"));
const APP = {
  resourceUri: "ui://budget",
  mimeType: "text/html;profile=mcp-app",
  _meta: { ui: { csp: {}, prefersBorder: true } },
};
const POLICY = "agents: [{ id: ada, dailyCostLimitUsd: 0.5 }]\n";
const EXTENSION = "io.modelcontextprotocol/ui";

const overStdio = async () => [process.execPath, CLI, "stdio"];

const overHttp = (path: string, transport: string) => async () => {
  const server = await startServer(newRoom());
  const authorization = `Authorization: Bearer ${server.ownerKey}`;
  return [`${server.url}${path}`, "--transport", transport, "--header", authorization];
};

describe.each([
  ["stdio", "modern", overStdio],
  ["stdio", "legacy", overStdio],
  ["/mcp", "modern", overHttp("mcp", "http")],
  ["/mcp", "legacy", overHttp("mcp", "http")],
  ["/sse", "legacy", overHttp("sse", "sse")],
] as const)("the Inspector over %s in the %s era", (_, era, target) => {
  test("finds the app of check_budget and of no other tool, and reads one whole page that names nothing outside", async () => {
    const server = ["--cli", ...(await target()), "--protocol-era", era, "--format", "json", "-q"];
    const inspect = async (...args: string[]) => {
      const { code, stdout, output } = await runCommand(INSPECTOR, [...server, ...args]);
      expect(code, output).toBe(0);
      return stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
    };
    const found = await inspect("--method", "tools/list", "--app-info");
    expect(found.filter(({ hasApp }) => hasApp)).toEqual([
      {
        hasApp: true,
        toolName: "check_budget",
        resourceUri: APP.resourceUri,
        resourceMimeType: APP.mimeType,
        ...APP._meta.ui,
      },
    ]);
    expect(found).toHaveLength(5);
    const [{ result }] = await inspect("--method", "resources/read", "--uri", APP.resourceUri);
    const [{ text, ...content }] = result.contents;
    expect(content).toEqual({ uri: APP.resourceUri, mimeType: APP.mimeType, _meta: APP._meta });
    expectWhole(text);
  });
});

const VOID = ["meta"];

/** Every element that is opened is closed in turn, and nothing is loaded. */
function expectWhole(html: string): void {
  expect(html).toMatch(/^<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">.+<\/html>\n$/s);
  expect(html).not.toMatch(/\b(src|href|action)=|url\(|@import|https?:|\bimport\b|innerHTML|\beval\b/);
  expect(html.match(/<\/?script/g)).toEqual(["<script", "</script"]);
  const open: string[] = [];
  const markup = html.replace(/<(style|script)>.*?<\/\1>/gs, "<$1></$1>");
  for (const [, slash, name = ""] of markup.matchAll(/<(\/?)([a-z]\w*)[^>]*>/g)) {
    if (slash) expect(open.pop()).toBe(name);
    else if (!VOID.includes(name)) open.push(name);
  }
  expect(open).toEqual([]);
}

describe.each(["2026-07-28", "2025-11-25"])("to a client of %s", (revision) => {
  const connected = async (room: Room, capabilities = {}) => {
    const versionNegotiation = revision === "2026-07-28" ? { mode: { pin: revision } } : {};
    const client = new Client(INFO, { capabilities, versionNegotiation });
    onTestFinished(() => client.close());
    const args = [CLI, "stdio"];
    await client.connect(
      new StdioClientTransport({ command: process.execPath, args, env: { ...room.env }, cwd: room.folder }),
    );
    return client;
  };

  test("the extension is announced", async () => {
    const client = await connected(newRoom());
    expect(client.getServerCapabilities()?.extensions).toEqual({ [EXTENSION]: {} });
  });

  test("check_budget answers with the text and the data alone, whether it shows apps or not", async () => {
    const room = newRoom(POLICY);
    const plain = await connected(room);
    const showing = await connected(room, { extensions: { [EXTENSION]: { mimeTypes: [APP.mimeType] } } });
    const ask = { name: "check_budget", arguments: { agent_id: "ada", estimate: { cost_usd: 0.45 } } };
    const { _meta: _, ...answer } = await plain.callTool(ask);
    const { verdict, ...rest } = answer.structuredContent as { verdict: { decision: string; message: string } };
    expect(answer).toEqual({
      content: [{ type: "text", text: `${verdict.decision}: ${verdict.message}\n${JSON.stringify(rest)}` }],
      structuredContent: answer.structuredContent,
    });
    expect(JSON.stringify(answer)).not.toContain("ui://");
    const { _meta: __, ...shown } = await showing.callTool(ask);
    expect(JSON.stringify(shown)).toBe(JSON.stringify(answer));
    expect((await plain.listTools()).tools).toEqual((await showing.listTools()).tools);
  });
});
