// Real clients of real servers: one shape over the current SDK in both eras and over the SDK of the 2025 era.
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { onTestFinished } from "vitest";
import { CLI, type Room } from "./room.ts";

export type ToolResult = {
  readonly isError: boolean;
  /** The one text block. */
  readonly text: string;
  /** `structuredContent`; empty where there is none. */
  readonly data: Record<string, unknown>;
};

export type ListedTool = {
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly inputSchema: Record<string, unknown>;
  readonly outputSchema?: Record<string, unknown> | undefined;
  readonly annotations?: Record<string, unknown> | undefined;
};

export type Agent = {
  readonly protocol: string | undefined;
  readonly instructions: string | undefined;
  readonly pid: number;
  tools(): Promise<readonly ListedTool[]>;
  call(name: string, args?: Record<string, unknown>): Promise<ToolResult>;
  /** What the server has written to standard error so far. */
  stderr(): string;
  leave(): Promise<void>;
};

export type Connect = (room: Room, args?: readonly string[], env?: Record<string, string>) => Promise<Agent>;

export const INFO = { name: "test", version: "1.0.0" };

const serverOf = (room: Room, args: readonly string[], env: Record<string, string>) => ({
  command: process.execPath,
  args: [CLI, "stdio", ...args],
  env: { ...room.env, ...env },
  cwd: room.folder,
  stderr: "pipe" as const,
});

/** The current SDK's client, pinned to the 2026 revision. */
export const modern: Connect = (room, args = [], env = {}) =>
  current(new Client(INFO, { versionNegotiation: { mode: { pin: "2026-07-28" } } }), serverOf(room, args, env));

/** The same client as it is by default: the handshake of 2025. */
export const legacy: Connect = (room, args = [], env = {}) => current(new Client(INFO), serverOf(room, args, env));

async function current(client: Client, server: ReturnType<typeof serverOf>): Promise<Agent> {
  const transport = new StdioClientTransport(server);
  const stderr = collected(transport.stderr);
  onTestFinished(() => client.close());
  await client.connect(transport);
  return {
    protocol: client.getNegotiatedProtocolVersion(),
    instructions: client.getInstructions(),
    pid: transport.pid ?? 0,
    tools: async () => (await client.listTools()).tools as ListedTool[],
    call: async (name, args = {}) => resultOf(await client.callTool({ name, arguments: args })),
    stderr,
    leave: () => client.close(),
  };
}

/** The 2025 era's own SDK; `version` is what it asks for, its latest if not given. */
export function old(version?: string): Connect {
  return async (room, args = [], env = {}) => {
    const client = new OldClient(INFO);
    const transport = new OldTransport(serverOf(room, args, env));
    const stderr = collected(transport.stderr);
    let protocol: string | undefined;
    Object.assign(transport, {
      setProtocolVersion: (negotiated: string) => {
        protocol = negotiated;
      },
    });
    const send = transport.send.bind(transport);
    transport.send = (message) => {
      const isAsking = version !== undefined && "method" in message && message.method === "initialize";
      return send(isAsking ? { ...message, params: { ...message.params, protocolVersion: version } } : message);
    };
    onTestFinished(() => client.close());
    await client.connect(transport);
    return {
      protocol,
      instructions: client.getInstructions(),
      pid: transport.pid ?? 0,
      tools: async () => (await client.listTools()).tools as ListedTool[],
      call: async (name, args = {}) => resultOf(await client.callTool({ name, arguments: args })),
      stderr,
      leave: () => client.close(),
    };
  };
}

function collected(stream: { on(event: "data", listener: (chunk: unknown) => void): unknown } | null): () => string {
  let text = "";
  stream?.on("data", (chunk) => {
    text += String(chunk);
  });
  return () => text;
}

export function resultOf(result: object): ToolResult {
  const { content, structuredContent, isError } = result as {
    content: { type: string; text: string }[];
    structuredContent?: Record<string, unknown>;
    isError?: boolean;
  };
  if (content.length !== 1 || content[0]?.type !== "text") throw new Error(`not one text: ${JSON.stringify(content)}`);
  return { isError: isError === true, text: content[0].text, data: structuredContent ?? {} };
}
