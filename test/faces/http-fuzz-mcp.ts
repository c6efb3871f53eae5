// Random JSON-RPC messages of the fuzz: every tool in both protocol eras, and whatever else a client may send.
import type { z } from "zod";
import type { Operation } from "../../src/operations/operation.ts";
import {
  type Asked,
  argsFor,
  bytes,
  type Caller,
  callerFor,
  common,
  type Hand,
  type Header,
  JSON_TYPE,
} from "./http-fuzz-asked.ts";
import { anything, fitting, hostile, jsonOf, NONE, textOf } from "./http-fuzz-values.ts";

export type Era = "2026" | "2025";
const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "fuzz", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};
const ACCEPT: Header = ["accept", "application/json, text/event-stream"];

export function toolRequest(hand: Hand, tool: Operation, era: Era): Asked {
  const { random, known } = hand;
  const caller = callerFor(hand, tool.access);
  const wanted = { random, known, agent: caller.agent };
  const args = argsFor(tool, wanted, Object.keys((tool.input as z.ZodObject).shape));
  return rpc(hand, caller, era, "tools/call", { name: tool.name, arguments: args }, `${tool.name} ${era}`);
}

/** A tool's call as JSON, for a stream. */
export function toolCall({ random, known, callers }: Hand, tool: Operation, id: number): string {
  const wanted = { random, known, agent: callers[0]?.agent ?? null };
  const args = argsFor(tool, wanted, Object.keys((tool.input as z.ZodObject).shape));
  return bytes(jsonOf({ jsonrpc: "2.0", id, method: "tools/call", params: { name: tool.name, arguments: args } }));
}

export function otherRpc(hand: Hand, era: Era): Asked {
  const { random, known, callers } = hand;
  const caller = random.one(callers);
  const uri = random.one([
    "budget://policy",
    "budget://costs/month",
    "file:///etc/passwd",
    `budget://sessions/${fitting("session_id", { random, known, agent: caller.agent })}`,
  ]);
  const [method, params] = random.one<readonly [string, Record<string, unknown>]>([
    ["resources/read", { uri }],
    ["tools/list", {}],
    ["resources/list", {}],
    ["server/discover", {}],
    ["tools/call", { name: random.one(["stop", "create_key", "__proto__", "verify_ledger"]), arguments: {} }],
    ["tools/call", { name: hostile(random), arguments: anything(random) }],
    ["resources/subscribe", { uri }],
    ["subscriptions/listen", { notifications: { resourceSubscriptions: [uri] } }],
    ["notifications/cancelled", { requestId: anything(random) }],
    [textOf(hostile(random)), { a: anything(random) }],
  ]);
  const asked = rpc(hand, caller, era, method, params, `other ${era}`);
  return method === "subscriptions/listen" ? { ...asked, stream: "stays" } : asked;
}

/** One message; of 2025 in a session that was opened before, else it opens one. */
function rpc(
  hand: Hand,
  caller: Caller,
  era: Era,
  method: string,
  params: Record<string, unknown>,
  label: string,
): Asked {
  const { random, known } = hand;
  const id = random.oneIn(20) ? hostile(random) : random.below(1_000_000);
  const base = { ...common(caller, random), label, face: "mcp", method: "POST", target: "/mcp" } as const;
  const ascii = (text: unknown) =>
    String(text)
      .replace(/[^\x21-\x7e]/g, "?")
      .slice(0, 200);
  if (era === "2026") {
    const name = params.name ?? params.uri;
    const named: Header[] = name === undefined ? [] : [["mcp-name", ascii(name)]];
    const version: Header = ["mcp-protocol-version", random.oneIn(40) ? "2099-01-01" : "2026-07-28"];
    const headers = [...caller.headers, JSON_TYPE, ACCEPT, version, ["mcp-method", ascii(method)] as const, ...named];
    return {
      ...base,
      headers,
      body: bytes(jsonOf({ jsonrpc: "2.0", id, method, params: { ...params, _meta: META } })),
    };
  }
  const session = known.one(`mcp ${caller.name}`, random);
  const isNew = session === NONE || random.oneIn(60);
  const hello = {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: META["io.modelcontextprotocol/clientInfo"],
  };
  const message = isNew
    ? { jsonrpc: "2.0", id: 1, method: "initialize", params: hello }
    : { jsonrpc: "2.0", id, method, params };
  const headers = [...caller.headers, JSON_TYPE, ACCEPT, ...(isNew ? [] : [["mcp-session-id", session] as const])];
  if (!isNew && random.oneIn(60)) return { ...base, headers, method: "GET", body: null, stream: "stays" };
  return { ...base, ...(isNew && { label: `initialize ${era}` }), headers, body: bytes(jsonOf(message)) };
}
