// What a watcher remembers from answer to answer of get_now: the feed so far, and how fast each session spends.
import { type Sample, spendRate, withSample } from "./spend-rate.ts";

/** A line of a list in the answer. */
export type Line = Readonly<Record<string, unknown>>;

/** get_now's answer as a terminal reads it. */
export type Now = {
  readonly workspace_id: string;
  readonly timezone: string;
  readonly at: string;
  readonly today: Pace;
  readonly month: Pace;
  readonly limits: readonly Line[];
  readonly limits_left_out: number;
  readonly sessions: readonly Line[];
  readonly open_sessions: number;
  readonly stops: readonly Line[];
  readonly incidents: readonly Line[];
  readonly open_incidents: number;
  readonly feed: readonly Line[];
  readonly feed_cursor: string;
  readonly feed_left_out: number;
  readonly feed_hidden: boolean;
};

type Pace = { readonly spent_usd: number; readonly projected_usd: number | null; readonly ends_at: string };

export type Watched = {
  readonly now: Now;
  /** Oldest first. */
  readonly feed: readonly Line[];
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
};

/** More lines no screen has. */
const MOST_FEED = 200;

/** What is remembered with one more answer; null = it is the first. */
export function watched(before: Watched | null, now: Now): Watched {
  const leftOut = now.feed_left_out > 0 ? [{ left_out: now.feed_left_out }] : [];
  const at = Date.parse(now.at);
  const samples = now.sessions.map(({ session_id, cost_usd }) => {
    const id = String(session_id);
    return [id, withSample(before?.samples.get(id) ?? [], { at, cost: Number(cost_usd) })] as const;
  });
  return {
    now,
    feed: [...(before?.feed ?? []), ...leftOut, ...now.feed].slice(-MOST_FEED),
    samples: new Map(samples),
  };
}

/** Dollars an hour of an open session. */
export function rateOf({ now, samples }: Watched, { session_id, started_at, cost_usd }: Line): number {
  const session = { startedAt: Date.parse(String(started_at)), cost: Number(cost_usd) };
  return spendRate(samples.get(String(session_id)) ?? [], session, Date.parse(now.at));
}
