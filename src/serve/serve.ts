// `astra-budget serve`: one process for many agents, MCP and REST on the ledger that stdio servers use too.
import { createServer } from "node:http";
import { getRequestListener, type HttpBindings, RequestError } from "@hono/node-server";
import type { LongLived } from "../faces/caller.ts";
import { dashboardEvents } from "../faces/dashboard/events.ts";
import { mcpOverHttp } from "../faces/mcp-http.ts";
import { problemFrom, problemOf, problemResponse } from "../faces/rest/problem.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { recordPolicy } from "../operations/audit.ts";
import { createFirstKey, revokeKey } from "../operations/keys.ts";
import { type Context, invoke } from "../operations/operation.ts";
import { startDeliverer } from "../webhooks/deliverer.ts";
import { appOf } from "./app.ts";
import { BrowserSessions } from "./browser-sessions.ts";
import { anonymous, Credentials } from "./credentials.ts";
import { type Gate, gateOf } from "./gate.ts";
import { allowedHosts, isLoopback } from "./guards.ts";
import { listen, urlOf } from "./listening.ts";
import { type Metrics, metricsOf } from "./metrics.ts";
import { probe } from "./probes.ts";
import { protectedResource } from "./protected-resource.ts";
import { rateLimitsIn } from "./rate-limit.ts";
import { type ServeSettings, wrongSetting } from "./settings.ts";
import { DASHBOARD, staticFiles } from "./static-files.ts";
import { tokensOf } from "./tokens.ts";

export type Serving = {
  readonly url: URL;
  /** Takes no new request, finishes those under way, and closes the ledger. */
  close(): Promise<void>;
};

export type ServeOptions = {
  readonly version: string;
  readonly ledger: Ledger;
  readonly ledgerFile: string;
  /** One for each workspace, all over the ledger, with the text of its policy. */
  readonly workspaces: readonly { readonly context: Context; readonly policyText: string }[];
  readonly settings: ServeSettings;
  readonly log: (text: string) => void;
};

/** Requests under way when the server is told to stop have this long. */
const PATIENCE_MS = 8_000;
const SWEEP_MS = 20;
const RIGHTS_MS = 1_000;
/** A request's head, and all of it, must be here within these; an idle connection is kept a little longer than proxies do. */
const TIMES = { headersTimeout: 15_000, requestTimeout: 30_000, keepAliveTimeout: 65_000 };

export async function serve(options: ServeOptions): Promise<Serving> {
  const { settings, version, log, ledger } = options;
  refuseOpenDoors(options);
  const tokens = tokensOf(settings.tokens, log);
  const metrics = metricsOf(version, options.workspaces.length);
  const observe = (context: Context) => (operation: string, answer: unknown) => {
    metrics.decided(context.policy.workspace.id, operation, answer);
    if (operation === revokeKey.name && "forget" in credentials) credentials.forget();
  };
  const contexts = options.workspaces.map(({ context }) => observed(context, observe(context)));
  const browsers = new BrowserSessions();
  const credentials =
    settings.auth === "required"
      ? new Credentials(ledger, contexts, { tokens, browsers }, log)
      : anonymous(contexts[0] as Context);
  await begin(options);
  const rates = rateLimitsIn(`${options.ledgerFile}.rate`, settings.rateLimit, log);
  const mcp = mcpOverHttp({ version, log });
  const sse = settings.sse === "mounted" ? (await import("../faces/mcp-sse.ts")).mcpOverSse({ version, log }) : null;
  const events = dashboardEvents({ log });
  const faces = sse ? [mcp, events, sse] : [mcp, events];
  const { addressFrom, publicUrl } = settings;
  const drop = async (callerId: string) => void (await Promise.all(faces.map((face) => face.drop(callerId))));
  const app = appOf({ version, mcp, sse, events, tokens, metrics, browsers, publicUrl, drop, log });

  const run = { isDraining: false };
  const baseUrl = () => publicUrl ?? urlOf(server, settings.host);
  const hosts = allowedHosts(settings.host, publicUrl, settings.allowedHosts);
  const dashboard = staticFiles(DASHBOARD);
  const gate = gateOf(
    { hosts, credentials, rates, metrics, addressFrom, baseUrl, publicUrl, log },
    (path, incoming) =>
      probe(path, ledger) ?? protectedResource(path, baseUrl, settings.tokens.issuer) ?? dashboard(path, incoming),
    (request, node, caller) => app.fetch(request, { ...node, caller }),
  );
  const server = createServer(TIMES, listenerOf(gate, metrics, run, log));
  try {
    await listen(server, settings);
  } catch (error) {
    rates.close();
    await ledger.close();
    throw error;
  }
  const sweep = endOfRights(faces, log);
  const deliverers = options.workspaces.map(({ context }) =>
    startDeliverer(context, { version, env: process.env, log }),
  );
  announce(options, urlOf(server, settings.host));

  return {
    url: urlOf(server, settings.host),
    close: async () => {
      run.isDraining = true;
      clearInterval(sweep);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Connections whose last request was under way become idle one by one.
      const idle = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
      const late = setTimeout(() => server.closeAllConnections(), PATIENCE_MS + SWEEP_MS);
      await Promise.all([...faces.map((face) => face.close(PATIENCE_MS)), closed]);
      clearInterval(idle);
      clearTimeout(late);
      await Promise.all(deliverers.map((deliverer) => deliverer.close()));
      rates.close();
      await ledger.close();
    },
  };
}

function listenerOf(gate: Gate, metrics: Metrics, run: { readonly isDraining: boolean }, log: (text: string) => void) {
  const answer = async (request: Request, { incoming, outgoing }: HttpBindings): Promise<Response> => {
    if (run.isDraining) outgoing.setHeader("connection", "close");
    const from = performance.now();
    const seen = { route: "other" };
    const response = await gate(request, { incoming, outgoing, seen });
    metrics.requested(seen.route, incoming.method ?? "", response.status, (performance.now() - from) / 1_000);
    return response;
  };
  return getRequestListener((request, node) => answer(request, node as HttpBindings), {
    // A request that is none, such as one of a host that cannot be, is its sender's fault.
    errorHandler: (error) =>
      problemResponse(
        error instanceof RequestError
          ? problemOf("bad_request", "The request's target or Host is not valid.")
          : problemFrom(error, log),
      ),
  });
}

/** Streams are open for hours: they end within a second of their caller's key. */
function endOfRights(faces: readonly LongLived[], log: (text: string) => void): NodeJS.Timeout {
  const look = async (face: LongLived) => {
    const callers = new Map([...face.callers()].map((caller) => [caller.id, caller]));
    for (const [id, caller] of callers) if ((await caller.stillMay?.()) === false) await face.drop(id);
  };
  return setInterval(() => {
    for (const face of faces) look(face).catch((error) => log(`open streams were not checked: ${error}`));
  }, RIGHTS_MS).unref();
}

/** There is one way without keys, it is said aloud, and nobody but this machine can use it. */
function refuseOpenDoors({ settings, workspaces }: ServeOptions): void {
  if (settings.auth === "required") return;
  if (!isLoopback(settings.host))
    throw wrongSetting(
      "--insecure-no-auth",
      "expected a loopback --host, such as 127.0.0.1: anybody could spend and lift limits",
    );
  const isProxied =
    settings.publicUrl !== null ||
    settings.addressFrom === "proxy" ||
    settings.allowedHosts.some((host) => !isLoopback(host));
  if (isProxied)
    throw wrongSetting("--insecure-no-auth", "expected without --public-url, --trust-proxy and --allowed-host");
  if (workspaces.length > 1)
    throw wrongSetting("--insecure-no-auth", "expected one --config: nobody says whose workspace it is");
}

/** The same context, that also tells what its operations answer. */
function observed(context: Context, observe: NonNullable<Context["observe"]>): Context {
  // Its policy and prices are looked up at each use: as getters they are kept.
  return Object.defineProperties({ observe } as unknown as Context, Object.getOwnPropertyDescriptors(context));
}

/** What the ledger is told before anybody is let in. A first key is shown at once: whatever fails later, it is made. */
async function begin({ workspaces, settings, ledgerFile, log }: ServeOptions): Promise<void> {
  for (const { context, policyText } of workspaces) {
    const starting = { kind: "owner", actor: "server start" } as const;
    await invoke(recordPolicy, context, starting, { sha256: context.sha256(policyText) });
    if (settings.auth !== "required") continue;
    const { secret } = await invoke(createFirstKey, context, { kind: "owner", actor: "first start" }, {});
    if (secret === null) continue;
    log(`first start: the owner key of workspace ${context.policy.workspace.id}, shown this once: ${secret}`);
    log(`only its SHA-256 is kept, in ${ledgerFile}; make others with: astra-budget key create`);
  }
}

/** What the operator must know: where it is, and what is risky. */
function announce({ settings, log }: ServeOptions, url: URL): void {
  if (settings.auth === "insecure_none")
    log("WARNING: --insecure-no-auth: whoever reaches this port is the owner, and may lift every limit.");
  if (!isLoopback(settings.host) && settings.publicUrl?.protocol !== "https:")
    log("WARNING: keys cross the network unencrypted. Put TLS in front, and name it with --public-url https://…");
  const sse = settings.sse === "mounted" ? `, ${url.href}sse` : "";
  log(`listening: MCP at ${url.href}mcp${sse}; REST at ${url.href}openapi.json; dashboard at ${url.href}`);
}
