// The app: all HTTP faces on one Hono app, for callers that the gate has let in.
import type { IncomingMessage, ServerResponse } from "node:http";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import { AstraError } from "../core/error.ts";
import type { EventsFace } from "../faces/dashboard/events.ts";
import type { McpCaller, McpFace } from "../faces/mcp-http.ts";
import type { McpSseFace } from "../faces/mcp-sse.ts";
import { methodNotAllowed, problemFrom, problemOf, problemResponse } from "../faces/rest/problem.ts";
import { mountRest } from "../faces/rest/rest.ts";
import { type Caller, isAnonymous } from "./credentials.ts";
import { METRICS_TYPE, type Metrics } from "./metrics.ts";
import { mountSignIn, type SignIn } from "./sign-in.ts";
import type { Tokens } from "./tokens.ts";

/** What the gate hands over with each request. `route` is filled in by the route that answers. */
export type Env = {
  Bindings: { incoming: IncomingMessage; outgoing: ServerResponse; caller: Caller; seen: { route: string } };
};

export type Faces = SignIn & {
  readonly mcp: McpFace;
  /** Null where it is left out. */
  readonly sse: McpSseFace | null;
  readonly events: EventsFace;
  readonly tokens: Tokens;
  readonly metrics: Metrics;
  readonly log: (text: string) => void;
};

export function appOf(faces: Faces): Hono<Env> {
  const app = new Hono<Env>();
  mountRest(app, { version: faces.version });
  mountSignIn(app, faces);
  app.post("/auth/token", async (http) => {
    http.env.seen.route = "/auth/token";
    const { holder } = http.env.caller;
    if (!holder) throw new AstraError("forbidden", "Only a key is traded for a token.", "Send X-API-Key: oc_…");
    const now = Date.now();
    const { token, expiresAt } = await faces.tokens.issue(holder, now);
    const expiresIn = Math.floor((expiresAt - now) / 1_000);
    return http.json({ access_token: token, token_type: "Bearer", expires_in: expiresIn });
  });
  app.get("/metrics", async (http) => {
    http.env.seen.route = "/metrics";
    const { context, principal } = http.env.caller;
    return http.body(await faces.metrics.text(context, principal), 200, { "content-type": METRICS_TYPE });
  });
  app.all("/mcp", (http) => {
    http.env.seen.route = "/mcp";
    return faces.mcp.fetch(http.req.raw, mcpCaller(http.env.caller));
  });
  const { sse, events } = faces;
  app.get("/events", async ({ env }) => {
    if (env.incoming.method !== "GET") return methodNotAllowed(["GET"]);
    env.seen.route = "/events";
    await events.open(env.outgoing, env.caller);
    return RESPONSE_ALREADY_SENT;
  });
  if (sse) {
    app.get("/sse", async ({ env }) => {
      if (env.incoming.method !== "GET") return methodNotAllowed(["GET"]);
      env.seen.route = "/sse";
      await sse.open(env.incoming, env.outgoing, mcpCaller(env.caller));
      return RESPONSE_ALREADY_SENT;
    });
    app.post("/messages", async ({ env }) => {
      env.seen.route = "/messages";
      await sse.post(env.incoming, env.outgoing, mcpCaller(env.caller));
      return RESPONSE_ALREADY_SENT;
    });
  }
  app.all("/auth/token", () => methodNotAllowed(["POST"]));
  app.all("/events", () => methodNotAllowed(["GET"]));
  app.all("/metrics", () => methodNotAllowed(["GET"]));
  if (sse) {
    app.all("/sse", () => methodNotAllowed(["GET"]));
    app.all("/messages", () => methodNotAllowed(["POST"]));
  }
  app.notFound(() =>
    problemResponse(problemOf("not_found", "There is no such resource.", { hint: "See /openapi.json." })),
  );
  app.onError((error) => {
    const problem = problemFrom(error, faces.log);
    return problemResponse(problem, problem.code === "ledger_busy" ? { "retry-after": "1" } : {});
  });
  return app;
}

/** Whoever calls a tool without a key is an agent, as on standard input: only REST has operators. */
function mcpCaller(caller: Caller): McpCaller {
  return isAnonymous(caller) ? { ...caller, principal: { kind: "agent", agentId: null } } : caller;
}
