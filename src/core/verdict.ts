// The verdict: a pure, order-free decision over limits, and the sentence that tells a model what to do now.
import type { IncidentKind } from "./incident.ts";
import { type Limit, type LimitScope, type Measure, max, remainingOf } from "./limits.ts";
import { formatUsd } from "./money.ts";
import type { WindowKind } from "./window.ts";

export type Decision = "allow" | "warn" | "deny";

/** What an ask would add to each measure; absent = nothing. */
export type Ask = Partial<Record<Measure, bigint>>;

/** A reason to deny that is no limit: an order, a state, a rule. `text` is a whole sentence of ours. */
export type Refusal = {
  readonly kind:
    | "stop"
    | "session_ended"
    | "parent_not_open"
    | "spawn_depth"
    | "dependency"
    | "unknown_agent"
    | "unknown_model";
  readonly scope: LimitScope;
  readonly scopeId: string;
  readonly text: string;
};

/** Something to warn of that is no limit: a usual cost that is passed, an incident. `text` is sentences of ours. */
export type Notice = {
  readonly kind: "guideline" | IncidentKind;
  readonly scope: LimitScope;
  readonly scopeId: string;
  readonly window: WindowKind | null;
  readonly measure: Measure | null;
  readonly text: string;
};

/** What decided: the limit, rule or notice that binds, or for an allow the limit nearest to its end. */
export type Binding = {
  readonly kind: "limit" | Refusal["kind"] | Notice["kind"];
  readonly scope: LimitScope;
  readonly scopeId: string;
  readonly window: WindowKind | null;
  readonly measure: Measure | null;
};

export type Verdict = {
  readonly decision: Decision;
  readonly message: string;
  readonly binding: Binding | null;
  readonly limits: readonly Limit[];
};

export const NO_ASK: Ask = {};
const PPM = 1_000_000n;

/** Over when `spent + held >= limit`. A limit of no tool calls is a permission, not a purse: unused, it is not over. */
export function isExhausted(limit: Limit): boolean {
  const used = limit.spent + limit.held;
  return used >= limit.limit && !(limit.measure === "tool_calls" && limit.limit === 0n && used === 0n);
}

/** One limit's own decision: deny when exhausted or when the ask does not fit, warn from the policy's share on. */
export function decideLimit(limit: Limit, ask: Ask, warnAtPpm: bigint): Decision {
  const used = limit.spent + limit.held + (ask[limit.measure] ?? 0n);
  if (isExhausted(limit) || used > limit.limit) return "deny";
  return limit.limit > 0n && used * PPM >= limit.limit * warnAtPpm ? "warn" : "allow";
}

/** Deny overrides warn overrides allow, whatever the order of the limits. */
function decide(
  limits: readonly Limit[],
  ask: Ask,
  warnAtPpm: bigint,
  refusals: readonly Refusal[] = [],
): Omit<Verdict, "message"> & { readonly limit: Limit | null; readonly refusal: Refusal | null } {
  const refusal = [...refusals].sort((a, b) => compare(refusalOrder(a), refusalOrder(b)))[0] ?? null;
  if (refusal) {
    const binding = { kind: refusal.kind, scope: refusal.scope, scopeId: refusal.scopeId, window: null, measure: null };
    return { decision: "deny", binding, limits, limit: null, refusal };
  }
  let decision: Decision = "allow";
  let limit: Limit | null = null;
  for (const candidate of limits) {
    const own = decideLimit(candidate, ask, warnAtPpm);
    if (
      limit === null ||
      severity[own] > severity[decision] ||
      (own === decision && isTighter(candidate, limit, ask))
    ) {
      decision = own;
      limit = candidate;
    }
  }
  const binding = limit && {
    kind: "limit" as const,
    scope: limit.scope,
    scopeId: limit.scopeId,
    window: limit.window,
    measure: limit.measure,
  };
  return { decision, binding, limits, limit, refusal: null };
}

const severity: Record<Decision, number> = { allow: 0, warn: 1, deny: 2 };

/** Nearer to its end by share used; ties fall to the one that resets later, then to a fixed order of names. */
function isTighter(a: Limit, b: Limit, ask: Ask): boolean {
  const usedA = (a.spent + a.held + (ask[a.measure] ?? 0n)) * max(b.limit, 1n);
  const usedB = (b.spent + b.held + (ask[b.measure] ?? 0n)) * max(a.limit, 1n);
  if (usedA !== usedB) return usedA > usedB;
  const untilA = a.resetsAt ?? Number.POSITIVE_INFINITY;
  const untilB = b.resetsAt ?? Number.POSITIVE_INFINITY;
  if (untilA !== untilB) return untilA > untilB;
  return compare(limitOrder(a), limitOrder(b)) < 0;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const limitOrder = (l: Limit): string =>
  `${MEASURES.indexOf(l.measure)} ${l.scope} ${l.scopeId} ${l.window} ${l.limit} ${l.spent}`;
const refusalOrder = (r: Refusal): string => `${r.kind === "stop" ? 0 : 1} ${r.kind} ${r.scope} ${r.scopeId} ${r.text}`;

/** The whole verdict, with a few sentences for a model. */
export function verdictOf(
  limits: readonly Limit[],
  ask: Ask,
  warnAtPpm: bigint,
  refusals: readonly Refusal[] = [],
  notices: readonly Notice[] = [],
): Verdict {
  const { decision, binding, limit, refusal } = decide(limits, ask, warnAtPpm, refusals);
  const message = refusal
    ? refusal.text
    : limit
      ? limitMessage(decision, limit, limits, ask)
      : "No limit bears on this.";
  return withNotices({ decision, message, binding, limits }, notices);
}

/** Notices make an allow a warning and are told beside one. Whoever is denied has one thing to do: stop. */
function withNotices(verdict: Verdict, notices: readonly Notice[]): Verdict {
  const [first] = notices;
  if (!first || verdict.decision === "deny") return verdict;
  const texts = notices.map((notice) => notice.text);
  if (verdict.decision === "warn") return { ...verdict, message: [verdict.message, ...texts].join(" ") };
  const { kind, scope, scopeId, window, measure } = first;
  const binding = { kind, scope, scopeId, window, measure };
  return { ...verdict, decision: "warn", message: [...texts, verdict.message].join(" "), binding };
}

function limitMessage(decision: Decision, limit: Limit, limits: readonly Limit[], ask: Ask): string {
  const left = `${share(limit, remainingOf(limit))} left (${placeOf(limit)})`;
  if (decision === "allow") return `Within budget: ${left}.`;
  const resets = limit.resetsAt === null ? "It does not reset." : `It resets at ${instant(limit.resetsAt)}.`;
  if (decision === "warn") {
    const before = ask[limit.measure] ? " before this ask" : "";
    return `Nearly over budget: ${left}${before}. ${resets} Finish with less and start nothing new.`;
  }
  if (!isExhausted(limit)) {
    const asked = amount(limit.measure, ask[limit.measure] ?? 0n);
    return `Denied: ${asked} asked, ${left}. Ask for less, or finish with what is left. ${resets}`;
  }
  const elsewhere = tightestElsewhere(limit, limits);
  const rest = elsewhere ? ` Left elsewhere: ${share(elsewhere, remainingOf(elsewhere))} (${placeOf(elsewhere)}).` : "";
  return `Over budget: ${share(limit, limit.spent + limit.held)} used (${placeOf(limit)}). ${resets}${rest} Stop now and tell a human.`;
}

/** The tightest limit with room left outside the binding one's scope: it tells whether waiting or moving could help. */
function tightestElsewhere(binding: Limit, limits: readonly Limit[]): Limit | null {
  const others = limits.filter(
    (l) => (l.scope !== binding.scope || l.scopeId !== binding.scopeId) && l.measure === "cost_usd" && !isExhausted(l),
  );
  return others.reduce<Limit | null>((best, l) => (best === null || isTighter(l, best, NO_ASK) ? l : best), null);
}

/** "82 % of $5.00 used (session)", for a limit above zero. */
export const usedText = (limit: Limit): string =>
  `${((limit.spent + limit.held) * 100n) / max(limit.limit, 1n)} % of ${amount(limit.measure, limit.limit)} used (${placeOf(limit)})`;

/** The unit behind a number; a cost carries its own. In this order limits that are equally far used are named. */
const units: Record<Measure, string> = {
  cost_usd: "",
  total_tokens: " tokens",
  prompt_tokens: " prompt tokens",
  completion_tokens: " completion tokens",
  tool_calls: " tool calls",
  child_agents: " child agents",
  concurrent_children: " open children",
  duration_ms: " s",
};
const MEASURES = Object.keys(units);

const windowNames: Record<WindowKind, string> = {
  session: "",
  total: ", in all",
  hour: ", this hour",
  day: ", today",
  week: ", this week",
  month: ", this month",
};

/** "session", "team night-shift, today". */
function placeOf(limit: Limit): string {
  const who = limit.scope === "session" ? "session" : `${limit.scope} ${limit.scopeId}`;
  return `${who}${windowNames[limit.window]}`;
}

/** "$0.12 of $0.50", "4 of 20 tool calls". */
const share = (limit: Limit, part: bigint): string =>
  `${numeral(limit.measure, part)} of ${amount(limit.measure, limit.limit)}`;
const amount = (measure: Measure, value: bigint): string => `${numeral(measure, value)}${units[measure]}`;

function numeral(measure: Measure, value: bigint): string {
  if (measure === "cost_usd") return formatUsd(value);
  return measure === "duration_ms" ? String(Number(value) / 1000) : String(value);
}

/** ISO 8601 to the second. */
const instant = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
