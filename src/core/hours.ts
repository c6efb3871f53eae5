// The hours of a calendar window: one line each for a chart, whatever daylight saving does to them.
import { MOST_SET_BACK, offsetAt, type Window, windowAt } from "./window.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The hour windows that tile a day, week or month, in order. */
export function hoursOf({ start, end }: Window, zone: string): Window[] {
  const hours: Window[] = [];
  for (let from = start; from < end; from = hours.at(-1)?.end ?? end) {
    const day = plainDay(from, zone);
    hours.push(...(day.length > 0 ? day : [windowAt("hour", from, zone)]));
  }
  return hours.filter((hour) => hour.start < end);
}

/** The next 24 hours where the clock is not set anew in them: looking for the ends of each takes 20 times as long. */
function plainDay(from: number, zone: string): Window[] {
  if (zone === "UTC") return hoursFrom(from, 0);
  const offset = offsetAt(from, zone);
  const isSteady = [from - MOST_SET_BACK, from + DAY].every((at) => offsetAt(at, zone) === offset);
  return isSteady && (from + offset) % HOUR === 0 ? hoursFrom(from, offset) : [];
}

function hoursFrom(from: number, offset: number): Window[] {
  return Array.from({ length: 24 }, (_, i) => {
    const start = from + i * HOUR;
    const key = new Date(start + offset).toISOString().slice(0, 13);
    return { kind: "hour", key, start, end: start + HOUR };
  });
}
