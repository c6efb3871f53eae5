// The resources of the MCP face: read by URI, and told of to 2025 clients that subscribed (2026: see mcp-listen.ts).
import {
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  ResourceTemplate,
} from "@modelcontextprotocol/server";
import { AstraError } from "../core/error.ts";
import {
  INCIDENTS_URI,
  LEADERBOARD_URI,
  MONTH_URI,
  POLICY_URI,
  ROLES_URI,
  resourceAt,
  SESSION_URI,
} from "./budget-resources.ts";
import type { BudgetWatch, Caller } from "./budget-watch.ts";
import { logFault } from "./fault-log.ts";

/** More than a client can use; each is looked at whenever anybody spends. */
export const MOST_SUBSCRIPTIONS = 100;

const JSON_TYPE = "application/json";
/** A budget is true for the moment and for its reader only. */
const cacheHint = { ttlMs: 0, cacheScope: "private" } as const;

const SESSION = {
  name: "session_budget",
  template: new ResourceTemplate(SESSION_URI, { list: undefined }),
  config: {
    title: "Live budget of a session",
    description: "What check_budget answers for the session. Subscribe to hear when its verdict or a limit changes.",
    mimeType: JSON_TYPE,
    cacheHint,
  },
};

const FIXED = [
  {
    name: "policy",
    uri: POLICY_URI,
    config: {
      title: "Policy in force",
      description: "Hard caps, and each agent's effective budget, permissions and daily limits.",
      mimeType: JSON_TYPE,
      cacheHint,
    },
  },
  {
    name: "costs_this_month",
    uri: MONTH_URI,
    config: {
      title: "Costs of this month",
      description: "What get_costs answers for the current calendar month.",
      mimeType: JSON_TYPE,
      cacheHint,
    },
  },
  {
    name: "incidents",
    uri: INCIDENTS_URI,
    config: {
      title: "Open incidents",
      description: "What operators should look at. An agent with a key sees those that it caused.",
      mimeType: JSON_TYPE,
      cacheHint,
    },
  },
];

/** Resources that tell of all agents together: not offered to one of them, which could not read them. */
const RANKING = {
  name: "leaderboard",
  template: new ResourceTemplate(LEADERBOARD_URI, { list: undefined }),
  config: {
    title: "Leaderboard of this day, week or month",
    description: "What the agents used and how well they did, the dearest first.",
    mimeType: JSON_TYPE,
    cacheHint,
  },
};

const ROLES = {
  name: "role_ledger",
  uri: ROLES_URI,
  config: {
    title: "Role ledger",
    description: "Executions, success rate, latency, tokens, cost and fitness per role.",
    mimeType: JSON_TYPE,
    cacheHint,
  },
};

export function offerResources(server: McpServer, caller: Caller, log: (text: string) => void): void {
  const read = (uri: string) => contentsOf(uri, caller, log);
  const isAgent = caller.principal.kind === "agent";
  for (const { name, uri, config } of isAgent ? FIXED : [...FIXED, ROLES])
    server.registerResource(name, uri, config, () => read(uri));
  server.registerResource(SESSION.name, SESSION.template, SESSION.config, ({ href }) => read(href));
  if (!isAgent) server.registerResource(RANKING.name, RANKING.template, RANKING.config, ({ href }) => read(href));
}

async function contentsOf(uri: string, { context, principal }: Caller, log: (text: string) => void) {
  const resource = resourceAt(uri);
  if (!resource) throw new ResourceNotFoundError(uri);
  try {
    const answer = await resource.read(context, principal);
    return { contents: [{ uri, mimeType: JSON_TYPE, text: JSON.stringify(answer) }] };
  } catch (error) {
    throw resourceFault(error, uri, log);
  }
}

/** What a client may see of a failed read. A foreign session is answered exactly like an absent one. */
export function resourceFault(error: unknown, uri: string, log: (text: string) => void): ProtocolError {
  logFault(error, log);
  if (!(error instanceof AstraError))
    return new ProtocolError(ProtocolErrorCode.InternalError, "internal: The server failed.");
  if (isAbsent(error)) return new ResourceNotFoundError(uri);
  return new ProtocolError(ProtocolErrorCode.InternalError, `${error.code}: ${error.message} ${error.hint}`.trimEnd());
}

/** A malformed session id names no session. */
export function isAbsent(error: unknown): boolean {
  return error instanceof AstraError && ["not_found", "session_not_found", "invalid_input"].includes(error.code);
}

/** `resources/subscribe` and `unsubscribe` of the 2025 revisions, over as soon as the connection is. */
export function offerSubscriptions(
  server: McpServer,
  caller: Caller,
  watch: BudgetWatch,
  log: (text: string) => void,
): void {
  const { server: wire } = server;
  const open = new Map<string, Promise<() => void>>();
  const end = (uri: string) => {
    // One that was refused has nothing to end.
    open.get(uri)?.then(
      (stop) => stop(),
      () => {},
    );
    open.delete(uri);
  };
  wire.setRequestHandler("resources/subscribe", async ({ params: { uri } }) => {
    if (!open.has(uri) && open.size >= MOST_SUBSCRIPTIONS)
      throw new ProtocolError(
        ProtocolErrorCode.InvalidParams,
        `At most ${MOST_SUBSCRIPTIONS} resources can be subscribed to.`,
      );
    const opening =
      open.get(uri) ??
      watch.open(caller, uri, () => void wire.sendResourceUpdated({ uri }).catch((e) => log(String(e))));
    open.set(uri, opening);
    try {
      await opening;
    } catch (error) {
      if (open.get(uri) === opening) open.delete(uri);
      throw resourceFault(error, uri, log);
    }
    return {};
  });
  wire.setRequestHandler("resources/unsubscribe", ({ params: { uri } }) => {
    end(uri);
    return {};
  });
  const before = wire.onclose;
  wire.onclose = () => {
    before?.();
    for (const uri of open.keys()) end(uri);
  };
}
