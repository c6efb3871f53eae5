// What a request of the fuzz is made of: who asks, what is sent and how, and arguments that an operation may well take.
import type { Operation } from "../../src/operations/operation.ts";
import { anything, fitting, hostile, type Known, NONE, type Random, type Wanted } from "./http-fuzz-values.ts";

export type Caller = {
  readonly name: string;
  /** Null = a credential that lets nobody in. */
  readonly role: "agent" | "viewer" | "operator" | "owner" | null;
  readonly agent: string | null;
  readonly headers: readonly Header[];
};
export type Header = readonly [name: string, value: string];

export type Asked = {
  /** The route or tool; its answers are counted under it. */
  readonly label: string;
  readonly face: "rest" | "mcp";
  readonly caller: Caller;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly Header[];
  /** As latin1: one character a byte. */
  readonly body: string | null;
  /** `cut`: the body ends too soon. `malformed`: no HTTP at all, which Node answers by itself. */
  readonly framing: "length" | "chunked" | "cut" | "malformed";
  readonly stream: "ends" | "stays";
};

export type Hand = { readonly random: Random; readonly known: Known; readonly callers: readonly Caller[] };

const SERVES: Readonly<Record<Operation["access"], readonly string[]>> = {
  anyone: ["agent", "agent", "viewer", "operator", "owner"],
  agent: ["agent", "agent", "agent", "operator", "owner"],
  viewer: ["viewer", "operator", "owner"],
  operator: ["operator", "owner"],
  owner: ["owner"],
};

export function callerFor({ random, callers }: Hand, access: Operation["access"]): Caller {
  const role = random.one(SERVES[access]);
  const fit = random.oneIn(7) ? callers : callers.filter((each) => each.role === role);
  return random.one(fit);
}

export const common = (caller: Caller, random: Random) =>
  ({ caller, headers: caller.headers, framing: random.oneIn(8) ? "chunked" : "length", stream: "ends" }) as const;

export const JSON_TYPE: Header = ["content-type", "application/json"];
export const bytes = (text: string): string => Buffer.from(text, "utf8").toString("latin1");
const TARGETS = ["session_id", "agent_id", "task_id", "team_id", "all"];

/** What the operation needs and some of what else it takes; one in twenty values is hostile. */
export function argsFor(operation: Operation, wanted: Wanted, names: readonly string[]): unknown {
  const { random } = wanted;
  if (random.oneIn(25)) return anything(random);
  const missing = operation.input.safeParse({}).error?.issues.map((issue) => String(issue.path[0])) ?? [];
  const isStop = operation.name === "stop";
  const rest = names.filter((name) => !missing.includes(name) && !(isStop && TARGETS.includes(name)));
  const chosen = [
    ...names.filter((name) => missing.includes(name)),
    ...random.some(rest, random.oneIn(4) ? rest.length : 3),
    // A stop of more than a session stops nearly all that is asked from then on.
    ...(isStop ? [random.oneIn(12) ? random.one(TARGETS) : "session_id"] : []),
    ...(operation.name === "open_session" && wanted.agent === null && names.includes("agent_id") ? ["agent_id"] : []),
    ...(operation.name === "check_budget" && names.includes("agent_id") ? ["agent_id"] : []),
  ];
  const value = (name: string) => (random.oneIn(20) ? hostile(random) : fitting(name, wanted));
  const entries = chosen.map((name) => [name, value(name)] as const);
  // What may be left out is left out where nothing fits yet.
  const args = Object.fromEntries(entries.filter(([name, each]) => each !== NONE || missing.includes(name)));
  return random.oneIn(30) ? { ...args, [random.one(["x", "__proto_", "sessionId"])]: anything(random) } : args;
}
