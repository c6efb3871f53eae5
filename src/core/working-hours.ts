// The rule over the clock: spend outside the hours that the workspace states as its own.
import type { Finding } from "./incident.ts";
import { formatUsd, type Nano, usdFromNano } from "./money.ts";
import type { Hours, WatchPolicy } from "./watch-policy.ts";

const DAY_MS = 86_400_000;
const DAY_MINUTES = 1_440;
const NAMES = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** A moment on the workspace's clock: "2026-11-22", and minutes since midnight. */
export type LocalTime = { readonly day: string; readonly minute: number };

/** Is it a time of work? Hours over midnight belong to the day on which they began. */
export function isWithin(hours: Hours, { day, minute }: LocalTime): boolean {
  const today = new Date(`${day}T00:00:00Z`);
  const weekday = today.getUTCDay();
  if (hours.from < hours.to) return hours.days.has(weekday) && minute >= hours.from && minute < hours.to;
  const yesterday = new Date(today.getTime() - DAY_MS).getUTCDay();
  return (hours.days.has(weekday) && minute >= hours.from) || (hours.days.has(yesterday) && minute < hours.to);
}

export function outsideHours(
  policy: Pick<WatchPolicy, "incidents" | "hours">,
  agentId: string,
  cost: Nano,
  at: LocalTime,
): Finding | null {
  const { hours } = policy;
  if (!hours || !policy.incidents.outside_hours.enabled || cost <= 0n || isWithin(hours, at)) return null;
  const days = NAMES.filter((_, day) => hours.days.has(day));
  const stated = `${days.length === NAMES.length ? "every day" : days.join(", ")} ${clock(hours.from)} to ${clock(hours.to)}`;
  return {
    kind: "outside_hours",
    scope: "agent",
    scopeId: agentId,
    windowKey: at.day,
    evidence: { cost_usd: usdFromNano(cost), local_day: at.day, local_time: clock(at.minute), hours: stated },
    message: `Agent ${agentId} spent ${formatUsd(cost)} on ${at.day} at ${clock(at.minute)}, outside the hours of work (${stated}).`,
    advice: null,
  };
}

/** "08:30"; "24:00" is the end of a day. */
function clock(minutes: number): string {
  const shown = Math.min(minutes, DAY_MINUTES);
  return `${String(Math.floor(shown / 60)).padStart(2, "0")}:${String(shown % 60).padStart(2, "0")}`;
}
