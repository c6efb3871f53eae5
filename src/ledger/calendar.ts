// Calendar: local hours, days and months as the numbers that charges and sums are kept under.

/** "2026-11-22T13" as 2026112213; a day or a month likewise. */
export const calendarNumber = (text: string): bigint => BigInt(text.replace(/[-T]/g, ""));

/** 20261122 as "2026-11-22", 202611 as "2026-11". */
export function calendarText(number: string): string {
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})?$/.exec(number.padStart(number.length > 6 ? 8 : 6, "0")) ?? [];
  return day === undefined ? `${year}-${month}` : `${year}-${month}-${day}`;
}

/** 2026112213 as "2026-11-22T13". */
export const hourText = (number: bigint): string =>
  `${calendarText(String(number / 100n))}T${String(number % 100n).padStart(2, "0")}`;

/** The last day of a day's month. */
export function lastDayOf(day: string): string {
  const [year, month] = [Number(day.slice(0, 4)), Number(day.slice(5, 7))];
  const last = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  return `${day.slice(0, 8)}${last}`;
}

const DAY_MS = 86_400_000;
const startOf = (day: string): number => Date.parse(`${day}T00:00:00Z`);

export const dayAfter = (day: string): string => new Date(startOf(day) + DAY_MS).toISOString().slice(0, 10);

/** How many days from one to another: 0 from a day to itself. */
export const daysBetween = (from: string, to: string): number => (startOf(to) - startOf(from)) / DAY_MS;

/** The month after a day's ("YYYY-MM"). */
export function monthAfter(day: string): string {
  return monthOf(day, 1);
}

/** The month before a day's. */
export function monthBefore(day: string): string {
  return monthOf(day, -1);
}

function monthOf(day: string, plus: number): string {
  const months = Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1 + plus;
  return `${String(Math.floor(months / 12)).padStart(4, "0")}-${String((months % 12) + 1).padStart(2, "0")}`;
}
