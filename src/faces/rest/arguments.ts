// A request's path, query, body and Idempotency-Key as the arguments of its route's operation.
import { z } from "zod";
import type { AstraError } from "../../core/error.ts";
import { nearest } from "../../core/nearest.ts";
import { invalidInput } from "../../operations/operation.ts";
import type { Route } from "./routes.ts";

/** What is known of a route before any request: which arguments come from where, and of which kind they are. */
export type Plan = {
  readonly route: Route;
  readonly params: readonly string[];
  /** Query parameter to argument. */
  readonly query: ReadonlyMap<string, string>;
  /** Is a body read at all? */
  readonly isBodied: boolean;
  /** Arguments of the body. */
  readonly body: readonly string[];
  readonly kinds: ReadonlyMap<string, "text" | "number" | "boolean" | "list">;
  readonly takesKey: boolean;
};

type JsonSchema = { type?: string; anyOf?: JsonSchema[]; properties?: Record<string, JsonSchema> };

export function planOf(route: Route): Plan {
  const json = z.toJSONSchema(route.operation.input, { io: "input", unrepresentable: "any" }) as JsonSchema;
  const all = Object.keys(json.properties ?? {});
  const params = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "");
  const rest = all.filter((name) => ![...params, ...(route.without ?? []), "idempotency_key"].includes(name));
  const isBodied = route.method === "POST" || route.method === "PATCH";
  const query = route.query ?? (isBodied ? {} : Object.fromEntries(rest.map((name) => [name, name])));
  return {
    route,
    params,
    query: new Map(Object.entries(query)),
    isBodied,
    body: isBodied ? rest : [],
    kinds: new Map(Object.entries(json.properties ?? {}).map(([name, schema]) => [name, kindOf(schema)])),
    takesKey: route.method === "POST" && all.includes("idempotency_key"),
  };
}

function kindOf({ type, anyOf }: JsonSchema): "text" | "number" | "boolean" | "list" {
  if (type === "boolean") return "boolean";
  if (type === "array") return "list";
  const isNumber = (each: string | undefined) => each === "number" || each === "integer";
  // An id may be a number too: as text it is the same id.
  const isCount = isNumber(type) || (anyOf?.length === 2 && isNumber(anyOf[0]?.type) && anyOf[1]?.type === "null");
  return isCount ? "number" : "text";
}

/** Throws `invalid_input` for a query parameter that the route does not know; the operation checks all the rest. */
export function argumentsOf(
  plan: Plan,
  request: {
    readonly params: Readonly<Record<string, string>>;
    readonly query: URLSearchParams | null;
    readonly body: unknown;
    readonly key: string | undefined;
  },
): Record<string, unknown> {
  const given: Record<string, unknown> = { ...bodyOf(plan, request.body) };
  for (const [name, value] of request.query ?? []) {
    const argument = plan.query.get(name);
    if (argument === undefined) throw unknownParameter(name, [...plan.query.keys()]);
    if (argument in given) throw invalidInput(name, "expected it once");
    given[argument] = converted(plan.kinds.get(argument), value);
  }
  for (const name of plan.params) given[name] = request.params[name];
  if (request.key !== undefined && plan.takesKey) {
    if ((given.idempotency_key ?? request.key) !== request.key)
      throw invalidInput("idempotency_key", "expected the same as in the header Idempotency-Key");
    given.idempotency_key = request.key;
  }
  const { usual } = plan.route;
  return usual?.unless.some((name) => name in given) ? given : { ...usual?.args, ...given };
}

function bodyOf(plan: Plan, body: unknown): Record<string, unknown> {
  if (body === undefined) return {};
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw invalidInput("", "expected a JSON object as the body");
  const misplaced = [...plan.params, ...(plan.route.without ?? [])].find((name) => Object.hasOwn(body, name));
  if (misplaced !== undefined) throw invalidInput(misplaced, "expected in the path, not in the body");
  return body as Record<string, unknown>;
}

function converted(kind: ReturnType<Plan["kinds"]["get"]>, value: string): unknown {
  if (kind === "number") return /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
  if (kind === "boolean") return value === "true" ? true : value === "false" ? false : value;
  return kind === "list" ? value.split(",") : value;
}

function unknownParameter(name: string, known: readonly string[]): AstraError {
  const meant = nearest(name, known);
  const shown = /^[\w.-]{1,64}$/.test(name) ? name : "";
  return invalidInput(shown, `unknown parameter${meant ? `, did you mean ${meant}?` : ""}`);
}
