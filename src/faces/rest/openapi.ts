// The REST face described by itself: OpenAPI 3.1, generated from the operations' own schemas.
import { z } from "zod";
import { idempotencyKey } from "../../operations/input.ts";
import type { Plan } from "./arguments.ts";
import { OTHER_PATHS } from "./openapi-others.ts";

type Json = Record<string, unknown>;

export function openApi(plans: readonly Plan[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const plan of plans) {
    const { path, method } = plan.route;
    paths[path] = { ...paths[path], [method.toLowerCase()]: described(plan) };
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "astra-budget",
      version,
      description: "The budget authority AI agents ask before they spend and report to after.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: [{ apiKey: [] }, { bearer: [] }, { cookie: [] }],
    tags: [{ name: "agents" }, { name: "operators" }, { name: "server" }],
    paths: { ...paths, ...OTHER_PATHS },
    components: {
      securitySchemes: {
        apiKey: { type: "apiKey", in: "header", name: "X-API-Key" },
        bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
        cookie: { type: "apiKey", in: "cookie", name: "astra_session" },
      },
      schemas: { Problem: PROBLEM },
    },
  };
}

const PROBLEM = {
  type: "object",
  description: "RFC 9457; `code` is stable, `detail` is for people.",
  required: ["type", "title", "status", "detail", "code"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { type: "string" },
    hint: { type: "string" },
    faults: {
      type: "array",
      items: { type: "object", properties: { path: { type: "string" }, message: { type: "string" } } },
    },
    verdict: { type: "object", description: "With 402 and 409: the whole verdict." },
  },
};

function described(plan: Plan): Json {
  const { operation, shape, status, path, method } = plan.route;
  const input = schemaOf(operation.input, "input");
  const properties = (input.properties ?? {}) as Record<string, Json>;
  const required = (input.required ?? []) as string[];
  const parameters = [
    ...plan.params.map((name) => ({ name, in: "path", required: true, schema: plain(properties[name]) })),
    ...[...plan.query].map(([name, argument]) => ({ name, in: "query", ...parameterOf(properties[argument]) })),
    ...(plan.takesKey ? [IDEMPOTENCY_KEY] : []),
  ];
  const needed = required.filter((name) => plan.body.includes(name));
  const body = {
    type: "object",
    properties: Object.fromEntries(plan.body.map((name) => [name, properties[name]])),
    ...(needed.length > 0 ? { required: needed } : {}),
    additionalProperties: false,
  };
  return {
    operationId: `${method.toLowerCase()}${path.replace(/[{}]/g, "").replace(/[^a-zA-Z0-9]+/g, "_")}`,
    summary: operation.title,
    description: operation.description,
    tags: [operation.access === "agent" || operation.access === "anyone" ? "agents" : "operators"],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(plan.body.length > 0
      ? { requestBody: { required: needed.length > 0, content: { "application/json": { schema: body } } } }
      : {}),
    responses: {
      [status ?? 200]: {
        description: "Done.",
        content: { "application/json": { schema: schemaOf(shape?.output ?? operation.output, "output") } },
      },
      default: {
        description: "A fault, or a refusal: 402 is over budget with the verdict, 429 the rate limiter.",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

const IDEMPOTENCY_KEY = {
  name: "Idempotency-Key",
  in: "header",
  description: "Send the same key when you repeat the request: it then counts once.",
  schema: schemaOf(idempotencyKey, "input"),
};

function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: "any", target: "draft-2020-12" });
  return json as Json;
}

/** A parameter's description stands beside its schema. */
function parameterOf(schema: Json | undefined): Json {
  const { description, ...rest } = schema ?? {};
  return { ...(description ? { description } : {}), schema: rest };
}

const plain = (schema: Json | undefined): Json => parameterOf(schema).schema as Json;
