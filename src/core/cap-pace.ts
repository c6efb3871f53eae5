// The rule over caps: at the pace of the last minutes, will one that several sessions share be hit soon?
import type { Finding } from "./incident.ts";
import { type Limit, max, remainingOf } from "./limits.ts";
import { formatUsd, usdFromNano } from "./money.ts";
import { grouped } from "./plain-text.ts";
import { isExhausted } from "./verdict.ts";
import type { IncidentRules } from "./watch-policy.ts";

type CapRule = IncidentRules["cap_soon"];

/** A cap of more than one session. A session's own is its to use up: that is no incident. */
export type SharedCap = Limit & { readonly scope: "task" | "agent" | "team" | "workspace" };

/** What was spent of a cap at two earlier moments; the pace is measured from the older one. Epoch ms. */
export type Marks = {
  readonly olderAt: number;
  readonly olderSpent: bigint;
  readonly newerAt: number;
  readonly newerSpent: bigint;
};

/** The older mark is always more than this old, once there was time for it. */
const MARK_MS = 300_000;
/** A pace over less than this says nothing. */
const LEAST_MS = 60_000;
const PPM = 1_000_000n;

/** The shared cap that is used most, if any is used enough to look at its pace. */
export function capToWatch(rule: CapRule, limits: readonly Limit[]): SharedCap | null {
  if (!rule.enabled) return null;
  let most: SharedCap | null = null;
  for (const limit of limits) {
    if (!isShared(limit) || limit.limit === 0n || isExhausted(limit)) continue;
    if (limit.spent * PPM < limit.limit * rule.fromPpm) continue;
    if (most === null || limit.spent * most.limit > most.spent * limit.limit) most = limit;
  }
  return most;
}

function isShared(limit: Limit): limit is SharedCap {
  return limit.scope !== "session" && limit.scope !== "ancestor";
}

/** The marks to keep from now on; the same object where nothing changes. */
export function marksAt(marks: Marks | null, nowMs: number, spent: bigint): Marks {
  if (marks === null) return { olderAt: nowMs, olderSpent: spent, newerAt: nowMs, newerSpent: spent };
  if (nowMs - marks.newerAt < MARK_MS) return marks;
  return { olderAt: marks.newerAt, olderSpent: marks.newerSpent, newerAt: nowMs, newerSpent: spent };
}

/** `marks` as they were before this spend moved them. */
export function capSoon(rule: CapRule, cap: SharedCap, marks: Marks | null, nowMs: number): Finding | null {
  if (!rule.enabled || marks === null || nowMs - marks.olderAt < LEAST_MS) return null;
  const elapsed = nowMs - marks.olderAt;
  const used = cap.spent - marks.olderSpent;
  const left = remainingOf(cap);
  if (used <= 0n || left === 0n) return null;
  const hitInMs = (Number(left) * elapsed) / Number(used);
  if (hitInMs > rule.withinMs || (cap.resetsAt !== null && nowMs + hitInMs >= cap.resetsAt)) return null;
  const minutes = Math.max(1, Math.round(hitInMs / 60_000));
  const anHour = max(1n, (used * 3_600_000n) / BigInt(elapsed));
  const [amount, unit] = cap.measure === "cost_usd" ? [formatUsd, ""] : [grouped, " tokens"];
  return {
    kind: "cap_soon",
    scope: cap.scope,
    scopeId: cap.scopeId,
    windowKey: `${cap.window} ${cap.measure} ${cap.resetsAt ?? ""}`.trimEnd(),
    evidence: {
      window: cap.window,
      measure: cap.measure,
      limit: numeral(cap, cap.limit),
      spent: numeral(cap, cap.spent),
      held: numeral(cap, cap.held),
      spent_since: numeral(cap, used),
      since: new Date(marks.olderAt).toISOString(),
      hit_in_minutes: minutes,
      within_minutes: rule.withinMs / 60_000,
    },
    message: `${NAMES[cap.scope]} ${cap.scopeId} will use up its ${WINDOWS[cap.window] ?? ""}${amount(cap.limit)}${unit} in about ${minutes} min: ${amount(left)} left, ${amount(rounded(cap, anHour))}${unit} an hour.`,
    advice: null,
  };
}

const NAMES = { task: "Task", agent: "Agent", team: "Team", workspace: "Workspace" } as const;
const WINDOWS: Partial<Record<Limit["window"], string>> = { hour: "hour's ", day: "day's ", month: "month's " };

const numeral = (cap: Limit, value: bigint): number =>
  cap.measure === "cost_usd" ? usdFromNano(value) : Number(value);

/** To the cent: a pace is no exact number. */
const rounded = (cap: Limit, value: bigint): bigint =>
  cap.measure === "cost_usd" ? ((value + 5_000_000n) / 10_000_000n) * 10_000_000n : value;
