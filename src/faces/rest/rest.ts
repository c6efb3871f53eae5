// The REST face: every route on a Hono app, over budget as 402, every fault as a problem document.
import type { Hono, Context as Http } from "hono";
import { idempotencyKey } from "../../operations/input.ts";
import { type Context, invalidInput, invoke, type Principal } from "../../operations/operation.ts";
import { argumentsOf, type Plan, planOf } from "./arguments.ts";
import { readBody } from "./body.ts";
import { openApi } from "./openapi.ts";
import { methodNotAllowed, problem, problemResponse } from "./problem.ts";
import { routes } from "./routes.ts";

/** Who sent a request, found out before it gets here; `seen.route` is where the path of the answering route is noted. */
export type RestEnv = {
  Bindings: { caller: { readonly context: Context; readonly principal: Principal }; seen: { route: string } };
};

const PLANS = routes.map(planOf);
const honoPath = (path: string): string => path.replace(/\{(\w+)\}/g, ":$1");

/** Mounts all routes; whoever mounts them puts the caller into `env` and turns what is thrown into a problem. */
export function mountRest<Env extends RestEnv>(app: Hono<Env>, options: { readonly version: string }): void {
  for (const plan of PLANS) {
    const { method, path } = plan.route;
    app.on(method, honoPath(path), (http) => answer(plan, http as unknown as Http<RestEnv>));
  }
  const document = JSON.stringify(openApi(PLANS, options.version));
  app.get("/openapi.json", () => new Response(document, { headers: { "content-type": "application/json" } }));
  const known = Map.groupBy(PLANS, ({ route }) => route.path);
  for (const [path, plans] of known) {
    app.all(honoPath(path), () => methodNotAllowed(plans.map(({ route }) => route.method)));
  }
  app.all("/openapi.json", () => methodNotAllowed(["GET"]));
}

async function answer(plan: Plan, http: Http<RestEnv>): Promise<Response> {
  const { context, principal } = http.env.caller;
  const { route } = plan;
  http.env.seen.route = route.path;
  const body = plan.isBodied ? await readBody(http.req) : { json: undefined };
  if ("refused" in body) return body.refused;
  const mark = http.req.url.indexOf("?");
  const args = argumentsOf(plan, {
    params: http.req.param() as Record<string, string>,
    query: mark === -1 ? null : new URLSearchParams(http.req.url.slice(mark + 1)),
    body: body.json,
    key: keyOf(http),
  });
  const result = (await invoke(route.operation, context, principal, args)) as Record<string, unknown>;
  if (route.isRefused?.(result, args)) return refusalOf(result);
  const shown = route.shape ? route.shape.of(result, args, context.now()) : result;
  return http.json(shown, route.status ?? 200);
}

/** The header of RFC draft "Idempotency-Key"; one of a wrong form is a fault, never ignored. */
function keyOf(http: Http<RestEnv>): string | undefined {
  if (http.req.method !== "POST") return undefined;
  const key = http.req.header("idempotency-key");
  const fault = key === undefined ? undefined : idempotencyKey.safeParse(key).error?.issues[0];
  if (fault) throw invalidInput("Idempotency-Key", fault.message);
  return key;
}

type Verdict = { message: string; binding: { kind: string } | null };

/** The problem that a refusal is: with the whole verdict, and whatever else the answer says. */
function refusalOf(answer: Record<string, unknown>): Response {
  const { binding, message } = answer.verdict as Verdict;
  const kind = binding?.kind ?? "limit";
  const [code, status] = kind === "limit" ? (["over_budget", 402] as const) : (REFUSED[kind] ?? ([kind, 409] as const));
  return problemResponse(problem(code, status, message, answer));
}

/** Refusals that are no limit: a state that forbids is 409, a rule of the policy 403. */
const REFUSED: Readonly<Record<string, readonly [string, number]>> = {
  stop: ["stopped", 409],
  unknown_agent: ["unknown_agent", 403],
  unknown_model: ["unknown_model", 403],
};
