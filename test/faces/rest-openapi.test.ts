// The server's description of itself: valid OpenAPI 3.1, and every route that is mounted is in it as it behaves.
import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, test } from "vitest";
import { routes } from "../../src/faces/rest/routes.ts";
import { newServerRoom } from "./server-room.ts";

type Parameter = { readonly name: string; readonly in: string; readonly required?: boolean; readonly schema: object };
type Described = {
  readonly operationId: string;
  readonly summary?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: Schema }> };
  readonly responses: Record<string, { readonly content?: Record<string, object> }>;
};
type Schema = {
  readonly properties: Record<string, object>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
};
type Document = {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Described>>;
  readonly components: { readonly securitySchemes: object };
};

async function described(): Promise<Document> {
  const { owner } = await newServerRoom();
  const { status, headers, body } = await owner.get("/openapi.json");
  expect([status, headers.get("content-type")]).toEqual([200, "application/json"]);
  return body as unknown as Document;
}

const operationsOf = ({ paths }: Document): [line: string, operation: Described][] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Described] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );

describe("/openapi.json", () => {
  test("is valid OpenAPI 3.1", async () => {
    const document = await described();
    const validator = new Validator();
    const { valid, errors } = await validator.validate(document);
    expect(errors ?? []).toEqual([]);
    expect([valid, validator.version]).toEqual([true, "3.1"]);
    expect(document.openapi).toMatch(/^3\.1\.\d$/);
  });

  test("describes every REST route and no other under /api/v1", async () => {
    const lines = operationsOf(await described()).map(([line]) => line);
    const mounted = routes.map(({ method, path }) => `${method} ${path}`);
    expect(lines).toEqual(expect.arrayContaining(mounted));
    const under = (all: string[]) => all.filter((line) => line.includes(" /api/v1/")).toSorted();
    expect(under(lines)).toEqual(under(mounted));
  });

  test.each(["POST /auth/token", "DELETE /auth/session", "GET /metrics", "GET /healthz", "GET /readyz"])(
    "describes %s",
    async (line) => {
      expect(operationsOf(await described()).map(([each]) => each)).toContain(line);
    },
  );

  test("names each operation once, in words, with what it takes in its path", async () => {
    const operations = operationsOf(await described());
    expect(new Set(operations.map(([, { operationId }]) => operationId)).size).toBe(operations.length);
    for (const [line, { operationId, summary, parameters = [] }] of operations) {
      expect(operationId, line).toMatch(/^[A-Za-z0-9_]+$/);
      expect(summary, line).toMatch(/\S/);
      const inPath = parameters.filter((each) => each.in === "path");
      expect(
        inPath.map(({ name }) => name),
        line,
      ).toEqual([...line.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      for (const { required } of inPath) expect(required, line).toBe(true);
    }
  });

  test("shows the fields of the documents by their names", async () => {
    const { paths } = await described();
    const bodyOf = (path: string, method: string) =>
      paths[path]?.[method]?.requestBody?.content["application/json"]?.schema;
    const usage = bodyOf("/api/v1/sessions/{session_id}/usage", "post");
    expect(usage?.required?.toSorted()).toEqual(["input_tokens", "output_tokens"]);
    expect(Object.keys(usage?.properties ?? {})).toEqual(
      expect.arrayContaining(["input_tokens", "output_tokens", "cost_usd"]),
    );
    expect(Object.keys(bodyOf("/api/v1/agents/{agent_id}/sessions", "post")?.properties ?? {})).toEqual(
      expect.arrayContaining(["task_id", "model"]),
    );
    const queries = (path: string) =>
      paths[path]?.get?.parameters?.filter((each) => each.in === "query").map(({ name }) => name);
    expect(queries("/costs/breakdown")).toEqual(expect.arrayContaining(["months", "startDate", "endDate"]));
    expect(queries("/api/v1/teams/{team_id}/costs")).toContain("days");
    expect(queries("/api/v1/agents/{agent_id}/budget")).toContain("task_id");
  });

  test("says of every body that it takes nothing else, and of every POST that takes one that a key makes it safe", async () => {
    for (const [line, { requestBody, parameters = [], responses }] of operationsOf(await described())) {
      const schema = requestBody?.content["application/json"]?.schema;
      if (schema) expect(schema.additionalProperties, line).toBe(false);
      const takesKey = schema !== undefined && "idempotency_key" in schema.properties;
      expect(takesKey, `${line}: the key is a header`).toBe(false);
      const isMaking = /^POST .*\/(sessions|usage|check|tasks|stops|grants|keys)$/.test(line);
      if (isMaking)
        expect(parameters, line).toContainEqual(expect.objectContaining({ name: "Idempotency-Key", in: "header" }));
      expect(
        Object.keys(responses).some((status) => /^20[014]$/.test(status)),
        line,
      ).toBe(true);
    }
  });
});
