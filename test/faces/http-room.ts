// A room with an HTTP server in it: the faces mounted in a tiny app, for callers made by hand.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import {
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
} from "@modelcontextprotocol/server";
import { Hono } from "hono";
import { onTestFinished } from "vitest";
import type { McpCaller } from "../../src/faces/mcp.ts";
import { type McpFace, type McpHttpOptions, mcpOverHttp } from "../../src/faces/mcp-http.ts";
import { type McpSseFace, type McpSseOptions, mcpOverSse } from "../../src/faces/mcp-sse.ts";
import type { Principal } from "../../src/operations/operation.ts";
import { type World, worldOf } from "../world.ts";

export type HttpRoom = {
  readonly world: World;
  readonly url: URL;
  readonly http: McpFace;
  readonly sse: McpSseFace;
  /** All that went to the log. */
  readonly logged: string[];
  /** Open connections of the server. */
  connections(): Promise<number>;
};

type Options = {
  readonly world?: World;
  readonly bounds?: McpHttpOptions["bounds"] & McpSseOptions["bounds"];
  readonly factory?: McpHttpOptions["factory"];
};

const ANYONE: Principal = { kind: "agent", agentId: null };

/** Who calls is what the header `x-agent` says, here only; without one it is an agent that may name any. */
export async function newHttpRoom(options: Options = {}): Promise<HttpRoom> {
  const world = options.world ?? (await worldOf());
  const logged: string[] = [];
  const given = {
    version: "1.0.0",
    log: (text: string) => logged.push(text),
    ...(options.bounds && { bounds: options.bounds }),
    ...(options.factory && { factory: options.factory }),
  };
  const http = mcpOverHttp(given);
  const sse = mcpOverSse(given);
  const callerOf = (agent: string | undefined): McpCaller => {
    const principal: Principal = agent === undefined ? ANYONE : { kind: "agent", agentId: agent };
    return { context: world.context, principal, id: `agent ${agent ?? "*"}` };
  };
  const app = new Hono<{ Bindings: { incoming: IncomingMessage; outgoing: ServerResponse } }>();
  app.use(async (c, next) => {
    const refused =
      hostHeaderValidationResponse(c.req.raw, localhostAllowedHostnames()) ??
      originValidationResponse(c.req.raw, localhostAllowedOrigins());
    return refused ?? (await next());
  });
  app.all("/mcp", (c) => http.fetch(c.req.raw, callerOf(c.req.header("x-agent"))));
  app.get("/sse", async (c) => {
    await sse.open(c.env.incoming, c.env.outgoing, callerOf(c.req.header("x-agent")));
    return RESPONSE_ALREADY_SENT;
  });
  app.post("/messages", async (c) => {
    await sse.post(c.env.incoming, c.env.outgoing, callerOf(c.req.header("x-agent")));
    return RESPONSE_ALREADY_SENT;
  });
  const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
    const starting = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, () => resolve(starting));
  });
  onTestFinished(async () => {
    await Promise.all([http.close(900), sse.close(900)]);
    // Clients keep connections for later; what should have ended by itself the tests have seen by now.
    if ("closeAllConnections" in server) server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    await world.ledger.close();
  });
  return {
    world,
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    http,
    sse,
    logged,
    connections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
  };
}
