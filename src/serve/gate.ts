// The gate in front of every route: Host and Origin, then who calls, then how often; only then is anything looked at.
import type { IncomingMessage, ServerResponse } from "node:http";
import { isIPv6 } from "node:net";
import { getPath } from "hono/utils/url";
import { AstraError } from "../core/error.ts";
import { refusal, SERVER_ERROR } from "../faces/mcp-wire.ts";
import { problemFrom, problemOf, problemResponse } from "../faces/rest/problem.ts";
import type { Caller, Credentials } from "./credentials.ts";
import { refuseForeign } from "./guards.ts";
import type { Metrics } from "./metrics.ts";
import { refuseForged, refuseOtherPage } from "./own-page.ts";
import { metadataUrl } from "./protected-resource.ts";
import type { RateLimits, RateState } from "./rate-limit.ts";

export type Node = {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** For metrics: the route that answered. */
  readonly seen: { route: string };
};

export type GateOptions = {
  readonly hosts: ReadonlySet<string>;
  /** A caller in their place: everybody is let in as this one. */
  readonly credentials: Credentials | Caller;
  readonly rates: RateLimits;
  readonly metrics: Metrics;
  readonly addressFrom: "socket" | "proxy";
  /** Where clients reach us. */
  readonly baseUrl: () => URL;
  /** The same where it was named. */
  readonly publicUrl: URL | null;
  readonly log: (text: string) => void;
};

/** Paths that are answered without a credential and are not counted. */
export type Open = (path: string, incoming: IncomingMessage) => Response | Promise<Response> | null;

export type Gate = (request: Request, node: Node) => Promise<Response>;

/** Lets a request through to `inside`, or answers it. */
export function gateOf(
  options: GateOptions,
  open: Open,
  inside: (request: Request, node: Node, caller: Caller) => Response | Promise<Response>,
): Gate {
  return async (request, node) => {
    const { headers } = node.incoming;
    // Answers hold keys and spend: nobody on the way may keep them, no browser guess what they are.
    node.outgoing.setHeader("Cache-Control", "no-store");
    node.outgoing.setHeader("X-Content-Type-Options", "nosniff");
    const foreign = refuseForeign(headers.host, headers.origin, options.hosts);
    if (foreign) return foreign;
    // The path as the routes see it, dots and escapes resolved: the gate must not mean another one.
    const path = getPath(request);
    const opened = open(path, node.incoming);
    if (opened) return await opened;
    try {
      const caller = await callerOf(options, node.incoming, path);
      const rateId =
        caller instanceof AstraError ? `address ${addressOf(node.incoming, options.addressFrom)}` : caller.id;
      // Attempts are counted strictly; to ask who one is, or to sign out, is none.
      const category = request.method === "POST" && path.startsWith("/auth/") ? "auth" : "general";
      const rate = await options.rates.count(rateId, category, Date.now());
      if (rate.limit > 0) showRate(node.outgoing, rate);
      if (rate.isOver) return tooMany(options, path, rate);
      if (caller instanceof AstraError) return unauthenticated(options, path, caller);
      return refusePage(options, node.incoming, caller) ?? (await inside(request, node, caller));
    } catch (error) {
      return problemResponse(problemFrom(error, options.log));
    }
  };
}

/** Agents send keys: no page has to do with their protocol. */
const WITHOUT_COOKIE = ["/mcp", "/sse", "/messages"];

/** Who calls, or why nobody is recognised. */
async function callerOf(
  { credentials }: GateOptions,
  { headers }: IncomingMessage,
  path: string,
): Promise<Caller | AstraError> {
  if (!("callerOf" in credentials)) return credentials;
  try {
    return await credentials.callerOf({
      apiKey: one(headers["x-api-key"]),
      authorization: headers.authorization,
      cookie: WITHOUT_COOKIE.includes(path) ? undefined : headers.cookie,
    });
  } catch (error) {
    if (error instanceof AstraError && error.code === "unauthenticated") return error;
    throw error;
  }
}

/** What a browser lets any page do, only our own page may. */
function refusePage({ credentials, publicUrl }: GateOptions, incoming: IncomingMessage, caller: Caller) {
  if (caller.browser) return refuseForged(incoming, caller.browser, publicUrl);
  return "callerOf" in credentials ? null : refuseOtherPage(incoming, publicUrl);
}

const one = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(", ") : value;

/** Behind a proxy the last address is the one it saw itself; what stands before it anybody could have written. */
function addressOf({ headers, socket }: IncomingMessage, from: "socket" | "proxy"): string {
  const forwarded = from === "proxy" ? one(headers["x-forwarded-for"])?.split(",").at(-1)?.trim() : undefined;
  return networkOf((forwarded || socket.remoteAddress || "unknown").slice(0, 64));
}

/** Of IPv6 the network: a caller has all the addresses of one /64. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.includes(".")) return address;
  const [head = "", tail = ""] = address.split("::");
  const groups = head.split(":").filter(Boolean);
  const missing = 8 - groups.length - tail.split(":").filter(Boolean).length;
  const first = [...groups, ...Array.from({ length: Math.max(0, missing) }, () => "0"), ...tail.split(":")].slice(0, 4);
  return `${first.join(":")}::/64`;
}

/** Cost Control, "Response headers". */
function showRate(outgoing: ServerResponse, { limit, remaining, resetsAt }: RateState): void {
  outgoing.setHeader("X-RateLimit-Limit", String(limit));
  outgoing.setHeader("X-RateLimit-Remaining", String(remaining));
  outgoing.setHeader("X-RateLimit-Reset", String(resetsAt));
}

const isMcp = (path: string): boolean => path === "/mcp" || path === "/messages";

function tooMany({ metrics }: GateOptions, path: string, { limit, resetsAt }: RateState): Response {
  metrics.rateLimited();
  const seconds = Math.max(1, resetsAt - Math.floor(Date.now() / 1_000));
  const detail = `Too many requests: at most ${limit} a minute. Come back in ${seconds} s. This is the rate limiter, not the budget; nothing was recorded.`;
  const headers = { "retry-after": String(seconds) };
  if (!isMcp(path)) return problemResponse(problemOf("rate_limited", detail), headers);
  return refusal(429, SERVER_ERROR, detail, headers);
}

/** RFC 9728, section 5.1: where to read how to be let in. */
function unauthenticated({ baseUrl, log }: GateOptions, path: string, error: AstraError): Response {
  const metadata = metadataUrl(baseUrl(), isMcp(path) ? "/mcp" : "");
  const challenge = `Bearer resource_metadata="${metadata}"`;
  return problemResponse(problemFrom(error, log), { "www-authenticate": challenge });
}
