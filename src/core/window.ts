// Calendar windows in a workspace's IANA time zone: which one an instant falls in, and where it begins and ends.

export const WINDOW_KINDS = ["hour", "day", "week", "month"] as const;
export type CalendarWindow = (typeof WINDOW_KINDS)[number];
/** `session` and `total` have no calendar: one window for the life of the thing. */
export type WindowKind = CalendarWindow | "session" | "total";

/** `[start, end)` in epoch milliseconds; `key` names it on the local calendar ("2026-11-22", "2026-11-22T13"). */
export type Window = {
  readonly kind: CalendarWindow;
  readonly key: string;
  readonly start: number;
  readonly end: number;
};

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Longer than any clock was ever set back at once (three hours, Antarctica/Casey). */
export const MOST_SET_BACK = 4 * HOUR;

/**
 * The window of that kind around an instant. Windows of one kind tile time: an hour that daylight saving repeats
 * is one window of two hours, a day is 23, 24 or 25 hours, a day the calendar skipped does not exist.
 */
export function windowAt(kind: CalendarWindow, atMs: number, zone: string): Window {
  const cacheKey = `${kind} ${zone}`;
  const cached = latest.get(cacheKey);
  if (cached && cached.start <= atMs && atMs < cached.end) return cached;
  const number = windowNumber(kind, atMs, zone);
  const reach = kind === "month" ? 33 * DAY : kind === "week" ? 9 * DAY : 50 * HOUR;
  const window: Window = {
    kind,
    key: windowKey(kind, atMs, zone),
    start: firstInstant((ms) => windowNumber(kind, ms, zone) >= number, atMs - reach, atMs),
    end: firstInstant((ms) => windowNumber(kind, ms, zone) > number, atMs, atMs + reach),
  };
  latest.set(cacheKey, window);
  return window;
}

/** The window of a local hour ("2026-11-22T13") that was once some instant's. */
export function windowOfHour(key: string, zone: string): Window {
  const cached = latest.get(`hour ${zone}`);
  if (cached?.key === key) return cached;
  const asUtc = (hour: string) => Date.parse(`${hour}:00:00Z`);
  let window = windowAt("hour", asUtc(key), zone);
  // As far as the clock is off; and on from there, where it was changed in between.
  window = windowAt("hour", window.start + asUtc(key) - asUtc(window.key), zone);
  while (window.key < key) window = windowAt("hour", window.end, zone);
  while (window.key > key) window = windowAt("hour", window.start - 1, zone);
  return window;
}

/** Is it a date of the calendar, written YYYY-MM-DD? (2026-02-30 is not.) */
export function isCalendarDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** The month `count - 1` months before the given "YYYY-MM": the first of `count` calendar months. */
export function firstMonthOf(count: number, month: string): string {
  const index = Number(month.slice(0, 4)) * 12 + Number(month.slice(5, 7)) - 1 - (count - 1);
  return `${String(Math.floor(index / 12)).padStart(4, "0")}-${String((index % 12) + 1).padStart(2, "0")}`;
}

/** The date `count - 1` days before the given "YYYY-MM-DD": the first of `count` days. */
export function firstDayOf(count: number, day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - (count - 1) * DAY).toISOString().slice(0, 10);
}

/** The Monday that begins a date's week, which is the week's key. */
export function weekOf(day: string): string {
  const at = Date.parse(`${day}T00:00:00Z`);
  return new Date(at - ((at / DAY + 3) % 7) * DAY).toISOString().slice(0, 10);
}

/** Does Intl know the zone? */
export function isTimeZone(zone: string): boolean {
  try {
    if (zone !== "UTC") formatterOf(zone);
    return true;
  } catch {
    return false;
  }
}

/**
 * Epoch milliseconds the local clock would show if it were UTC; it never runs back. From the moment a clock is set
 * back until it shows that moment again it stands still here, so what is lived twice belongs to what came last before.
 */
function localMs(atMs: number, zone: string): number {
  if (zone === "UTC") return atMs; // Intl takes 25 ms to wake up; most ledgers need not pay for it.
  const offset = offsetAt(atMs, zone);
  const earlier = offsetAt(atMs - MOST_SET_BACK, zone);
  if (offset >= earlier) return atMs + offset;
  const jump = firstInstant((ms) => offsetAt(ms, zone) < earlier, atMs - MOST_SET_BACK, atMs);
  return Math.max(atMs + offset, jump + earlier - 1);
}

/** How far the zone's clock is ahead of UTC. */
export function offsetAt(atMs: number, zone: string): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of formatterOf(zone).formatToParts(atMs)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(atMs / 1000) * 1000;
}

/** A whole number that grows with local time and is constant inside a window. */
function windowNumber(kind: CalendarWindow, atMs: number, zone: string): number {
  const local = localMs(atMs, zone);
  if (kind === "hour") return Math.floor(local / HOUR);
  if (kind === "day") return Math.floor(local / DAY);
  if (kind === "week") return Math.floor((local / DAY + 3) / 7); // 1970-01-01 was a Thursday; weeks start on Monday.
  const date = new Date(local);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

function windowKey(kind: CalendarWindow, atMs: number, zone: string): string {
  const local = localMs(atMs, zone);
  if (kind === "week")
    return new Date(Math.floor((local / DAY + 3) / 7) * 7 * DAY - 3 * DAY).toISOString().slice(0, 10);
  return new Date(local).toISOString().slice(0, { hour: 13, day: 10, month: 7 }[kind]);
}

/** The first whole second in (low, high] from which `holds` is true; it must be false at low or earlier. */
function firstInstant(holds: (ms: number) => boolean, low: number, high: number): number {
  let before = Math.floor(low / 1000);
  let after = Math.ceil(high / 1000);
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (holds(middle * 1000)) after = middle;
    else before = middle;
  }
  return after * 1000;
}

const formatters = new Map<string, Intl.DateTimeFormat>();
const latest = new Map<string, Window>();

function formatterOf(zone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(zone);
  if (!formatter) {
    formatter = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      calendar: "iso8601",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formatters.set(zone, formatter);
  }
  return formatter;
}
