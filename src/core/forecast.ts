// A forecast: where a window's spend ends at the pace it had so far, and when that meets a limit.
import type { Nano } from "./money.ts";

/** Before this part of a window is over, its pace says nothing: 14 minutes of a day, 7 hours of a month. */
const LEAST_PART = 100;

/** As exact as a forecast is: three digits of it mean something. */
const DIGITS = 3;

type Span = { readonly start: number; readonly end: number };

/** The spend at the end of the window if it goes on as it went since the window's start; null when it is too early to say. */
export function projected(spent: Nano, window: Span, nowMs: number): Nano | null {
  const [elapsed, length] = [BigInt(nowMs - window.start), BigInt(window.end - window.start)];
  if (elapsed <= 0n || elapsed * BigInt(LEAST_PART) < length) return null;
  const end = (spent * length) / elapsed;
  const unit = 10n ** BigInt(Math.max(0, String(end).length - DIGITS));
  return end - (end % unit);
}

/** The instant (epoch ms) at which the same pace reaches the limit; null if not in this window, or too early to say. */
export function reachedAt(spent: Nano, limit: Nano, window: Span, nowMs: number): number | null {
  if (spent >= limit) return nowMs;
  if (spent <= 0n || projected(spent, window, nowMs) === null) return null;
  const at = window.start + Number((limit * BigInt(nowMs - window.start) + spent - 1n) / spent);
  return at < window.end ? at : null;
}
