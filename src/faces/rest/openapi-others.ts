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
