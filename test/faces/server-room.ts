// A room with the real server in it, in this process, with policies, ledger, clock and settings of the test's own.
import { mkdtempSync, rmSync } from "node:fs";
import { request as nodeRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { contextOver } from "../../src/context.ts";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import type { Context } from "../../src/operations/operation.ts";
import { serve } from "../../src/serve/serve.ts";
import { type ServeSettings, serveSettings } from "../../src/serve/settings.ts";
import { policyOf, WIDE } from "../world.ts";

/** An answer's body as tests read it: whatever the route says, and the parts that many tests look at. */
export type Body = Record<string, unknown> & {
  readonly session_id: string;
  readonly task_id: string;
  readonly key_id: string;
  readonly stop_id: string;
  readonly grant_id: string;
  readonly charge_id: string;
  readonly hold_id: string;
  readonly secret: string;
  readonly access_token: string;
  readonly code: string;
  readonly detail: string;
  readonly faults: readonly { readonly path: string; readonly message: string }[];
  readonly next_cursor: string | null;
  readonly verdict: { readonly decision: string; readonly message: string; readonly limits: readonly Limit[] };
};
export type Limit = { readonly scope: string; readonly measure: string; readonly limit: number };

export type Reply = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Empty where the answer is no JSON. */
  readonly body: Body;
};

export type Sending = {
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, instead. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

/** One caller over REST. */
export type Caller = {
  readonly headers: Readonly<Record<string, string>>;
  send(method: string, path: string, sending?: Sending): Promise<Reply>;
  get(path: string): Promise<Reply>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
  patch(path: string, body: unknown): Promise<Reply>;
  delete(path: string): Promise<Reply>;
};

export type Role = "agent" | "viewer" | "operator" | "owner";

export type ServerRoom = {
  readonly url: URL;
  readonly ledgerFile: string;
  /** All that the server said on standard error. */
  readonly logged: readonly string[];
  /** The owner of the first workspace, and of each. */
  readonly owner: Caller;
  readonly ownerKeys: readonly string[];
  /** A new key's secret; an agent's needs the agent's id. The owner of another workspace makes it if given. */
  keyOf(role: Role, agentId?: string, owner?: Caller): Promise<string>;
  /** A caller with a new key of that role. */
  callerOf(role: Role, agentId?: string, owner?: Caller): Promise<Caller>;
  setPolicy(raw: unknown): void;
  /** Stops the clock of decisions at an instant. */
  at(ms: number): void;
  close(): Promise<void>;
};

export type RoomOptions = {
  /** What astra.yml would hold; wide hard caps and nothing else if not given. */
  readonly policy?: unknown;
  /** Instead: one for each workspace. */
  readonly policies?: readonly unknown[];
  readonly settings?: Partial<ServeSettings>;
  /** Another server on the ledger of another room. */
  readonly beside?: ServerRoom;
  readonly env?: NodeJS.ProcessEnv;
};

/** Without a limit on requests, unless the test says otherwise. */
export async function newServerRoom(options: RoomOptions = {}): Promise<ServerRoom> {
  const ledgerFile = options.beside?.ledgerFile ?? join(newFolder(), "ledger.db");
  const ledger = await openSqlite(ledgerFile);
  let clock: number | null = null;
  const policies = (options.policies ?? [options.policy ?? { hardCaps: WIDE }]).map(policyOf);
  const logged: string[] = [];
  const serving = await serve({
    version: "0.0.0-test",
    ledger,
    ledgerFile,
    workspaces: policies.map((_, i) => ({
      context: clocked(
        contextOver(ledger, () => policies[i] as (typeof policies)[number]),
        () => clock ?? Date.now(),
      ),
      policyText: `policy ${i}`,
    })),
    settings: { ...serveSettings({ port: "0", "rate-limit": "0" }, options.env ?? {}), ...options.settings },
    log: (text) => logged.push(text),
  });
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= serving.close();
    return closing;
  };
  onTestFinished(close);
  const ownerKeys =
    options.beside?.ownerKeys ?? logged.flatMap((line) => /shown this once: (oc_\S+)/.exec(line)?.[1] ?? []);
  const owner = callerAt(serving.url, { "x-api-key": ownerKeys[0] ?? "oc_none" });
  const keyOf: ServerRoom["keyOf"] = async (role, agentId, by = owner) => {
    const { status, text, body } = await by.post("/api/v1/keys", { name: `a ${role}`, role, agent_id: agentId });
    if (status !== 201) throw new Error(text);
    return body.secret;
  };
  return {
    url: serving.url,
    ledgerFile,
    logged,
    owner,
    ownerKeys,
    keyOf,
    callerOf: async (...args) => callerAt(serving.url, { "x-api-key": await keyOf(...args) }),
    setPolicy: (raw) => {
      policies[0] = policyOf(raw);
    },
    at: (ms) => {
      clock = ms;
    },
    close,
  };
}

/** Gone when the test is over. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "astra-budget-server-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The same context by another clock; its policy and prices stay getters. */
function clocked(context: Context, now: () => number): Context {
  return Object.defineProperties({} as Context, {
    ...Object.getOwnPropertyDescriptors(context),
    now: { value: now, enumerable: true },
  });
}

export function callerAt(url: URL, own: Readonly<Record<string, string>>): Caller {
  const send: Caller["send"] = async (method, path, { body, text, headers = {} } = {}) => {
    const sent = text ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(new URL(path, url), {
      method,
      headers: { ...(sent === undefined ? {} : { "content-type": "application/json" }), ...own, ...headers },
      ...(sent === undefined ? {} : { body: sent }),
    });
    return replyOf(response.status, response.headers, await response.text());
  };
  return {
    headers: own,
    send,
    get: (path) => send("GET", path),
    post: (path, body, headers = {}) => send("POST", path, { body, headers }),
    patch: (path, body) => send("PATCH", path, { body }),
    delete: (path) => send("DELETE", path),
  };
}

/** With nothing between: any Host, any Origin, nothing added. */
export function rawRequest(url: URL, method: string, path: string, headers: Record<string, string>): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = url;
    const sent = nodeRequest({ hostname, port, method, path, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (more: string) => {
        text += more;
      });
      const all = new Headers();
      for (const [name, value] of Object.entries(response.headers)) all.set(name, String(value));
      response.on("end", () => resolve(replyOf(response.statusCode ?? 0, all, text)));
    });
    sent.on("error", reject).end();
  });
}

function replyOf(status: number, headers: Headers, text: string): Reply {
  const isJson = text !== "" && /[/+]json/.test(headers.get("content-type") ?? "");
  return { status, headers, text, body: (isJson ? JSON.parse(text) : {}) as Body };
}

/** The token that a key is traded for. */
export async function tokenFor(caller: Caller): Promise<string> {
  const { status, text, body } = await caller.post("/auth/token");
  if (status !== 200) throw new Error(text);
  return body.access_token;
}
