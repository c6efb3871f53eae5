// A forecast: where a window's spend ends at the pace it had so far, and when that meets a limit.
import type { Nano } from "./money.ts";

/** Before this part of a window is over, its pace says nothing: 14 minutes of a day, 7 hours of a month. */
const LEAST_PART = 100;

type Span = { readonly start: number; readonly end: number };

/** The spend at the end of the window if it goes on as it went since the window's start; null when it is too early to say. */
export function projected(spent: Nano, window: Span, nowMs: number): Nano | null {
  const [elapsed, length] = [BigInt(nowMs - window.start), BigInt(window.end - window.start)];
  if (elapsed <= 0n || elapsed * BigInt(LEAST_PART) < length) return null;
  return (spent * length) / elapsed;
}

/** The instant (epoch ms) at which the same pace reaches the limit; null if not in this window, or too early to say. */
export function reachedAt(spent: Nano, limit: Nano, window: Span, nowMs: number): number | null {
  if (spent >= limit) return nowMs;
  const end = projected(spent, window, nowMs);
  if (end === null || end < limit) return null;
  return window.start + Number((limit * BigInt(nowMs - window.start) + spent - 1n) / spent);
}
