// The 2025 revisions over HTTP: a session for each client, so that it can be told of changes; bounded and never shared.
import {
  isInitializeRequest,
  type McpServer,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import type { LongLived } from "./caller.ts";
import type { McpCaller, McpFactory } from "./mcp.ts";
import { isSameCaller, noSession, refusal, SERVER_ERROR, tooMany } from "./mcp-wire.ts";
import type { OpenStreams } from "./open-streams.ts";

export type SessionBounds = {
  readonly mostSessions: number;
  readonly mostSessionsOfCaller: number;
  /** A session without an open stream or a call under way is closed after this. */
  readonly idleMs: number;
};

/** One client's connection, as the protocol keeps it; no session of the ledger. */
type Connection = {
  readonly caller: McpCaller;
  readonly server: McpServer;
  readonly transport: WebStandardStreamableHTTPServerTransport;
  /** Calls and streams under way. */
  busy: number;
  usedAt: number;
};

export type SessionLeg = LongLived & {
  /** `body`: the parsed body of a POST. */
  fetch(request: Request, body: unknown, caller: McpCaller): Promise<Response>;
  close(): Promise<void>;
};

export function sessionLeg(
  factory: McpFactory,
  streams: OpenStreams,
  bounds: SessionBounds,
  log: (text: string) => void,
): SessionLeg {
  const sessions = new Map<string, Connection>();
  let reaper: NodeJS.Timeout | null = null;

  const reap = () => {
    const oldest = performance.now() - bounds.idleMs;
    for (const [id, session] of sessions) if (session.busy === 0 && session.usedAt <= oldest) void drop(id, session);
  };
  /** Ends it at once; what its server still does is nobody's. */
  const drop = async (id: string, { server }: Connection) => {
    forget(id);
    await server.close().catch((error) => log(String(error)));
  };
  const forget = (id: string) => {
    sessions.delete(id);
    if (sessions.size > 0 || !reaper) return;
    clearInterval(reaper);
    reaper = null;
  };

  /** Is there a place for one more of this caller? The session idle for longest makes it, if need be. */
  const makeRoom = (caller: McpCaller): boolean => {
    const own = [...sessions].filter(([, session]) => session.caller.id === caller.id);
    const isFull = own.length >= bounds.mostSessionsOfCaller;
    if (!isFull && sessions.size < bounds.mostSessions) return true;
    const idle = (isFull ? own : [...sessions]).filter(([, session]) => session.busy === 0);
    const oldest = idle.sort(([, a], [, b]) => a.usedAt - b.usedAt)[0];
    if (oldest) void drop(...oldest);
    return oldest !== undefined;
  };

  const opened = async (caller: McpCaller): Promise<[string, Connection]> => {
    const id = crypto.randomUUID();
    // A stream that is kept alive while its call hangs would never end: ours alone decide where comments are sent.
    const transport = new WebStandardStreamableHTTPServerTransport({ sessionIdGenerator: () => id, keepAliveMs: 0 });
    const server = factory(caller);
    const session = { caller, server, transport, busy: 0, usedAt: performance.now() };
    sessions.set(id, session);
    reaper ??= setInterval(reap, Math.max(10, Math.min(60_000, bounds.idleMs / 2))).unref();
    const before = server.server.onclose;
    server.server.onclose = () => {
      forget(id);
      before?.();
    };
    await server.connect(transport);
    return [id, session];
  };

  const serve = async (session: Connection, request: Request, body: unknown): Promise<Response> => {
    session.busy++;
    const ended = () => {
      session.busy--;
      session.usedAt = performance.now();
    };
    try {
      const response = await session.transport.handleRequest(request, { parsedBody: body });
      return request.method === "GET" ? streams.keep(request, response, ended) : streams.hold(request, response, ended);
    } catch (error) {
      ended();
      throw error;
    }
  };

  return {
    async fetch(request, body, caller) {
      const asked = request.headers.get("mcp-session-id");
      if (asked !== null) {
        const session = sessions.get(asked);
        return session && isSameCaller(session.caller, caller) ? await serve(session, request, body) : noSession();
      }
      if (!isInitializeRequest(body))
        return refusal(400, SERVER_ERROR, "Mcp-Session-Id is required; send initialize to get one.");
      if (!makeRoom(caller)) return tooMany("sessions");
      const [id, session] = await opened(caller);
      const response = await serve(session, request, body);
      if (session.transport.sessionId === undefined) await drop(id, session);
      return response;
    },
    *callers() {
      for (const { caller } of sessions.values()) yield caller;
    },
    async drop(callerId) {
      const own = [...sessions].filter(([, { caller }]) => caller.id === callerId);
      await Promise.all(own.map(([id, session]) => drop(id, session)));
    },
    async close() {
      await Promise.all([...sessions].map(([id, session]) => drop(id, session)));
    },
  };
}
