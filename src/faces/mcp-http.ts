// MCP over Streamable HTTP, web-standard: the 2026 revision without state, the 2025 revisions in sessions, one factory.
import {
  createMcpHandler,
  isLegacyRequest,
  type JSONRPCRequest,
  type McpHttpHandler,
} from "@modelcontextprotocol/server";
import { budgetWatch } from "./budget-watch.ts";
import type { LongLived } from "./caller.ts";
import { faultText } from "./fault-log.ts";
import { type McpCaller, type McpFactory, mcpServer } from "./mcp.ts";
import { isListen, startListening } from "./mcp-listen.ts";
import { type SessionBounds, sessionLeg } from "./mcp-sessions.ts";
import { failed, jsonBody, refusal, SERVER_ERROR, tooMany } from "./mcp-wire.ts";
import { KEEP_ALIVE_MS, openStreams } from "./open-streams.ts";
import { shownText } from "./table.ts";

export type { McpCaller } from "./mcp.ts";

export type McpFace = LongLived & {
  /** Never rejects. Host, Origin and token are whoever's who mounts it. */
  fetch(request: Request, caller: McpCaller): Promise<Response>;
  /** Ends every session and stream, after the calls under way or that time; no request is served after it. */
  close(patienceMs: number): Promise<void>;
};

export type McpHttpOptions = {
  readonly version: string;
  /** Where a fault that must not reach the client goes. */
  readonly log: (text: string) => void;
  /** What is served; the budget's tools and resources if not given. */
  readonly factory?: McpFactory;
  readonly bounds?: Partial<Bounds>;
};

type Bounds = SessionBounds & {
  /** Streams of `subscriptions/listen`, of all callers and of one. */
  readonly mostListens: number;
  readonly mostListensOfCaller: number;
  /** How often a silent stream is told that we are there. */
  readonly keepAliveMs: number;
};

const BOUNDS: Bounds = {
  mostSessions: 5_000,
  mostSessionsOfCaller: 1_000,
  idleMs: 30 * 60_000,
  mostListens: 5_000,
  mostListensOfCaller: 1_000,
  keepAliveMs: KEEP_ALIVE_MS,
};

export function mcpOverHttp(options: McpHttpOptions): McpFace {
  const { version, log } = options;
  const watch = budgetWatch(log);
  const factory =
    options.factory ?? (({ context, principal }: McpCaller) => mcpServer(context, principal, { version, log, watch }));
  const bounds = { ...BOUNDS, ...options.bounds };
  const streams = openStreams(bounds.keepAliveMs);
  const sessions = sessionLeg(factory, streams, bounds, log);

  // A server for each request is made for the caller who sent that very request.
  const callers = new WeakMap<Request, McpCaller>();
  const callerOf = (request: Request | undefined): McpCaller => {
    const caller = request && callers.get(request);
    if (!caller) throw new Error("a request without its caller");
    return caller;
  };
  // No keep-alive by the SDK: a hung call must not look alive.
  const onerror = (error: Error) => {
    if (!CLIENTS_FAULT.test(error.message)) log(`mcp: ${shownText(error.message)}`);
  };
  const shared = { legacy: "reject", keepAliveMs: 0, onerror } as const;
  const stateless = createMcpHandler(({ requestInfo }) => factory(callerOf(requestInfo)), shared);

  const listens = new Map<McpHttpHandler, McpCaller>();
  const listen = async (request: Request, asked: JSONRPCRequest, caller: McpCaller): Promise<Response> => {
    const own = [...listens.values()].filter(({ id }) => id === caller.id);
    if (listens.size >= bounds.mostListens || own.length >= bounds.mostListensOfCaller) return tooMany("subscriptions");
    // A handler of its own for each: what it is told reaches this one stream and no other caller's.
    const handler = createMcpHandler(() => factory(caller), shared);
    listens.set(handler, caller);
    let stop = () => {};
    const ended = () => {
      listens.delete(handler);
      stop();
    };
    const early = new Set<string>();
    let updated = (uri: string): void => {
      early.add(uri);
    };
    try {
      const listening = await startListening(asked, caller, watch, (uri) => updated(uri));
      stop = listening.stop;
      const response = await handler.fetch(request, { parsedBody: listening.message });
      // From here on the stream is open and acknowledged.
      updated = (uri) => handler.notify.resourceUpdated(uri);
      for (const uri of early) updated(uri);
      return streams.keep(request, response, ended);
    } catch (error) {
      ended();
      throw error;
    }
  };

  let isClosed = false;
  const answer = async (request: Request, caller: McpCaller): Promise<Response> => {
    if (isClosed) return refusal(503, SERVER_ERROR, "The server is shutting down.");
    const { method, headers } = request;
    if (!["GET", "POST", "DELETE"].includes(method)) return notAllowed();
    let body: unknown;
    if (method === "POST") {
      const read = await jsonBody(headers.get("content-type"), headers.get("content-length"), request.body);
      if ("refused" in read) return read.refused;
      body = read.json;
    } else if ((headers.get("mcp-protocol-version") ?? "") >= STATELESS_SINCE) return notAllowed();
    // The SDK finds calls by their ids: of two with one id it would answer one, and both would be done.
    if (repeatsAnId(body)) return refusal(400, -32_600, "A batch must not repeat an id.");
    if (await isLegacyRequest(request, body)) return await sessions.fetch(request, body, caller);
    if (isListen(body)) return await listen(request, body, caller);
    callers.set(request, caller);
    return await stateless.fetch(request, { parsedBody: body });
  };

  return {
    async fetch(request, caller) {
      const done = streams.begin();
      try {
        return await answer(request, caller);
      } catch (error) {
        log(faultText(error));
        return failed();
      } finally {
        done();
      }
    },
    *callers() {
      yield* sessions.callers();
      yield* listens.values();
    },
    async drop(callerId) {
      const own = [...listens].filter(([, { id }]) => id === callerId);
      await Promise.all([sessions.drop(callerId), ...own.map(([handler]) => handler.close())]);
    },
    async close(patienceMs) {
      isClosed = true;
      watch.close();
      await streams.drained(patienceMs);
      await Promise.all([stateless.close(), sessions.close(), ...[...listens.keys()].map((each) => each.close())]);
      streams.close();
    },
  };
}

/** What the SDK reports beside its answer, with the client's own text in it: no news for an operator. */
const CLIENTS_FAULT =
  /^(Rejected inbound request|Unsupported protocol version|Unsupported Media Type|Missing required)/;

function repeatsAnId(body: unknown): boolean {
  if (!Array.isArray(body)) return false;
  const ids = body.map((each: { id?: unknown } | null) => each?.id).filter((id) => id !== undefined);
  return new Set(ids.map((id) => JSON.stringify(id))).size < ids.length;
}

/** From this revision on there is nothing but POST. */
const STATELESS_SINCE = "2026-07-28";

const notAllowed = (): Response =>
  refusal(405, SERVER_ERROR, "This method is not served here.", { allow: "GET, POST, DELETE" });
