// MCP on standard input and output, with `subscriptions/listen` of the 2026 revision fed by the budget watch.
import { type JSONRPCMessage, type JSONRPCRequest, SUBSCRIPTION_ID_META_KEY } from "@modelcontextprotocol/server";
import { StdioServerTransport, serveStdio } from "@modelcontextprotocol/server/stdio";
import { type BudgetWatch, budgetWatch, type Caller } from "./budget-watch.ts";
import { type McpOptions, mcpServer } from "./mcp.ts";
import { isListen, type Listening, startListening } from "./mcp-listen.ts";
import { resourceFault } from "./mcp-resources.ts";

type Wire = NonNullable<NonNullable<Parameters<typeof serveStdio>[1]>["transport"]>;

/** More than one client can use; the SDK refuses the next. */
const MOST_LISTENS = 100;

export function mcpOverStdio(
  caller: Caller,
  options: Omit<McpOptions, "watch"> & { readonly onerror: (error: Error) => void },
): { close(): Promise<void> } {
  const { onerror, ...shared } = options;
  const { log } = shared;
  const watch = budgetWatch(log);
  const transport = listeningWire(new StdioServerTransport(), caller, watch, log);
  const handle = serveStdio(() => mcpServer(caller.context, caller.principal, { ...shared, log, watch }), {
    transport,
    onerror,
    maxSubscriptions: MOST_LISTENS,
  });
  return {
    close: async () => {
      watch.close();
      await handle.close();
    },
  };
}

/** One listen: what changed before it was acknowledged is told right after, as the protocol wants it. */
type Listen = { stop: () => void; isAcknowledged: boolean; readonly early: Set<string> };

/**
 * The wire with the listens on it overheard: the SDK answers them, but tells nobody which resources they name. A
 * listen waits for its resources to be read, and what comes after it waits with it, so that nothing changes its place.
 */
function listeningWire(wire: Wire, caller: Caller, watch: BudgetWatch, log: (text: string) => void): Wire {
  const listens = new Map<string | number, Listen>();
  let waiting: Promise<void> | null = null;

  const tell = (id: string | number, uri: string) => {
    const params = { uri, _meta: { [SUBSCRIPTION_ID_META_KEY]: id } };
    wire
      .send({ jsonrpc: "2.0", method: "notifications/resources/updated", params })
      .catch((error) => log(String(error)));
  };
  const end = (id: unknown) => {
    listens.get(id as string)?.stop();
    listens.delete(id as string);
  };
  const begin = async (message: JSONRPCRequest): Promise<void> => {
    const listen: Listen = { stop: () => {}, isAcknowledged: false, early: new Set() };
    // The SDK takes the later of two with one id; so do we.
    end(message.id);
    let listening: Listening;
    try {
      listening = await startListening(message, caller, watch, (uri) =>
        listen.isAcknowledged ? tell(message.id, uri) : listen.early.add(uri),
      );
    } catch (error) {
      const { code, message: text } = resourceFault(error, "", log);
      await wire.send({ jsonrpc: "2.0", id: message.id, error: { code, message: text } });
      return;
    }
    listen.stop = listening.stop;
    listens.set(message.id, listen);
    outer.onmessage?.(listening.message);
  };
  const arrived = (message: JSONRPCMessage): Promise<void> | null => {
    if (isListen(message)) return begin(message).catch((error) => log(String(error)));
    if ("method" in message && message.method === "notifications/cancelled") end(message.params?.requestId);
    outer.onmessage?.(message);
    return null;
  };
  const leaving = (message: JSONRPCMessage): void => {
    // A refusal, or the end of it all.
    if (!("method" in message)) end(message.id);
    if (!("method" in message) || message.method !== "notifications/subscriptions/acknowledged") return;
    const meta = message.params?._meta as Record<string, unknown> | undefined;
    const id = meta?.[SUBSCRIPTION_ID_META_KEY] as string | number;
    const listen = listens.get(id);
    if (!listen) return;
    listen.isAcknowledged = true;
    for (const uri of listen.early) tell(id, uri);
  };

  const outer: Wire = {
    start: () => wire.start(),
    close: () => wire.close(),
    send: async (message, options) => {
      const sent = wire.send(message, options);
      leaving(message);
      await sent;
    },
  };
  wire.onmessage = (message: JSONRPCMessage) => {
    const busy = waiting ? waiting.then(() => arrived(message)) : arrived(message);
    if (!busy) return;
    const own: Promise<void> = busy.then(() => {
      if (waiting === own) waiting = null;
    });
    waiting = own;
  };
  wire.onerror = (error) => outer.onerror?.(error);
  wire.onclose = () => {
    for (const id of [...listens.keys()]) end(id);
    outer.onclose?.();
  };
  return outer;
}
