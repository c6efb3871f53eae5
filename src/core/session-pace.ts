// Rules over one session: tokens far above its past, a repeated error counted in, and output far above input.
import { type Finding, tokenText } from "./incident.ts";
import type { IncidentRules } from "./watch-policy.ts";

/** What is kept of a session while it is open, after the report that was just booked. Instants are epoch ms. */
export type Watch = {
  /** When the present minute began. */
  readonly minuteAt: number;
  /** Reports and tokens of the present minute; what is read from a cache is not counted. */
  readonly reports: number;
  readonly tokens: number;
  /** The most tokens of any minute before. */
  readonly peakTokens: number;
  /** How often the last error came in a row, none more than a minute after the one before; 0 = there is none now. */
  readonly sameErrors: number;
};

/** The busiest minutes of a role's ended sessions. */
export type RolePace = { readonly sessions: number; readonly peakTokens: number };

/** Whose session it is, and the local day. `charges`: all its reports so far. */
export type WatchedSession = {
  readonly id: string;
  readonly agentId: string;
  readonly charges: number;
  readonly day: string;
};

type Spike = IncidentRules["token_spike"];

/** The error counts as often as it came: a loop that is no quicker than its past is one all the same. */
const weightOf = (watch: Watch): number => Math.max(1, watch.sameErrors);

/** The busiest minute of its own past; null where that is too short to tell. */
function ownPeak(rule: Spike, session: WatchedSession, watch: Watch): number | null {
  return watch.peakTokens > 0 && session.charges - watch.reports >= rule.minReports ? watch.peakTokens : null;
}

/** Could it be a spike, whatever its role's past? Mostly not, and then that need not be read. */
export function mayBeSpike(rule: Spike, session: WatchedSession, watch: Watch): boolean {
  const weighted = watch.tokens * weightOf(watch);
  const own = ownPeak(rule, session, watch);
  return rule.enabled && weighted >= rule.minTokens && (own === null || weighted >= rule.factor * own);
}

/** `role`: null where no session of it has ended. Where neither has a past, only a repeated error tells. */
export function tokenSpike(rule: Spike, session: WatchedSession, watch: Watch, role: RolePace | null): Finding | null {
  if (!mayBeSpike(rule, session, watch)) return null;
  const own = ownPeak(rule, session, watch);
  const ofRole = role && role.sessions >= rule.minSessions ? role.peakTokens / role.sessions : 0;
  const past = Math.max(own ?? 0, ofRole);
  const weight = weightOf(watch);
  const ratio = past > 0 ? watch.tokens / past : 1;
  if (ratio * weight < rule.factor) return null;
  const isLoop = weight > 1;
  const who = `Agent ${session.agentId}`;
  const message = isLoop
    ? `${who} reported the same error ${weight} times in a row and used ${tokenText(watch.tokens)} in a minute: this looks like a retry loop.`
    : `${who} used ${tokenText(watch.tokens)} in a minute, ${shownRatio(ratio)} times the ${past === own ? "most of its session before" : "usual most of its role"}.`;
  return {
    kind: "token_spike",
    scope: "session",
    scopeId: session.id,
    windowKey: session.day,
    evidence: {
      tokens_in_minute: watch.tokens,
      same_errors_in_a_row: watch.sameErrors,
      most_in_a_minute_before: watch.peakTokens,
      ...(ofRole > 0 ? { usual_most_of_role: Math.round(ofRole), role_sessions: role?.sessions ?? 0 } : {}),
      factor: rule.factor,
      min_tokens: rule.minTokens,
      since: new Date(watch.minuteAt).toISOString(),
    },
    message,
    advice: isLoop
      ? "End the session, find the cause, and only then start again."
      : "If you are repeating yourself, end the session and tell a human.",
  };
}

const shownRatio = (ratio: number): string => ratio.toFixed(1).replace(/\.0$/, "");

/** Tokens of a session so far: `prompt` is all input, cached too. */
export function outputHeavy(
  rule: IncidentRules["output_heavy"],
  session: WatchedSession & { readonly openedAt: number },
  { prompt, output }: { readonly prompt: number; readonly output: number },
): Finding | null {
  if (!rule.enabled || output < rule.minOutputTokens || output < rule.ratio * prompt) return null;
  return {
    kind: "output_heavy",
    scope: "session",
    scopeId: session.id,
    windowKey: session.day,
    evidence: {
      output_tokens: output,
      input_tokens: prompt,
      ratio: rule.ratio,
      min_output_tokens: rule.minOutputTokens,
      since: new Date(session.openedAt).toISOString(),
    },
    message: `A session of agent ${session.agentId} wrote ${tokenText(output)} for ${tokenText(prompt)} of input.`,
    advice: "Write less: ask for the task to be put more precisely.",
  };
}
