// What is done to a request of the fuzz to spoil it: another method, path, header, body or framing, or no HTTP at all.
import type { Asked, Header } from "./http-fuzz-asked.ts";
import type { Random } from "./http-fuzz-values.ts";

type Spoil = (asked: Asked, random: Random) => Asked;

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "QUERY", "M-SEARCH"];

const HEADERS: readonly Header[] = [
  ["host", "evil.example"],
  ["host", "localhost:99999"],
  ["host", "localhost/../x"],
  ["host", "u:p@localhost"],
  ["host", ""],
  ["host", "[::1]:0"],
  ["origin", "https://evil.example"],
  ["origin", "null"],
  ["origin", "http://localhost"],
  ["content-type", "text/plain"],
  ["content-type", "application/json; charset=utf-16"],
  ["content-type", "multipart/form-data; boundary=x"],
  ["content-type", "application/jsonx"],
  ["content-encoding", "gzip"],
  ["accept", "text/html"],
  ["accept", ""],
  ["idempotency-key", "two words"],
  ["idempotency-key", "x".repeat(1_000)],
  ["idempotency-key", "\u00e9\u00ff"],
  ["x-http-method-override", "DELETE"],
  ["x-forwarded-for", "1.2.3.4, __proto__"],
  ["x-forwarded-host", "evil.example"],
  ["forwarded", "host=evil.example;proto=https"],
  ["x-api-key", "oc_nobody"],
  ["x-api-key", "\u00e9"],
  ["authorization", "Bearer a.b.c"],
  ["authorization", "Bearer eyJhbGciOiJub25lIn0.eyJyb2xlIjoib3duZXIiLCJzdWIiOiJ4IiwiZXhwIjo5OTk5OTk5OTk5fQ."],
  ["authorization", "Basic dTpw"],
  ["cookie", "a=b; __proto__=c"],
  ["cookie", `astra_session=${"x".repeat(43)}`],
  ["cookie", 'astra_session="; astra_session=\u00e9'],
  ["x-csrf-token", "\u00e9"],
  ["origin", "http://127.0.0.1:1"],
  ["sec-fetch-site", "same-site"],
  ["__proto__", "x"],
  ["constructor", "x"],
  ["mcp-session-id", "00000000-0000-0000-0000-000000000000"],
  ["mcp-session-id", "__proto__"],
  ["mcp-protocol-version", "2025-06-18"],
  ["mcp-protocol-version", "__proto__"],
  ["mcp-method", "tools/list"],
  ["mcp-name", "=?base64?gA==?="],
  ["last-event-id", "1e999"],
  ["expect", "100-continue"],
  ["range", "bytes=0-"],
  ["if-none-match", "*"],
  ["upgrade", "websocket"],
  ["x-long", "x".repeat(4_000)],
];

const TARGETS: readonly ((target: string, random: Random) => string)[] = [
  (target) => `${target}/`,
  (target) => `/${target}`,
  (target) => target.toUpperCase(),
  (target) => `/x/..${target}`,
  (target) => `/x/%2e%2e${target}`,
  (target) => target.replace(/\/(\w)/, (_, first: string) => `/%${first.charCodeAt(0).toString(16)}`),
  (target) => `${target}%00`,
  (target) => `${target}%ff%fe/%`,
  (target) => `${target}#fragment`,
  (target) => `${target}${target.includes("?") ? "&" : "?"}__proto__=1&constructor=x&=&&a`,
  (target) => `${target}${target.includes("?") ? "&" : "?"}limit=1e999&cursor=%00&months=-1&days=0x10`,
  (target) => `${target}?${"a=1&".repeat(500)}`,
  (target) => `http://localhost${target}`,
  (target) => `http://evil.example${target}`,
  () => "http://[/costs",
  () => "http://localhost:99999/costs",
  () => "ftp://localhost/costs",
  () => "*",
  () => "//",
  () => `/${"a/".repeat(1_500)}`,
  () => "/api/v1/agents/../keys",
  () => "/messages?sessionId=__proto__",
];

const BODIES: readonly ((body: string, random: Random) => string)[] = [
  (body, random) => body.slice(0, random.below(body.length)),
  (body, random) => {
    const at = random.below(body.length);
    return body.slice(0, at) + String.fromCharCode(random.below(256)) + body.slice(at + 1);
  },
  (body) => body.replace(/^\{"([^"]*)":/, '{"$1":null,"$1":'),
  (body) => body.replace(/^\{/, '{"__proto__":{"role":"owner"},"constructor":1,'),
  (body) => body.replace(/^\{/, '{"toJSON":"x",'),
  // Two requests of one id would be answered once.
  (body) => `[${body},${body.replace(/"id":\d+/, '"id":-1')}]`,
  (body) => `${body}${body}`,
  (body) => `\u00ef\u00bb\u00bf${body}`,
  (body) => Buffer.from(body, "latin1").toString("utf16le"),
  (body) => `${body}${" ".repeat(1_100_000)}`,
  (body) => body.replace(/\d+/, "1e999"),
  (body) => body.replace(/\d+/, "-0.0000000000000000000001"),
  (body) => body.replace(/"([^"]*)"(?=[,}])/, '"$1\\u0000\\ud800"'),
  () => "",
  () => "null",
  () => "[".repeat(100_000),
  () => `{"reason":${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}}`,
  () => "\u00ff\u00fe\u0000",
];

const MALFORMED = [
  "GET /costs HTTP/1.1\r\n\r\n",
  "GET /costs HTTP/1.0\r\n\r\n",
  "GET /costs HTTP/9.9\r\nHost: localhost\r\n\r\n",
  "GET /\u00e9\u00ff HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "POST /costs HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
  "POST /costs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n",
  `GET /costs HTTP/1.1\r\nHost: localhost\r\nX: ${"y".repeat(20_000)}\r\n\r\n`,
  "GET /costs HTTP/1.1\r\nHost: localhost\r\nX\u0000: 1\r\n\r\n",
  "POST /costs HTTP/1.1\r\nHost: localhost\r\nExpect: miracles\r\nContent-Length: 0\r\n\r\n",
  "CONNECT localhost:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "\u0000\u0001\u0002\r\n\r\n",
  "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003",
];

const SPOILS: readonly Spoil[] = [
  (asked, random) => ({ ...asked, method: random.one(METHODS) }),
  (asked, random) => ({ ...asked, target: random.one(TARGETS)(asked.target, random) }),
  (asked, random) => withHeaders(asked, [random.one(HEADERS)]),
  (asked, random) => withHeaders(asked, [random.one(HEADERS), random.one(HEADERS), random.one(HEADERS)]),
  (asked, random) => ({ ...asked, body: random.one(BODIES)(asked.body ?? "{}", random) }),
  (asked, random) => ({ ...asked, body: random.one(BODIES)(asked.body ?? "{}", random) }),
  (asked) => ({ ...asked, headers: asked.headers.filter(([name]) => name !== "content-type") }),
  (asked) => (asked.body === null ? asked : { ...asked, framing: "cut" }),
  (asked, random) => ({ ...asked, label: "malformed", framing: "malformed", target: random.one(MALFORMED) }),
];

/** A header of the same name is replaced, two of one line stay two. */
const withHeaders = (asked: Asked, headers: readonly Header[]): Asked => ({
  ...asked,
  headers: [...asked.headers.filter(([name]) => !headers.some(([other]) => other === name)), ...headers],
});

export const spoilt: Spoil = (asked, random) => random.one(SPOILS)(asked, random);

/** The bytes of a request as they go over the wire. */
export function wireOf({ method, target, headers, body, framing }: Asked): Buffer {
  if (framing === "malformed") return Buffer.from(target, "latin1");
  const host: readonly Header[] = headers.some(([name]) => name === "host") ? [] : [["host", "localhost"]];
  const lines = [...host, ...headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = `${method} ${target} HTTP/1.1\r\n${lines}`;
  const length = body?.length ?? 0;
  if (framing === "cut") return Buffer.from(`${head}content-length: ${length}\r\n\r\n${body?.slice(0, -1)}`, "latin1");
  if (body === null) return Buffer.from(`${head}content-length: 0\r\n\r\n`, "latin1");
  if (framing === "length") return Buffer.from(`${head}content-length: ${length}\r\n\r\n${body}`, "latin1");
  const half = Math.ceil(length / 2);
  const chunks = [body.slice(0, half), body.slice(half)].filter((chunk) => chunk !== "");
  const text = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("");
  return Buffer.from(`${head}transfer-encoding: chunked\r\n\r\n${text}0\r\n\r\n`, "latin1");
}
