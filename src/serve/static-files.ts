// The dashboard's page and its parts: files made by the build, read once, compressed once, served to anybody.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { methodNotAllowed, problemOf, problemResponse } from "../faces/rest/problem.ts";

/** The same from the sources and from dist/chunks/. */
export const DASHBOARD = fileURLToPath(new URL("../../dist/dashboard/", import.meta.url));

type File = {
  readonly type: string;
  /** Weak: the same for both encodings. */
  readonly etag: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly gzip: Uint8Array<ArrayBuffer>;
};

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Nothing but our own files runs in the page, no other page holds it in a frame, and no text becomes markup. */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  // Asked for each time, and answered by 304: a new version is seen at once.
  "cache-control": "no-cache",
  vary: "Accept-Encoding",
};

const INDEX = "index.html";
const ASSETS = "/assets/";

/** Answers `/` and `/assets/…` with the files of a folder; null for any other path. */
export function staticFiles(folder: string): (path: string, incoming: IncomingMessage) => Response | null {
  let read: ReadonlyMap<string, File> | null = null;
  return (path, { method = "", headers }) => {
    if (path !== "/" && !path.startsWith(ASSETS)) return null;
    if (!read && !existsSync(join(folder, INDEX))) return notBuilt();
    read ??= filesIn(folder);
    const file = read.get(path === "/" ? INDEX : path.slice(ASSETS.length));
    if (!file) return problemResponse(problemOf("not_found", "There is no such file."));
    if (method !== "GET" && method !== "HEAD") return methodNotAllowed(["GET", "HEAD"]);
    return answer(file, headers);
  };
}

function answer({ type, etag, plain, gzip }: File, headers: IncomingMessage["headers"]): Response {
  if (headers["if-none-match"]?.includes(etag))
    return new Response(null, { status: 304, headers: { ...HEADERS, etag } });
  const isGzip = /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(String(headers["accept-encoding"] ?? ""));
  const body = isGzip ? gzip : plain;
  const encoding = isGzip ? { "content-encoding": "gzip" } : {};
  return new Response(body, {
    headers: { ...HEADERS, ...encoding, etag, "content-type": type, "content-length": String(body.length) },
  });
}

/** The names are those of the folder: what a request asks for is never made into a path. */
function filesIn(folder: string): ReadonlyMap<string, File> {
  const files = new Map<string, File>();
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const plain = new Uint8Array(readFileSync(join(folder, entry.name)));
    const etag = `W/"${createHash("sha256").update(plain).digest("base64url").slice(0, 22)}"`;
    files.set(entry.name, { type, etag, plain, gzip: new Uint8Array(gzipSync(plain, { level: 9 })) });
  }
  return files;
}

const notBuilt = (): Response =>
  problemResponse(
    problemOf("not_found", "The dashboard is not built.", {
      hint: "From a checkout: npm run build, then load this page again.",
    }),
  );
