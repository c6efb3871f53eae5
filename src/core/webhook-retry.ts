// When a webhook message is tried again, and when that is given up.

/** What came of one attempt. `given_back`: it was broken off by us, and counts as none. */
export type Attempt =
  | { readonly result: "delivered" }
  | { readonly result: "given_back" }
  | { readonly result: "failed"; readonly why: string };

type Tried = { readonly attempts: number; readonly lastResult: string | null };
type Next = Tried & { readonly state: "pending" | "delivered" | "failed"; readonly nextAt: number };

/** The last of them comes about a day and a half after the first. */
export const MOST_ATTEMPTS = 12;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 12 * 3_600_000;

/** How long the messages of a webhook that astra.yml does not know are kept for a process that may know it. */
export const DROP_AFTER_MS = 3_600_000;

/** Three times as long after each failure, a quarter more or less, so that many do not come back at one moment. */
export function pauseAfter(attempts: number, jitter: number): number {
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 3 ** (attempts - 1));
  return Math.round(pause * (0.75 + jitter / 2));
}

export function afterAttempt(before: Tried, attempt: Attempt, nowMs: number, jitter: number): Next {
  if (attempt.result === "given_back") return { ...before, state: "pending", nextAt: nowMs };
  const attempts = before.attempts + 1;
  if (attempt.result === "delivered") return { state: "delivered", attempts, nextAt: nowMs, lastResult: null };
  if (attempts >= MOST_ATTEMPTS) return { state: "failed", attempts, nextAt: nowMs, lastResult: attempt.why };
  return { state: "pending", attempts, nextAt: nowMs + pauseAfter(attempts, jitter), lastResult: attempt.why };
}
