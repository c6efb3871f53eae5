// Guards in front of every route: which Host may be named, and pages of which Origin may call.
import { problemOf, problemResponse } from "../faces/rest/problem.ts";

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Host names without port, as they stand in a Host header: an IPv6 address in brackets. */
export function allowedHosts(listening: string, publicUrl: URL | null, more: readonly string[]): ReadonlySet<string> {
  const everywhere = ["0.0.0.0", "::", ""].includes(listening);
  const own = everywhere ? [] : [listening.includes(":") ? `[${listening}]` : listening];
  return new Set(
    [...LOOPBACK, ...own, ...(publicUrl ? [publicUrl.hostname] : []), ...more].map((host) => host.toLowerCase()),
  );
}

/**
 * A browser page of another site must not reach us by a name of its own (DNS rebinding) nor from its own origin.
 * Programs send no Origin. Null = may pass.
 */
export function refuseForeign(
  host: string | undefined,
  origin: string | undefined,
  allowed: ReadonlySet<string>,
): Response | null {
  if (!allowed.has(nameOf(host ?? "")))
    return problemResponse(
      problemOf("host_not_allowed", "This server does not answer to that Host.", {
        hint: "Start it with --allowed-host NAME, or with --public-url URL behind a proxy.",
      }),
    );
  if (origin === undefined) return null;
  const at = URL.canParse(origin) ? new URL(origin) : null;
  return at && /^https?:$/.test(at.protocol) && allowed.has(at.hostname)
    ? null
    : problemResponse(problemOf("origin_not_allowed", "This server does not answer pages of that Origin."));
}

/** "localhost:4747" to "localhost"; an IPv6 address keeps its brackets. */
function nameOf(host: string): string {
  return host.toLowerCase().replace(/:\d{1,5}$/, "");
}
