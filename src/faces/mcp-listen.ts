// `subscriptions/listen` of the 2026 revision: watches the named resources for one caller, for one listen only.
import type { JSONRPCRequest } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { BudgetWatch, Caller } from "./budget-watch.ts";
import { isAbsent, MOST_SUBSCRIPTIONS } from "./mcp-resources.ts";

const listen = z.looseObject({
  jsonrpc: z.literal("2.0"),
  id: z.union([z.string(), z.number()]),
  method: z.literal("subscriptions/listen"),
  params: z.looseObject({ notifications: z.looseObject({ resourceSubscriptions: z.array(z.string()) }) }),
});

export type Listening = {
  /** The request, naming only what there is to hear: this is what the SDK then acknowledges. */
  readonly message: JSONRPCRequest;
  stop(): void;
};

/** Is it a listen that names resources? Any other, and one that is malformed, is the SDK's alone to answer. */
export function isListen(message: unknown): message is JSONRPCRequest {
  return listen.safeParse(message).success;
}

/**
 * Watches what the request names and the caller may read; a foreign session is left out like an absent one. Rejects
 * when the ledger cannot be read.
 */
export async function startListening(
  message: JSONRPCRequest,
  caller: Caller,
  watch: BudgetWatch,
  updated: (uri: string) => void,
): Promise<Listening> {
  const { params, ...rest } = listen.parse(message);
  const uris = [...new Set(params.notifications.resourceSubscriptions)].slice(0, MOST_SUBSCRIPTIONS);
  const stops = new Map<string, () => void>();
  const stop = () => {
    for (const end of stops.values()) end();
    stops.clear();
  };
  for (const uri of uris) {
    try {
      stops.set(uri, await watch.open(caller, uri, () => updated(uri)));
    } catch (error) {
      if (isAbsent(error)) continue;
      stop();
      throw error;
    }
  }
  const notifications = { ...params.notifications, resourceSubscriptions: [...stops.keys()] };
  return { message: { ...rest, params: { ...params, notifications } } as JSONRPCRequest, stop };
}
