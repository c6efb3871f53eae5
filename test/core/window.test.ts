// Calendar windows: they tile time in any zone, through daylight saving and every other jump of a local clock.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type CalendarWindow,
  firstDayOf,
  firstMonthOf,
  isCalendarDate,
  isTimeZone,
  WINDOW_KINDS,
  windowAt,
  windowOfHour,
} from "../../src/core/window.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const FROM = Date.parse("2015-01-01T00:00:00Z");
const TO = Date.parse("2045-12-31T00:00:00Z");

/** Half hours, quarters, jumps at midnight, half-hour jumps, jumps of two and three hours, twice a year and Ramadan. */
const ODD_ZONES = [
  "Europe/Berlin",
  "Europe/Dublin",
  "Europe/Istanbul",
  "Europe/Volgograd",
  "America/New_York",
  "America/St_Johns",
  "America/Havana",
  "America/Sao_Paulo",
  "America/Santiago",
  "America/Caracas",
  "America/Nuuk",
  "America/Scoresbysund",
  "Africa/Cairo",
  "Africa/Casablanca",
  "Africa/Sao_Tome",
  "Antarctica/Casey",
  "Antarctica/Troll",
  "Antarctica/Vostok",
  "Asia/Amman",
  "Asia/Beirut",
  "Asia/Gaza",
  "Asia/Kathmandu",
  "Asia/Kolkata",
  "Asia/Pyongyang",
  "Asia/Tehran",
  "Australia/Adelaide",
  "Australia/Eucla",
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "Pacific/Chatham",
  "Pacific/Kiritimati",
  "Pacific/Norfolk",
];
const ALL_ZONES = [...new Set(["UTC", ...ODD_ZONES, ...Intl.supportedValuesOf("timeZone")])];

const clocks = new Map<string, Intl.DateTimeFormat>();

/** What a clock on the wall shows, "2026-11-22 13:00:00"; by another way than the code's own. */
function wallClock(zone: string, atMs: number): string {
  let clock = clocks.get(zone);
  if (!clock) {
    clock = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
    clocks.set(zone, clock);
  }
  return clock.format(atMs);
}

const offsetOf = (zone: string, atMs: number): number =>
  Date.parse(`${wallClock(zone, atMs).replace(" ", "T")}Z`) - atMs;

/** The instants at which the zone's clock jumps, to the second: each way of jumping once. */
function jumpsOf(zone: string): number[] {
  const jumps = new Map<string, number>();
  for (let week = FROM; week < TO; week += 7 * DAY) {
    const offset = offsetOf(zone, week);
    if (offsetOf(zone, week + 7 * DAY) === offset) continue;
    let [before, after] = [week, week + 7 * DAY];
    while (after - before > 1000) {
      const middle = before + Math.floor((after - before) / 2000) * 1000;
      if (offsetOf(zone, middle) === offset) before = middle;
      else after = middle;
    }
    const way = `${wallClock(zone, after - 1).slice(11)} ${offset} ${offsetOf(zone, after)}`;
    if (!jumps.has(way)) jumps.set(way, after);
  }
  return [...jumps.values()];
}

/** The windows around an instant are the same from whichever side one comes to them. */
function expectTiling(kind: CalendarWindow, zone: string, atMs: number): void {
  const window = windowAt(kind, atMs, zone);
  const context = `${kind} ${zone} ${new Date(atMs).toISOString()}`;
  expect(window.start, context).toBeLessThanOrEqual(atMs);
  expect(window.end, context).toBeGreaterThan(atMs);
  const next = windowAt(kind, window.end, zone);
  const previous = windowAt(kind, window.start - 1, zone);
  expect(next.start, context).toBe(window.end);
  expect(previous.end, context).toBe(window.start);
  expect(previous.key < window.key && window.key < next.key, `${context}: ${previous.key} ${window.key}`).toBe(true);
  for (const inside of [window.start, Math.floor((window.start + window.end) / 2), window.end - 1]) {
    expect(windowAt(kind, inside, zone), context).toEqual(window);
  }
}

const kinds = fc.constantFrom(...WINDOW_KINDS);
const instants = fc.integer({ min: FROM, max: TO });

describe("windows", () => {
  test("tile time in every zone that there is", () => {
    fc.assert(
      fc.property(kinds, fc.constantFrom(...ALL_ZONES), instants, (kind, zone, atMs) => expectTiling(kind, zone, atMs)),
      { numRuns: 300 },
    );
  });

  test.each(ODD_ZONES)("tile time around every kind of jump that the clock of %s makes from 2015 to 2045", (zone) => {
    for (const jump of jumpsOf(zone)) {
      for (const hours of [-1.5, -1, -0.5, -0.25, 0, 0.25, 0.5, 1, 1.5, 2, 2.5, 3.5]) {
        expectTiling("hour", zone, jump + hours * HOUR);
      }
      for (const kind of ["day", "week", "month"] as const) {
        expectTiling(kind, zone, jump - 1);
        expectTiling(kind, zone, jump);
      }
    }
  });

  test("a day is what the clock on the wall calls the day", () => {
    fc.assert(
      fc.property(fc.constantFrom(...ALL_ZONES), instants, (zone, atMs) => {
        const date = wallClock(zone, atMs).slice(0, 10);
        expect(windowAt("day", atMs, zone).key).toBe(date);
        expect(windowAt("month", atMs, zone).key).toBe(date.slice(0, 7));
      }),
      { numRuns: 500 },
    );
  });

  test("an hour's name begins with its day's and a day's with its month's, so that SQL may cut it", () => {
    fc.assert(
      fc.property(fc.constantFrom(...ODD_ZONES), instants, (zone, atMs) => {
        const hour = windowAt("hour", atMs, zone);
        const day = windowAt("day", atMs, zone);
        expect(hour.key.startsWith(`${day.key}T`)).toBe(true);
        expect(day.key.startsWith(windowAt("month", atMs, zone).key)).toBe(true);
        expect(hour.start >= day.start && hour.end <= day.end).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test("weeks begin on Monday and are named by it", () => {
    expect(windowAt("week", Date.parse("2026-11-22T12:00:00Z"), "UTC")).toEqual({
      kind: "week",
      key: "2026-11-16",
      start: Date.parse("2026-11-16T00:00:00Z"),
      end: Date.parse("2026-11-23T00:00:00Z"),
    });
  });
});

describe("days of daylight saving", () => {
  test.each([
    ["Europe/Berlin", "2026-03-29", 23],
    ["Europe/Berlin", "2026-10-25", 25],
    ["Europe/Berlin", "2026-11-22", 24],
    ["America/New_York", "2026-03-08", 23],
    ["America/New_York", "2026-11-01", 25],
    ["Australia/Lord_Howe", "2026-04-05", 24.5],
    ["Australia/Lord_Howe", "2026-10-04", 23.5],
    ["America/Sao_Paulo", "2018-11-04", 23],
    ["Asia/Kathmandu", "2026-06-01", 24],
  ])("in %s %s has %d hours", (zone, day, hours) => {
    const window = windowAt("day", Date.parse(`${day}T12:00:00Z`), zone);
    expect([window.key, (window.end - window.start) / HOUR]).toEqual([day, hours]);
  });

  test("an hour that is lived twice is one window of two hours", () => {
    const first = windowAt("hour", Date.parse("2026-10-25T00:30:00Z"), "Europe/Berlin");
    const second = windowAt("hour", Date.parse("2026-10-25T01:30:00Z"), "Europe/Berlin");
    expect(first).toEqual(second);
    expect([first.key, first.end - first.start]).toEqual(["2026-10-25T02", 2 * HOUR]);
  });

  test("where two hours are lived again, they all belong to the last hour before the jump", () => {
    // Troll sets its clock from 03:00 back to 01:00 on the last Sunday of October.
    const window = windowAt("hour", Date.parse("2026-10-25T01:30:00Z"), "Antarctica/Troll");
    expect(window).toEqual({
      kind: "hour",
      key: "2026-10-25T02",
      start: Date.parse("2026-10-25T00:00:00Z"),
      end: Date.parse("2026-10-25T03:00:00Z"),
    });
  });

  test("an hour that is skipped does not exist", () => {
    const before = windowAt("hour", Date.parse("2026-03-29T00:59:59.999Z"), "Europe/Berlin");
    const after = windowAt("hour", Date.parse("2026-03-29T01:00:00Z"), "Europe/Berlin");
    expect([before.key, after.key]).toEqual(["2026-03-29T01", "2026-03-29T03"]);
    expect(before.end).toBe(after.start);
  });

  test("a limit that resets today resets at the zone's own midnight", () => {
    const at = Date.parse("2026-11-22T23:30:00Z");
    expect(windowAt("day", at, "UTC").end).toBe(Date.parse("2026-11-23T00:00:00Z"));
    expect(windowAt("day", at, "Europe/Berlin").end).toBe(Date.parse("2026-11-23T23:00:00Z"));
    expect(windowAt("day", at, "America/Los_Angeles").end).toBe(Date.parse("2026-11-23T08:00:00Z"));
  });
});

describe("dates", () => {
  test.each([
    "2026-02-30",
    "2026-02-29",
    "2026-13-01",
    "2026-00-10",
    "2026-04-31",
    "2026-1-1",
    "20260101",
    "",
    "today",
  ])("%j is no date of the calendar", (text) => {
    expect(isCalendarDate(text)).toBe(false);
  });

  test.each(["2026-02-28", "2028-02-29", "2026-12-31", "0001-01-01", "9999-12-31"])("%s is a date", (text) => {
    expect(isCalendarDate(text)).toBe(true);
  });

  test("every date that some day has is a date, and no other of its month", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9999 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 31 }),
        (y, m, d) => {
          const leap = (y % 4 === 0 && y % 100 !== 0) || y % 400 === 0;
          const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][m - 1] ?? 0;
          const text = `${String(y).padStart(4, "0")}-${String(m).padStart(2, "0")}-${String(d).padStart(2, "0")}`;
          expect(isCalendarDate(text)).toBe(d <= days);
        },
      ),
    );
  });

  test("three months are this one and the two before", () => {
    expect(firstMonthOf(3, "2026-03")).toBe("2026-01");
    expect(firstMonthOf(3, "2026-01")).toBe("2025-11");
    expect(firstMonthOf(1, "2026-12")).toBe("2026-12");
    expect(firstMonthOf(13, "2026-12")).toBe("2025-12");
    expect(firstMonthOf(12, "2026-12")).toBe("2026-01");
  });

  test("days back count today", () => {
    expect(firstDayOf(1, "2026-11-22")).toBe("2026-11-22");
    expect(firstDayOf(7, "2026-03-03")).toBe("2026-02-25");
    expect(firstDayOf(366, "2028-12-31")).toBe("2028-01-01");
  });

  test("a zone is one that the calendar library knows", () => {
    expect(["UTC", "Europe/Berlin", "Asia/Kathmandu"].map(isTimeZone)).toEqual([true, true, true]);
    expect(["Mars/Olympus", "", "Berlin", "UTC; drop table"].map(isTimeZone)).toEqual([false, false, false, false]);
  });
});

test("an hour's name finds its window again, in every zone and through every jump of its clock", () => {
  const jumps = fc.constantFrom(
    "2026-03-29T01:00:00Z",
    "2026-10-25T01:00:00Z",
    "2026-04-04T15:00:00Z",
    "2011-12-30T10:00:00Z",
  );
  const instant = fc.oneof(
    fc.integer({ min: FROM, max: TO }),
    fc.tuple(jumps, fc.integer({ min: -5 * HOUR, max: 5 * HOUR })).map(([at, by]) => Date.parse(at) + by),
  );
  fc.assert(
    fc.property(fc.constantFrom("UTC", ...ODD_ZONES), instant, (zone, at) => {
      const window = windowAt("hour", at, zone);
      expect(windowOfHour(window.key, zone)).toEqual(window);
    }),
    { numRuns: 1_500 },
  );
});
