// How fast a session spends: over the last minute where that was watched, else over its whole life.

/** What it had cost at an instant (epoch ms), in dollars. */
export type Sample = { readonly at: number; readonly cost: number };

/** Less than this is no pace yet. */
const LEAST_MS = 10_000;
const HOUR_MS = 3_600_000;

/** Dollars an hour. `samples`: those of the last minute, the oldest first. */
export function spendRate(
  samples: readonly Sample[],
  session: { readonly cost: number; readonly openedAt: number },
  now: number,
): number {
  const first = samples[0];
  const isWatched = first !== undefined && now - first.at >= LEAST_MS;
  const [since, spent] = isWatched ? [first.at, session.cost - first.cost] : [session.openedAt, session.cost];
  return (Math.max(0, spent) * HOUR_MS) / Math.max(1_000, now - since);
}
