// Incidents in words: their kinds, and what one was raised for as names and values that people read; pure.
import { type Clock, fraction, money } from "./format.ts";

export const INCIDENT_KINDS = [
  "task_red_flag",
  "team_day_red_flag",
  "token_spike",
  "output_heavy",
  "duplicate_work",
  "outside_hours",
  "cap_soon",
];

export type Fact = { readonly name: string; readonly text: string; readonly session?: string };

/** In a cap's evidence these are of its measure. */
const OF_THE_MEASURE = new Set(["limit", "spent", "held", "spent_since"]);
const SESSION = /^ses_[0-9A-Za-z]+$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

export function factsOf(evidence: Readonly<Record<string, unknown>>, clock: Clock): Fact[] {
  return Object.entries(evidence).map(([key, value]) => {
    const isMoney = key.endsWith("_usd") || (evidence.measure === "cost_usd" && OF_THE_MEASURE.has(key));
    const name = words(key.replace(/_(usd|id)$/, ""));
    if (typeof value === "number") return { name, text: isMoney ? money(value) : fraction(value) };
    if (typeof value !== "string") return { name, text: JSON.stringify(value) ?? "–" };
    if (SESSION.test(value)) return { name, text: value, session: value };
    return { name, text: INSTANT.test(value) ? clock.dateTime(value) : value };
  });
}

/** "tokens_in_minute" → "Tokens in minute". */
export function words(name: string): string {
  const plain = name.replaceAll("_", " ");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}
