// An incident: something an operator should look at, with the numbers that show it. Rules make findings of them.
import { formatUsd, type Nano } from "./money.ts";
import { grouped } from "./plain-text.ts";

/** In snake_case here and on the wire; astra.yml says them in camelCase. */
export const INCIDENT_KINDS = [
  "task_red_flag",
  "team_day_red_flag",
  "token_spike",
  "output_heavy",
  "duplicate_work",
  "outside_hours",
  "cap_soon",
] as const;
export type IncidentKind = (typeof INCIDENT_KINDS)[number];

export const INCIDENT_SCOPES = ["session", "task", "agent", "team", "workspace"] as const;
export type IncidentScope = (typeof INCIDENT_SCOPES)[number];

/** Numbers that were seen, the thresholds they passed, ids and instants: never a text that somebody sent. */
export type Evidence = Readonly<Record<string, number | string>>;

/** What a rule found. It becomes an incident the first time only: kind, scope and window name it. */
export type Finding = {
  readonly kind: IncidentKind;
  /** What it is about, and what a stop for it would stop. */
  readonly scope: IncidentScope;
  readonly scopeId: string;
  /** Raised once in this window: a local day, or "" for once at all. */
  readonly windowKey: string;
  readonly evidence: Evidence;
  /** One sentence of ours for people, which names no session. */
  readonly message: string;
  /** What the agent that caused it is told beside that; null = the verdict does not mention it. */
  readonly advice: string | null;
};

/** "12,000 tokens". */
export const tokenText = (tokens: number): string => `${grouped(Math.round(tokens))} tokens`;

/** "$0.50 to $3.00". */
export const rangeText = (from: Nano, to: Nano): string => `${formatUsd(from)} to ${formatUsd(to)}`;
