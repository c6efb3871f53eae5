// MCP over HTTP+SSE (2024-11-05) for clients that know nothing newer; imported only where it is mounted.
import type { IncomingMessage, ServerResponse } from "node:http";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import type { McpServer } from "@modelcontextprotocol/server";
import { budgetWatch } from "./budget-watch.ts";
import type { LongLived } from "./caller.ts";
import { faultText } from "./fault-log.ts";
import { type McpCaller, type McpFactory, mcpServer } from "./mcp.ts";
import { failed, isSameCaller, jsonBody, noSession, refusal, SERVER_ERROR, tooMany } from "./mcp-wire.ts";
import { KEEP_ALIVE, KEEP_ALIVE_MS, type OpenStreams, openStreams } from "./open-streams.ts";
import { shownText } from "./table.ts";

export type McpSseFace = LongLived & {
  /** GET /sse. Answers itself, and resolves when the stream is open or was refused. */
  open(req: IncomingMessage, res: ServerResponse, caller: McpCaller): Promise<void>;
  /** POST /messages?sessionId=. The body must not have been read. */
  post(req: IncomingMessage, res: ServerResponse, caller: McpCaller): Promise<void>;
  /** Ends every stream, after the calls under way or that time. */
  close(patienceMs: number): Promise<void>;
};

export type McpSseOptions = {
  readonly version: string;
  readonly log: (text: string) => void;
  readonly factory?: McpFactory;
  readonly bounds?: Partial<typeof BOUNDS>;
  /** Where clients post to. */
  readonly messagesPath?: string;
};

const BOUNDS = { mostStreams: 5_000, mostStreamsOfCaller: 2_000, keepAliveMs: KEEP_ALIVE_MS };
/** What may wait for a client that asks without reading its answers. */
const MOST_WAITING_BYTES = 4_194_304;

type Stream = {
  readonly caller: McpCaller;
  readonly res: ServerResponse;
  readonly transport: SSEServerTransport;
  readonly server: McpServer;
};

export function mcpOverSse(options: McpSseOptions): McpSseFace {
  const { version, log } = options;
  const watch = budgetWatch(log);
  const factory =
    options.factory ?? (({ context, principal }: McpCaller) => mcpServer(context, principal, { version, log, watch }));
  const bounds = { ...BOUNDS, ...options.bounds };
  const streams = new Map<string, Stream>();
  let timer: NodeJS.Timeout | null = null;
  let isClosed = false;

  const underWay = openStreams(bounds.keepAliveMs);

  const keepAlive = () => {
    for (const [id, { res }] of streams) {
      if (res.destroyed) forget(id);
      else if (res.writableLength === 0) res.write(KEEP_ALIVE);
    }
  };
  const forget = (id: string) => {
    streams.delete(id);
    if (streams.size > 0 || !timer) return;
    clearInterval(timer);
    timer = null;
  };

  const open = async (res: ServerResponse, caller: McpCaller): Promise<void> => {
    if (isClosed) return await send(res, refusal(503, SERVER_ERROR, "The server is shutting down."));
    let own = 0;
    for (const stream of streams.values()) if (stream.caller.id === caller.id) own++;
    if (streams.size >= bounds.mostStreams || own >= bounds.mostStreamsOfCaller)
      return await send(res, tooMany("streams"));
    // Whatever breaks on the way to a client ends its stream, never the server.
    res.on("error", (error) => log(`sse: ${shownText(error.message)}`));
    const transport = new SSEServerTransport(options.messagesPath ?? "/messages", res);
    const server = factory(caller);
    const id = transport.sessionId;
    streams.set(id, { caller, res, transport, server });
    timer ??= setInterval(keepAlive, bounds.keepAliveMs).unref();
    const before = server.server.onclose;
    server.server.onclose = () => {
      forget(id);
      before?.();
    };
    followCalls(transport, underWay);
    // The transport is the old SDK's: the same at run time, its message types are its own.
    await server.connect(transport as unknown as Parameters<McpServer["connect"]>[0]);
    // Its client may have left while we looked who it is: nobody would tell us any more.
    if (res.destroyed) await server.close();
  };

  const post = async (req: IncomingMessage, res: ServerResponse, caller: McpCaller): Promise<void> => {
    const id = new URL(req.url ?? "/", "http://localhost").searchParams.get("sessionId");
    const stream = streams.get(id ?? "");
    if (!stream || !isSameCaller(stream.caller, caller)) return await send(res, noSession());
    if (stream.res.writableLength > MOST_WAITING_BYTES) {
      stream.res.destroy();
      return await send(res, noSession());
    }
    const read = await jsonBody(req.headers["content-type"], req.headers["content-length"], req);
    if ("refused" in read) return await send(res, read.refused);
    try {
      await stream.transport.handleMessage(read.json);
    } catch {
      return await send(res, refusal(400, -32_600, "The body is no JSON-RPC message."));
    }
    res.writeHead(202).end("Accepted");
  };

  /** Whatever goes wrong, the client hears no more than that, and a response is not left open. */
  const guarded = async (res: ServerResponse, work: Promise<void>): Promise<void> => {
    try {
      await work;
    } catch (error) {
      log(faultText(error));
      if (res.headersSent) res.destroy();
      else await send(res, failed());
    }
  };

  return {
    open: (_req, res, caller) => guarded(res, open(res, caller)),
    post: (req, res, caller) => guarded(res, post(req, res, caller)),
    *callers() {
      for (const { caller } of streams.values()) yield caller;
    },
    async drop(callerId) {
      const own = [...streams.values()].filter(({ caller }) => caller.id === callerId);
      await Promise.all(own.map(({ server }) => server.close()));
    },
    async close(patienceMs) {
      isClosed = true;
      watch.close();
      await underWay.drained(patienceMs);
      await Promise.all([...streams.values()].map(({ server }) => server.close()));
    },
  };
}

/** Counts each request as under way until its answer is sent. */
function followCalls(transport: SSEServerTransport, underWay: OpenStreams): void {
  const calls = new Map<unknown, () => void>();
  const send = transport.send.bind(transport);
  transport.send = async (message) => {
    await send(message);
    if ("method" in message || !("id" in message)) return;
    calls.get(message.id)?.();
    calls.delete(message.id);
  };
  const handle = transport.handleMessage.bind(transport);
  transport.handleMessage = async (message, extra) => {
    const asked = message as { id?: unknown; method?: unknown } | null;
    const isCall = asked?.method !== undefined && asked.id !== undefined && !calls.has(asked.id);
    if (isCall) calls.set(asked.id, underWay.begin());
    try {
      await handle(message, extra);
    } catch (error) {
      if (isCall) calls.get(asked.id)?.();
      if (isCall) calls.delete(asked.id);
      throw error;
    }
  };
  const { onclose } = transport;
  transport.onclose = () => {
    for (const done of calls.values()) done();
    calls.clear();
    onclose?.();
  };
}

async function send(res: ServerResponse, response: Response): Promise<void> {
  res.writeHead(response.status, Object.fromEntries(response.headers));
  res.end(await response.text());
}
