// Real clients over real sockets: the current SDK in both eras, the SDK of the 2025 era, and its SSE transport.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { ResourceUpdatedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { onTestFinished } from "vitest";

export type HttpAgent = {
  readonly protocol: string | undefined;
  /** The URIs it was told of, in order. */
  readonly told: string[];
  tools(): Promise<string[]>;
  call(name: string, args?: Record<string, unknown>): Promise<Record<string, unknown>>;
  read(uri: string): Promise<Record<string, unknown>>;
  /** Resolves when the server has agreed; answers the URIs it agreed to. */
  subscribe(...uris: string[]): Promise<readonly string[]>;
  /** Ends what `subscribe` began. */
  unsubscribe(): Promise<void>;
  leave(): Promise<void>;
};

/** `url`: the server's; `agent`: who it says it is. */
export type HttpConnect = (url: URL, agent?: string) => Promise<HttpAgent>;

const INFO = { name: "test", version: "1.0.0" };
const headersOf = (agent: string | undefined) => ({
  requestInit: { headers: agent === undefined ? {} : { "x-agent": agent } },
});

/** The current client, pinned to the 2026 revision. */
export const modern: HttpConnect = async (url, agent) => {
  const client = new Client(INFO, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
  const told = tellsOf(client);
  onTestFinished(() => client.close());
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", url), headersOf(agent)));
  const open: { close(): Promise<void> }[] = [];
  return {
    ...currentAgent(client, told),
    subscribe: async (...uris) => {
      const subscription = await client.listen({ resourceSubscriptions: uris });
      open.push(subscription);
      return subscription.honoredFilter.resourceSubscriptions ?? [];
    },
    unsubscribe: async () => {
      for (const subscription of open.splice(0)) await subscription.close();
    },
  };
};

/** The same client in the handshake of 2025. */
export const legacy: HttpConnect = async (url, agent) => {
  const client = new Client(INFO);
  const told = tellsOf(client);
  onTestFinished(() => client.close());
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", url), headersOf(agent)));
  const open: string[] = [];
  return {
    ...currentAgent(client, told),
    subscribe: async (...uris) => {
      for (const uri of uris) await client.subscribeResource({ uri });
      open.push(...uris);
      return uris;
    },
    unsubscribe: async () => {
      for (const uri of open.splice(0)) await client.unsubscribeResource({ uri });
    },
  };
};

function tellsOf(client: Client): string[] {
  const told: string[] = [];
  client.setNotificationHandler("notifications/resources/updated", ({ params }) => void told.push(params.uri));
  return told;
}

function currentAgent(client: Client, told: string[]) {
  return {
    protocol: client.getNegotiatedProtocolVersion(),
    told,
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name: string, args: Record<string, unknown> = {}) =>
      dataOf(await client.callTool({ name, arguments: args })),
    read: async (uri: string) => contentOf(await client.readResource({ uri })),
    leave: () => client.close(),
  };
}

const oldOver =
  (transportTo: (url: URL, agent: string | undefined) => Transport): HttpConnect =>
  async (url, agent) => {
    const client = new OldClient(INFO);
    const told: string[] = [];
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void told.push(params.uri));
    onTestFinished(() => client.close());
    const transport = transportTo(url, agent);
    let protocol: string | undefined;
    const set = transport.setProtocolVersion?.bind(transport);
    transport.setProtocolVersion = (version) => {
      protocol = version;
      set?.(version);
    };
    await client.connect(transport);
    const open: string[] = [];
    return {
      protocol,
      told,
      tools: async () => (await client.listTools()).tools.map(({ name }) => name),
      call: async (name, args = {}) => dataOf(await client.callTool({ name, arguments: args })),
      read: async (uri) => contentOf(await client.readResource({ uri })),
      subscribe: async (...uris) => {
        for (const uri of uris) await client.subscribeResource({ uri });
        open.push(...uris);
        return uris;
      },
      unsubscribe: async () => {
        for (const uri of open.splice(0)) await client.unsubscribeResource({ uri });
      },
      leave: () => client.close(),
    };
  };

/** The 2025 era's own SDK over Streamable HTTP. */
export const old: HttpConnect = oldOver(
  // Its optional fields and the compiler's exact ones differ; the object is the same.
  (url, agent) => new OldTransport(new URL("/mcp", url), headersOf(agent)) as Transport,
);

/** The same over HTTP+SSE. */
export const oldSse: HttpConnect = oldOver(
  (url, agent) => new SSEClientTransport(new URL("/sse", url), headersOf(agent)) as Transport,
);

function dataOf(result: object): Record<string, unknown> {
  const { structuredContent, isError, content } = result as {
    structuredContent?: Record<string, unknown>;
    isError?: boolean;
    content: { text: string }[];
  };
  return isError ? { error: content[0]?.text } : (structuredContent ?? {});
}

function contentOf(result: object): Record<string, unknown> {
  const [content, ...more] = (result as { contents: { text: string; mimeType?: string }[] }).contents;
  if (!content || more.length > 0 || content.mimeType !== "application/json") throw new Error(JSON.stringify(result));
  return JSON.parse(content.text) as Record<string, unknown>;
}
