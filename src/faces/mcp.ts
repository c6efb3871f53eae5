// The MCP face: the agents' operations as tools and resources, one factory for all transports and both protocol eras.
import { McpServer, type StandardSchemaWithJSON } from "@modelcontextprotocol/server";
import { z } from "zod";
import { AstraError, type ErrorCode } from "../core/error.ts";
import { agentOperations } from "../operations/index.ts";
import { type Context, invoke, type Operation, type Principal } from "../operations/operation.ts";
import { APP_EXTENSION, APP_OF_TOOL, offerBudgetApp } from "./budget-app.ts";
import type { BudgetWatch } from "./budget-watch.ts";
import type { KnownCaller } from "./caller.ts";
import { logFault } from "./fault-log.ts";
import { type Gate, offerGate } from "./mcp-gate.ts";
import { offerResources, offerSubscriptions } from "./mcp-resources.ts";
import { inOurWords } from "./mcp-words.ts";

const INSTRUCTIONS = `astra-budget keeps the budget of your work.
Call open_session before you start and keep its session_id. Call report_usage after every model call or small batch, with the tokens used since the last report. Call check_budget before an expensive step; with hold: true the money is set aside for you. Call end_session when you are done. Where answers say metered: true, your usage is found without you: report only what tools cost.
Read verdict in every answer: allow - go on; warn - finish with less and start nothing new; deny - stop now and tell a human what verdict.message says.
When you start a sub-agent, give it your session_id to pass as parent_session_id: it then spends from your budget.`;

export type McpOptions = {
  readonly version: string;
  /** Where a fault that must not reach the agent goes. */
  readonly log: (text: string) => void;
  /** What tells subscribers of changes; without it no subscriptions are offered. */
  readonly watch?: BudgetWatch;
  /** Answers the hooks of the client that runs the model. */
  readonly gate?: Gate;
  /** Throws where the policy forbids the tools as things are. */
  readonly admit?: () => Promise<void>;
};

export type McpCaller = KnownCaller;

/** Makes the server of one connection, or of one request where a connection is no more than that. */
export type McpFactory = (caller: McpCaller) => McpServer;

/** The lists are the same for everybody until the next start; what is in them is not. */
const LIST_HINT = { ttlMs: 300_000, cacheScope: "public" } as const;

/** A server for one connection. It keeps nothing but its subscriptions: all state is in the ledger. */
export function mcpServer(context: Context, principal: Principal, options: McpOptions): McpServer {
  const { version, log, watch, gate } = options;
  const server = new McpServer(
    { name: "astra-budget", title: "astra-budget", version },
    {
      instructions: INSTRUCTIONS,
      capabilities: {
        tools: { listChanged: false },
        resources: { listChanged: false, ...(watch && { subscribe: true }) },
        extensions: APP_EXTENSION,
      },
      cacheHints: { "tools/list": LIST_HINT, "resources/list": LIST_HINT, "resources/templates/list": LIST_HINT },
    },
  );
  offerResources(server, { context, principal }, log);
  offerBudgetApp(server);
  if (watch) offerSubscriptions(server, { context, principal }, watch, log);
  for (const tool of tools) {
    server.registerTool(tool.operation.name, tool.config, async (args: unknown) => {
      try {
        await options.admit?.();
        return answer(
          tool.operation,
          (await invoke(tool.operation, context, principal, args)) as Record<string, unknown>,
        );
      } catch (error) {
        return fault(error, log);
      }
    });
  }
  if (gate) offerGate(server, gate);
  return inOurWords(server);
}

const tools = agentOperations.map((operation) => ({
  operation,
  config: {
    title: operation.title,
    description: operation.description,
    inputSchema: advertised(operation.input, "input"),
    outputSchema: advertised(operation.output, "output"),
    annotations: {
      title: operation.title,
      readOnlyHint: operation.effect === "read",
      destructiveHint: false,
      idempotentHint: operation.effect !== "write",
      openWorldHint: false,
    },
    ...APP_OF_TOOL[operation.name],
  },
}));

/**
 * A schema that is shown to clients but checks nothing here: inputs are checked by the operation, which names every
 * fault in our words, and an answer must not turn into an error after its charge was booked.
 */
function advertised(schema: z.ZodType, io: "input" | "output"): StandardSchemaWithJSON {
  const json = compact(z.toJSONSchema(schema, { io, unrepresentable: "any", target: "draft-2020-12" })) as Record<
    string,
    unknown
  >;
  return {
    "~standard": {
      version: 1,
      vendor: "astra-budget",
      validate: (value) => ({ value }),
      jsonSchema: { input: () => json, output: () => json },
    },
  };
}

/**
 * The schema in as few words as tell a model all it needs: a model reads the whole tool list in every conversation.
 * Left out are patterns, bounds that only reject the absurd, and openness; an id is shown as the string it is taken
 * as, though an integer will do.
 */
function compact(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(compact);
  if (typeof node !== "object" || node === null) return node;
  const { $schema, pattern, propertyNames, anyOf, ...rest } = node as Record<string, unknown>;
  if (isId(anyOf)) return { type: "string", ...rest };
  // Some model providers know one type at a time only.
  if (Array.isArray(rest.type)) return { ...rest, type: undefined, anyOf: rest.type.map((type) => ({ type })) };
  const out: Record<string, unknown> = anyOf === undefined ? {} : { anyOf: compact(anyOf) };
  for (const [key, value] of Object.entries(rest)) {
    const isNoise = (key === "maximum" || key === "minimum") && Math.abs(value as number) > 100_000_000;
    const isOpen = key === "additionalProperties" && typeof value === "object";
    const isEmpty = (key === "properties" || key === "items") && Object.keys(compact(value) as object).length === 0;
    if (isNoise || isOpen || isEmpty) continue;
    out[key] = key === "properties" ? mapped(value as object) : compact(value);
  }
  return out;
}

function mapped(properties: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).map(([name, child]) => [name, compact(child)]));
}

/** The shape of `callerId`: text, or an integer taken as text. */
function isId(anyOf: unknown): boolean {
  const types = Array.isArray(anyOf) ? anyOf.map((each) => (each as { type?: unknown }).type) : [];
  return types.length === 2 && types[0] === "string" && types[1] === "integer";
}

/**
 * One line for a person or a model that sees only text, then the JSON of `structuredContent` without the verdict:
 * its decision and message are the line, its limits are two kilobytes in every answer.
 */
function answer(operation: Operation, result: Record<string, unknown>) {
  const { verdict: _, ...rest } = result;
  return {
    content: [{ type: "text" as const, text: `${headline(operation, result)}\n${JSON.stringify(rest)}` }],
    structuredContent: result,
  };
}

function headline(operation: Operation, result: Record<string, unknown>): string {
  const verdict = result.verdict as { decision: string; message: string } | undefined;
  if (verdict) return `${verdict.decision}: ${verdict.message}`;
  if (operation.name === "end_session") return `Session ended: ${JSON.stringify(result.totals)}`;
  const total = result.total_cost_usd === null ? "withheld" : `$${String(result.total_cost_usd)}`;
  return `${operation.title}: ${total} from ${String(result.start_date)} to ${String(result.end_date)}.`;
}

/** What the agent can do about each fault of a call, beside the error's own hint. */
const WHO_MENDS = {
  invalid_input: "you",
  session_not_found: "you",
  hold_not_found: "you",
  task_not_found: "you",
  team_not_found: "you",
  not_found: "you",
  id_reused: "you",
  unauthenticated: "a human",
  forbidden: "you",
  conflict: "you",
  policy_invalid: "a human",
  ledger_busy: "you",
  ledger_full: "a human",
  ledger_read_only: "a human",
  ledger_corrupt: "a human",
  ledger_foreign: "a human",
  ledger_newer: "a human",
  ledger_unavailable: "a human",
  internal: "a human",
} as const satisfies Record<ErrorCode, "you" | "a human">;

function fault(error: unknown, log: (text: string) => void) {
  logFault(error, log);
  const known =
    error instanceof AstraError
      ? error
      : new AstraError(
          "internal",
          "The server failed; nothing was recorded.",
          "Repeat the call with the same idempotency_key; if it fails again, stop.",
        );
  const text = [`${known.code}: ${sentence(known.message)}`, ...detailsOf(known), known.hint];
  if (WHO_MENDS[known.code] === "a human") text.push("Tell a human.");
  return { isError: true, content: [{ type: "text" as const, text: text.filter(Boolean).join(" ") }] };
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

/** The faulty arguments, where the message does not name them itself. */
function detailsOf({ code, message, faults }: AstraError): string[] {
  if (code !== "invalid_input") return [];
  const texts = faults.map((each) => (each.path === "" ? each.message : `${each.path}: ${each.message}`));
  return texts.length === 0 || texts[0] === message ? [] : [sentence(texts.join("; "))];
}
