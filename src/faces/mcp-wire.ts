// What every HTTP transport of MCP asks of a request before it is anybody's message, and how it says no.
import { isJsonContentType } from "@modelcontextprotocol/server";
import type { Principal } from "../operations/operation.ts";
import { boundedText, MOST_BODY_BYTES } from "./bounded-body.ts";
import type { McpCaller } from "./mcp.ts";

/** Of these something is kept for as long as the client stays: many a client must not fill the memory. */
const MOST_KEPT_BYTES = 65_536;
const KEPT = ["initialize", "subscriptions/listen"];

export const SERVER_ERROR = -32_000;
const NO_SESSION = -32_001;
const PARSE_ERROR = -32_700;
const INTERNAL_ERROR = -32_603;

/** An answer that is no result: our words, as JSON-RPC has it. */
export function refusal(status: number, code: number, message: string, headers: Record<string, string> = {}): Response {
  return Response.json({ jsonrpc: "2.0", error: { code, message }, id: null }, { status, headers });
}

/** The same for a session that is not there and one that is another caller's. */
export const noSession = (): Response => refusal(404, NO_SESSION, "There is no such session. Initialize a new one.");

export const failed = (): Response => refusal(500, INTERNAL_ERROR, "The server failed.");

export const tooMany = (what: string): Response =>
  refusal(503, SERVER_ERROR, `Too many ${what} are open. Close some and try again.`, { "retry-after": "5" });

/** A POST's body as JSON, or the answer that refuses it. */
export async function jsonBody(
  contentType: string | null | undefined,
  contentLength: string | null | undefined,
  body: AsyncIterable<Uint8Array> | null,
): Promise<{ readonly json: unknown } | { readonly refused: Response }> {
  if (!isJsonContentType(contentType ?? null))
    return { refused: refusal(415, SERVER_ERROR, "Content-Type must be application/json.") };
  try {
    const text = await boundedText(contentLength, body);
    if (text === null) return { refused: tooLarge(MOST_BODY_BYTES) };
    const json: unknown = JSON.parse(text);
    const isTooMuch = isKept(json) && Buffer.byteLength(text) > MOST_KEPT_BYTES;
    return isTooMuch ? { refused: tooLarge(MOST_KEPT_BYTES) } : { json };
  } catch {
    return { refused: refusal(400, PARSE_ERROR, "The body is not valid JSON.") };
  }
}

const isKept = (json: unknown): boolean =>
  [json].flat().some((message) => KEPT.includes((message as { method?: string } | null)?.method ?? ""));

/** The rest of the body is not read: the connection cannot be used again. */
const tooLarge = (most: number): Response =>
  refusal(413, SERVER_ERROR, `The body must not exceed ${most} bytes.`, { connection: "close" });

/** Is this the caller a session was made for, with the same rights still? */
export function isSameCaller(a: McpCaller, b: McpCaller): boolean {
  return a.id === b.id && rightsOf(a.principal) === rightsOf(b.principal);
}

const rightsOf = (principal: Principal): string =>
  JSON.stringify(principal.kind === "agent" ? [principal.kind, principal.agentId] : [principal.kind, principal.actor]);
