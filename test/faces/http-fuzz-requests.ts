// Random requests of the fuzz: every REST route and every tool, by callers of all roles, a third of them spoilt somewhere.
import { planOf } from "../../src/faces/rest/arguments.ts";
import { routes } from "../../src/faces/rest/routes.ts";
import { agentOperations } from "../../src/operations/index.ts";
import { type Asked, argsFor, bytes, callerFor, common, type Hand, type Header, JSON_TYPE } from "./http-fuzz-asked.ts";
import { otherRpc, toolRequest } from "./http-fuzz-mcp.ts";
import { spoilt } from "./http-fuzz-spoilt.ts";
import { fitting, hostile, jsonOf, NONE, type Random, textOf } from "./http-fuzz-values.ts";

const PLANS = routes.map(planOf);
/** What costs much or disturbs all is asked for less often. */
const WEIGHTS: Readonly<Record<string, number>> = {
  report_usage: 14,
  open_session: 10,
  check_budget: 8,
  stop: 1,
  resume: 6,
  verify_audit: 0.4,
};
const FIXED = [
  ...["GET /openapi.json", "GET /metrics", "GET /sse", "GET /events"],
  ...[
    "GET /healthz",
    "GET /readyz",
    "GET /.well-known/oauth-protected-resource/mcp",
    "POST /auth/token",
    "GET /nothing",
  ],
];
type Lot = { readonly upTo: number; readonly make: (hand: Hand) => Asked };
let ALL = 0;
const lot = (weight: number, make: Lot["make"]): Lot => {
  ALL += weight;
  return { upTo: ALL, make };
};
const ERAS = ["2026", "2025"] as const;
const LOTS: readonly Lot[] = [
  ...PLANS.map((plan) => lot(WEIGHTS[plan.route.operation.name] ?? 4, (hand) => restRequest(hand, plan))),
  ...FIXED.map((line) => lot(0.4, (hand) => fixedRequest(hand, line))),
  ...agentOperations.flatMap((tool) => ERAS.map((era) => lot(2.5, (hand) => toolRequest(hand, tool, era)))),
  ...ERAS.map((era) => lot(1.5, (hand) => otherRpc(hand, era))),
];

/** What must be answered with success now and then. */
export const LABELS: readonly string[] = [
  ...PLANS.map(({ route }) => `${route.method} ${route.path}`),
  ...FIXED.filter((line) => !/nothing/.test(line)),
  ...agentOperations.flatMap(({ name }) => [`${name} 2026`, `${name} 2025`]),
];

export function randomRequest(hand: Hand): Asked {
  const { random } = hand;
  const at = random.next() * ALL;
  const asked = (LOTS.find(({ upTo }) => at < upTo) ?? (LOTS[0] as Lot)).make(hand);
  return random.oneIn(3) ? spoilt(asked, random) : asked;
}

type Plan = (typeof PLANS)[number];

function restRequest(hand: Hand, plan: Plan): Asked {
  const { random, known } = hand;
  const { operation, method, path } = plan.route;
  const caller = callerFor(hand, operation.access);
  const wanted = { random, known, agent: caller.agent };
  const value = (name: string) => (random.oneIn(25) ? hostile(random) : fitting(name, wanted));
  const text = (name: string) => percent(textOf(value(name)), random);
  const query = random
    .some([...plan.query], 2)
    .map(([name, argument]) => `${name}=${text(argument)}`)
    .filter((each) => !each.endsWith(`=${NONE}`));
  const target =
    path.replace(/\{(\w+)\}/g, (_, name: string) => text(name)) + (query.length > 0 ? `?${query.join("&")}` : "");
  const args = plan.body.length > 0 ? argsFor(operation, wanted, plan.body) : null;
  const key: Header[] =
    plan.takesKey && random.oneIn(3) ? [["idempotency-key", String(fitting("idempotency_key", wanted))]] : [];
  return {
    ...common(caller, random),
    headers: [...caller.headers, ...(args === null ? [] : [JSON_TYPE]), ...key],
    ...{ label: `${method} ${path}`, face: "rest", method, target },
    body: args === null ? null : bytes(jsonOf(args)),
  };
}

/** Names percent-encoded, now and then more or less of them than need be. */
function percent(text: string, random: Random): string {
  if (random.oneIn(40)) return text.replace(/[^\w.-]/g, "%").slice(0, 200);
  const all = random.oneIn(20) ? /./gs : /[^\w.~-]/g;
  const encoded = Buffer.from(text, "utf8").toString("latin1");
  return encoded.replace(all, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, "0")}`).slice(0, 6_000);
}

function fixedRequest(hand: Hand, line: string): Asked {
  const [method = "", target = ""] = line.split(" ");
  const caller = hand.random.one(hand.callers);
  const stream = target === "/sse" || target === "/events" ? "stays" : "ends";
  return {
    ...common(caller, hand.random),
    label: line,
    face: target === "/sse" ? "mcp" : "rest",
    method,
    target,
    body: null,
    stream,
  };
}
