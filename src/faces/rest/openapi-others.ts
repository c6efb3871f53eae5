// What the API's description says of the routes that call no operation.

const json = (properties: Record<string, unknown>) => ({
  "application/json": { schema: { type: "object", required: Object.keys(properties), properties } },
});
const text = { type: "string" };
const fault = {
  description: "A fault.",
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
};

const probe = (operationId: string, summary: string) => ({
  get: {
    operationId,
    summary,
    tags: ["server"],
    security: [],
    responses: {
      200: { description: "Yes.", content: json({ status: text }) },
      ...(operationId === "get_readyz" ? { 503: { description: "No.", content: json({ status: text }) } } : {}),
    },
  },
});

const SESSION = {
  role: { enum: ["viewer", "operator", "owner"] },
  actor: text,
  workspace_id: text,
  timezone: text,
  version: text,
  csrf_token: { type: ["string", "null"] },
  expires_at: { type: ["string", "null"] },
};

export const OTHER_PATHS = {
  "/auth/token": {
    post: {
      operationId: "post_auth_token",
      summary: "Trade a key for a token",
      description: "The token lives 15 minutes and speaks for the key; it ends with it. At most 10 requests a minute.",
      tags: ["server"],
      security: [{ apiKey: [] }],
      responses: {
        200: {
          description: "Done.",
          content: json({ access_token: text, token_type: { const: "Bearer" }, expires_in: { type: "integer" } }),
        },
        default: fault,
      },
    },
  },
  "/auth/session": {
    post: {
      operationId: "post_auth_session",
      summary: "Sign a browser in",
      description:
        "Trades the key of a viewer, an operator or an owner for a cookie of 12 hours that ends with the key. At most 10 requests a minute. With the cookie every change needs X-CSRF-Token. It is not taken by /mcp, /sse and /messages.",
      tags: ["server"],
      security: [{ apiKey: [] }],
      responses: { 201: { description: "Done.", content: json(SESSION) }, default: fault },
    },
    get: {
      operationId: "get_auth_session",
      summary: "Who is this browser?",
      tags: ["server"],
      security: [{ cookie: [] }],
      responses: { 200: { description: "Done.", content: json(SESSION) }, default: fault },
    },
    delete: {
      operationId: "delete_auth_session",
      summary: "Sign a browser out",
      tags: ["server"],
      security: [{ cookie: [] }],
      responses: { 204: { description: "Done." }, default: fault },
    },
  },
  "/events": {
    get: {
      operationId: "get_events",
      summary: "What happens now, as it happens",
      description:
        "Server-sent events. `now`: what changed in the answer of GET /api/v1/now, at first all of it, then only new charges. `changed`: the ledger moved, at most once a second.",
      tags: ["server"],
      responses: {
        200: { description: "A stream.", content: { "text/event-stream": { schema: text } } },
        default: fault,
      },
    },
  },
  "/metrics": {
    get: {
      operationId: "get_metrics",
      summary: "Metrics for Prometheus",
      description: "Spent, held and limits by scope, verdicts by decision, requests and their times.",
      tags: ["server"],
      responses: { 200: { description: "Done.", content: { "text/plain": { schema: text } } }, default: fault },
    },
  },
  "/healthz": probe("get_healthz", "Is the server alive?"),
  "/readyz": probe("get_readyz", "Can the server read its ledger?"),
} as const;
