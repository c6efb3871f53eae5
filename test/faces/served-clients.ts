// Real clients of the real HTTP server, each with an agent's key: both eras over /mcp, the old SDK over /mcp and /sse, REST.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { onTestFinished } from "vitest";
import { type Agent, type Connect, INFO, type ListedTool, resultOf, type ToolResult } from "./clients.ts";
import type { Room } from "./room.ts";
import { type ServerProcess, startServer } from "./server-process.ts";

/** The room's server and the key of its agent ada. */
async function served(room: Room): Promise<{ server: ServerProcess; key: string }> {
  const server = await startServer(room);
  const { secret } = await room.json(["key", "create", "--name", "ada", "--agent", "ada"]);
  return { server, key: String(secret) };
}

const withKey = (key: string) => ({ requestInit: { headers: { authorization: `Bearer ${key}` } } });

const current =
  (client: () => Client): Connect =>
  async (room) => {
    const { server, key } = await served(room);
    const own = client();
    onTestFinished(() => own.close());
    await own.connect(new StreamableHTTPClientTransport(new URL("mcp", server.url), withKey(key)));
    return {
      ...shared(server),
      protocol: own.getNegotiatedProtocolVersion(),
      instructions: own.getInstructions(),
      tools: async () => (await own.listTools()).tools as ListedTool[],
      call: async (name, args = {}) => resultOf(await own.callTool({ name, arguments: args })),
      leave: () => own.close(),
    };
  };

export const modernOverHttp = current(() => new Client(INFO, { versionNegotiation: { mode: { pin: "2026-07-28" } } }));
export const legacyOverHttp = current(() => new Client(INFO));

const oldOver =
  (transportTo: (url: URL, key: string) => Transport): Connect =>
  async (room) => {
    const { server, key } = await served(room);
    const client = new OldClient(INFO);
    const transport = transportTo(server.url, key);
    let protocol: string | undefined;
    const set = transport.setProtocolVersion?.bind(transport);
    transport.setProtocolVersion = (version) => {
      protocol = version;
      set?.(version);
    };
    onTestFinished(() => client.close());
    await client.connect(transport);
    return {
      ...shared(server),
      protocol,
      instructions: client.getInstructions(),
      tools: async () => (await client.listTools()).tools as ListedTool[],
      call: async (name, args = {}) => resultOf(await client.callTool({ name, arguments: args })),
      leave: () => client.close(),
    };
  };

// Their optional fields and the compiler's exact ones differ; the objects are the same.
export const oldOverHttp = oldOver((url, key) => new OldTransport(new URL("mcp", url), withKey(key)) as Transport);
export const oldOverSse = oldOver((url, key) => new SSEClientTransport(new URL("sse", url), withKey(key)) as Transport);

/** The route of each tool, with the arguments that its path takes. */
const ROUTES: Readonly<Record<string, readonly [string, string]>> = {
  open_session: ["POST", "api/v1/agents/{agent_id}/sessions"],
  report_usage: ["POST", "api/v1/sessions/{session_id}/usage"],
  check_budget: ["POST", "api/v1/sessions/{session_id}/check"],
  end_session: ["POST", "api/v1/sessions/{session_id}/end"],
  get_costs: ["GET", "api/v1/teams/research/costs?group_by={group_by}"],
};

/** The same verbs as REST has them; a refusal is a problem with the answer in it, and there is no text for models. */
export const rest: Connect = async (room) => {
  const { server, key } = await served(room);
  const call = async (name: string, args: Record<string, unknown> = {}): Promise<ToolResult> => {
    const [method = "", template = ""] = ROUTES[name] ?? [];
    const { idempotency_key, ...body } = args;
    const path = template.replace(/\{(\w+)\}/g, (_, argument: string) => {
      const value = String(body[argument]);
      delete body[argument];
      return encodeURIComponent(value);
    });
    const response = await fetch(new URL(path, server.url), {
      method,
      headers: {
        "x-api-key": key,
        ...(method === "POST" ? { "content-type": "application/json" } : {}),
        ...(idempotency_key === undefined ? {} : { "idempotency-key": String(idempotency_key) }),
      },
      body: method === "POST" ? JSON.stringify(body) : null,
    });
    const data = (await response.json()) as Record<string, unknown>;
    return { isError: ![200, 201, 402].includes(response.status), text: "", data };
  };
  return {
    ...shared(server),
    protocol: "REST",
    instructions: undefined,
    tools: async () => [],
    call,
    leave: async () => {},
  };
};

const shared = (server: ServerProcess): Pick<Agent, "pid" | "stderr"> => ({
  pid: server.child.pid ?? 0,
  stderr: server.stderr,
});
