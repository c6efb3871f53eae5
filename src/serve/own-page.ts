// A browser sends its cookie along with whatever page asks: only our own page counts, and it must show that it is.
import type { IncomingMessage } from "node:http";
import { problemOf, problemResponse } from "../faces/rest/problem.ts";
import { type BrowserSession, isCsrfToken } from "./browser-sessions.ts";

const READS = ["GET", "HEAD"];

/** For a request that nothing but the browser's cookie speaks for. Null = may pass. */
export function refuseForged(
  incoming: IncomingMessage,
  session: BrowserSession,
  publicUrl: URL | null,
): Response | null {
  if (isOfOtherPage(incoming, publicUrl)) return notOurPage();
  if (READS.includes(incoming.method ?? "") || isCsrfToken(session, incoming.headers["x-csrf-token"])) return null;
  return problemResponse(
    problemOf("forbidden", "With the browser's cookie a change needs the session's X-CSRF-Token.", {
      hint: "GET /auth/session tells it. Programs send X-API-Key instead of a cookie.",
    }),
  );
}

/** The same where nobody is asked for a key: programs may do all, pages of others read at most. */
export function refuseOtherPage(incoming: IncomingMessage, publicUrl: URL | null): Response | null {
  return READS.includes(incoming.method ?? "") || !isOfOtherPage(incoming, publicUrl) ? null : notOurPage();
}

/** To a cookie all ports of a host are one site, to us they are not. Programs send neither header. */
function isOfOtherPage({ headers }: IncomingMessage, publicUrl: URL | null): boolean {
  const { origin, host } = headers;
  const site = headers["sec-fetch-site"];
  return (
    site === "cross-site" || site === "same-site" || (origin !== undefined && !isOwn(origin, host ?? "", publicUrl))
  );
}

/** By the public name only the scheme that was named, too; TLS in front of other names is not ours to see. */
function isOwn(origin: string, host: string, publicUrl: URL | null): boolean {
  if (origin === publicUrl?.origin) return true;
  const at = URL.canParse(origin) ? new URL(origin).host : "";
  return at !== "" && at === host.toLowerCase() && at !== publicUrl?.host;
}

const notOurPage = (): Response =>
  problemResponse(problemOf("origin_not_allowed", "This is answered to the pages of this server only."));
