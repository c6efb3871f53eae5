// How fast a session spends: from what was seen of it in the last minute, else over its whole life. For terminals and browsers.

/** A session's cost as it was seen at an instant (epoch ms); it stands until the next one. */
export type Sample = { readonly at: number; readonly cost: number };

const WINDOW_MS = 60_000;
/** Less than this says nothing of an hour. */
const LEAST_MS = 10_000;
const HOUR_MS = 3_600_000;

/** The samples with one more: those that the last minute needs, and of equal costs the first. */
export function withSample(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  const start = samples.findLastIndex(({ at }) => at <= sample.at - WINDOW_MS);
  const kept = start <= 0 ? samples : samples.slice(start);
  return kept.at(-1)?.cost === sample.cost ? kept : [...kept, sample];
}

/** Dollars an hour, at `now`. One that is young, or was watched for too short a time, goes by its cost since it started. */
export function spendRate(
  samples: readonly Sample[],
  session: { readonly startedAt: number; readonly cost: number },
  now: number,
): number {
  const [first] = samples;
  const age = now - session.startedAt;
  if (first === undefined || age <= WINDOW_MS || now - first.at < LEAST_MS)
    return (session.cost * HOUR_MS) / Math.max(age, LEAST_MS);
  const base = samples.findLast(({ at }) => at <= now - WINDOW_MS) ?? first;
  const ms = now - Math.max(base.at, now - WINDOW_MS);
  // What was taken back is no spending.
  return (Math.max(0, session.cost - base.cost) * HOUR_MS) / ms;
}
