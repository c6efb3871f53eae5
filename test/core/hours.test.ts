// The hours of a window: they tile it, and are those that limits count in, whatever the clock does meanwhile.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hoursOf } from "../../src/core/hours.ts";
import { type CalendarWindow, type Window, windowAt } from "../../src/core/window.ts";

/** One after the other, each looked for by itself. */
function oneByOne({ start, end }: Window, zone: string): Window[] {
  const hours: Window[] = [];
  for (let at = start; at < end; at = hours.at(-1)?.end ?? end) hours.push(windowAt("hour", at, zone));
  return hours;
}

const HOUR = 3_600_000;
const hoursAt = (kind: CalendarWindow, at: string, zone: string) => hoursOf(windowAt(kind, Date.parse(at), zone), zone);

describe("a day has", () => {
  test.each([
    ["UTC", "2026-11-22T12:00Z", 24, 24],
    ["Europe/Berlin", "2026-11-22T12:00Z", 24, 24],
    // Spring: 02 is left out. Autumn: 02 is lived twice, as one hour of two.
    ["Europe/Berlin", "2026-03-29T12:00Z", 23, 23],
    ["Europe/Berlin", "2026-10-25T12:00Z", 24, 25],
    ["America/New_York", "2026-03-08T15:00Z", 23, 23],
    ["America/New_York", "2026-11-01T15:00Z", 24, 25],
    // Half an hour is skipped and repeated.
    ["Australia/Lord_Howe", "2026-10-04T01:00Z", 24, 23.5],
    ["Australia/Lord_Howe", "2026-04-05T01:00Z", 24, 24.5],
    ["Asia/Kathmandu", "2026-06-01T12:00Z", 24, 24],
  ])("in %s at %s: %d lines, %d hours", (zone, at, lines, hours) => {
    const found = hoursAt("day", at, zone);
    expect(found).toHaveLength(lines);
    expect(found.reduce((sum, { start, end }) => sum + end - start, 0)).toBe(hours * HOUR);
  });
});

test("the hour that is lived twice is one line of two hours, and the one left out is not there", () => {
  const keys = (at: string) =>
    hoursAt("day", at, "Europe/Berlin").map(({ key, start, end }) => [key, (end - start) / HOUR]);
  expect(keys("2026-10-25T12:00Z").slice(1, 4)).toEqual([
    ["2026-10-25T01", 1],
    ["2026-10-25T02", 2],
    ["2026-10-25T03", 1],
  ]);
  expect(keys("2026-03-29T12:00Z").slice(1, 3)).toEqual([
    ["2026-03-29T01", 1],
    ["2026-03-29T03", 1],
  ]);
});

test("a month of hours is found quickly and is the same as each looked for by itself", () => {
  for (const zone of ["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"]) {
    for (const at of ["2026-03-15T12:00Z", "2026-10-15T12:00Z", "2026-04-15T12:00Z"]) {
      const window = windowAt("month", Date.parse(at), zone);
      expect(hoursOf(window, zone)).toEqual(oneByOne(window, zone));
    }
  }
});

test("any day of any zone is tiled by them", () => {
  const zone = fc.constantFrom(...Intl.supportedValuesOf("timeZone"));
  const instant = fc.integer({ min: Date.parse("2015-01-01"), max: Date.parse("2030-01-01") });
  const property = fc.property(zone, instant, (timezone, at) => {
    const window = windowAt("day", at, timezone);
    expect(hoursOf(window, timezone)).toEqual(oneByOne(window, timezone));
  });
  fc.assert(property, { numRuns: 100 });
});
