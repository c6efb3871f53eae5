// What the fuzz holds against every answer, and what it remembers of them for the reckoning with the ledger.
import type { Asked } from "./http-fuzz-asked.ts";
import type { Reply } from "./http-fuzz-socket.ts";
import { AGENTS, type Known } from "./http-fuzz-values.ts";

export type Records = {
  /** Answers of success by label. */
  readonly successes: Map<string, number>;
  readonly statuses: Map<number, number>;
  /** Every charge that an answer told of, with how often it was told as new. */
  readonly charges: Map<string, number>;
  /** Ids that an agent was told of, and the request that told it first. */
  readonly told: Map<string, Map<string, string>>;
};

export const newRecords = (): Records => ({
  successes: new Map(),
  statuses: new Map(),
  charges: new Map(),
  told: new Map(AGENTS.map((agent) => [agent, new Map()])),
});

/** Words of ours stand in answers; these are of the machine, the libraries and the language below. */
const LEAKS = [
  /node_modules|file:\/\/\/(?!etc\/passwd)|\bat [\w.<>]+ \(|\b\w+\.[cm]?[jt]s:\d+|\/tmp\/|\/dist\/|\/src\//,
  /\b[A-Z]\w*Error\b|\bError:|\bZod/,
  /\bhono\b|sqlite|kysely|genai-prices|rate-limiter|prom-client|\[object /i,
  /\b(select|insert into|update|delete from)\s[^"]*\b(from|values|set|where)\s/i,
  /Cannot read|is not a function|Unexpected (token|end)|JSON at position/,
];
/**
 * What is wrong with a request is said in our words, whichever library found it. But for the envelope that a client's own
 * library puts around a message of 2026: no model ever writes it, and its fault is told before there is a server of ours.
 */
const ENVELOPE = /"message":"Invalid _meta envelope/;
const FOREIGN_WORDS = /invalid_type|too_small|unrecognized_keys|Invalid input: |undefined/;

const OUR_ID = /\b(?:(?:ses|hld)_[0-9a-z]{30}|chg_[0-9a-z]{16}-\d+)\b/g;

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Throws what is wrong with an answer. */
export function judged(asked: Asked, reply: Reply, records: Records, known: Known): void {
  const { status, head, body } = reply;
  records.statuses.set(status, (records.statuses.get(status) ?? 0) + 1);
  const request = `${asked.target} ${asked.headers.join(" ")} ${asked.body}`;
  for (const leak of LEAKS) {
    const found = leak.exec(body) ?? leak.exec(head);
    if (found && !request.includes(found[0])) throw new Error(`an answer leaks ${JSON.stringify(found[0])}`);
  }
  if (FOREIGN_WORDS.test(body) && !ENVELOPE.test(body)) throw new Error("a refusal in the words of a library");
  if (status >= 500 && status !== 501) throw new Error("the server failed");
  if (asked.framing === "malformed" || (asked.framing === "cut" && body === "")) {
    malformed(reply);
    return;
  }
  const messages = messagesOf(reply);
  const isSuccess = status >= 200 && status < 300 && !messages.some(isFault);
  if (isSuccess) {
    if (asked.caller.role === null && /"(session|charge|hold)_id"/.test(body)) throw new Error("nobody was let in");
    records.successes.set(asked.label, (records.successes.get(asked.label) ?? 0) + 1);
    for (const message of messages) remember(asked, message, records, known);
    const session = /^mcp-session-id: (\S+)$/im.exec(head)?.[1];
    if (session) known.add(`mcp ${asked.caller.name}`, session);
  } else if (status >= 300 || (status < 200 && status !== 0)) refused(asked, reply, messages);
  own(asked, body, isSuccess, records);
}

/** The JSON of an answer: one document, or the messages of a stream. */
function messagesOf({ head, body }: Reply): Json[] {
  const texts = /^content-type: text\/event-stream/im.test(head)
    ? [...body.matchAll(/^data: (\{.*\})$/gm)].map(([, text]) => text ?? "")
    : /^content-type: application\/(problem\+)?json/im.test(head) && body !== ""
      ? [body]
      : [];
  return texts.map((text) => JSON.parse(text) as unknown).filter(isObject);
}

const isFault = (message: Json): boolean =>
  message.jsonrpc === "2.0" && ("error" in message || (isObject(message.result) && message.result.isError === true));

/** Every refusal is a problem document or a JSON-RPC error. */
function refused({ method }: Asked, { status, head, body }: Reply, messages: readonly Json[]): void {
  const isProblem = /^content-type: application\/problem\+json\r?$/im.test(head);
  if (method === "HEAD" && body === "") {
    if (!/^content-type: application\/(problem\+)?json/im.test(head)) throw new Error("a refusal of no kind");
    return;
  }
  const [message] = messages;
  const { error } = message ?? {};
  const isRpc =
    message?.jsonrpc === "2.0" && isObject(error) && Number.isInteger(error.code) && typeof error.message === "string";
  const isOurs =
    isProblem &&
    message?.status === status &&
    [message.type, message.title, message.detail, message.code].every(
      (text) => typeof text === "string" && text !== "",
    );
  if (!isRpc && !isOurs) throw new Error("a refusal that is neither a problem document nor a JSON-RPC error");
}

/** What is no HTTP never reaches the app: Node closes the connection, with a status and nothing else. */
function malformed({ status, body }: Reply): void {
  if (![400, 401, 403, 404, 405, 408, 413, 417, 426, 431, 501, 505].includes(status))
    throw new Error("malformed HTTP was served");
  if (body !== "" && !body.startsWith("{")) throw new Error("malformed HTTP was answered at length");
}

/** Ids for later requests, and the charge that an answer claims. */
function remember({ caller, label }: Asked, message: Json, records: Records, known: Known): void {
  const result =
    isObject(message.result) && isObject(message.result.structuredContent) ? message.result.structuredContent : message;
  if (result.status === "open" && label.includes("session")) known.add(`session ${result.agent_id}`, result.session_id);
  for (const name of ["charge_id", "hold_id", "stop_id", "grant_id", "key_id", "task_id"])
    known.add(name, result[name]);
  for (const [list, name] of [
    ["incidents", "incident_id"],
    ["deliveries", "delivery_id"],
  ] as const)
    if (Array.isArray(result[list])) known.add(name, result[list][0]?.[name]);
  known.add("cursor", result.next_cursor);
  if (typeof result.charge_id === "string") {
    const isNew = result.duplicate === false && result.recorded === true;
    records.charges.set(result.charge_id, (records.charges.get(result.charge_id) ?? 0) + (isNew ? 1 : 0));
  }
  if (isObject(message.result) && label.startsWith("initialize")) known.add(`mcp ${caller.name} open`, "yes");
}

/** What an agent is told: nothing that another marked as its own, and ids to be looked up in the ledger at the end. */
function own(
  { caller, target, body: sent, headers }: Asked,
  body: string,
  isSuccess: boolean,
  { told }: Records,
): void {
  if (caller.agent === null) return;
  const request = `${target} ${headers.join(" ")} ${sent}`;
  const foreign = AGENTS.find((agent) => agent !== caller.agent && body.includes(`canary-${agent}`));
  if (foreign && !request.includes(`canary-${foreign}`))
    throw new Error(`${caller.agent} was told what is ${foreign}'s`);
  for (const [id] of body.matchAll(OUR_ID)) {
    // A refusal may name what was asked for.
    if (!isSuccess && request.includes(id)) continue;
    const ids = told.get(caller.agent);
    if (ids && !ids.has(id)) ids.set(id, request.slice(0, 300));
  }
}
