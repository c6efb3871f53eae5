// Numbers and times as people read them: in their locale, times in the workspace's zone, exact values kept for hover.

const count = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const brief = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 0 });

const dollars = (least: number, most: number) =>
  new Intl.NumberFormat(undefined, {
    style: "currency",
    currency: "USD",
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: least,
    maximumFractionDigits: most,
  });
const usual = dollars(2, 2);
const small = dollars(2, 4);
const tiny = dollars(2, 6);
const whole = dollars(2, 9);

/** Dollars: two decimals, more where the amount would else read as nothing. */
export function money(usd: number | null): string {
  if (usd === null) return "–";
  const size = Math.abs(usd);
  return (size === 0 || size >= 1 ? usual : size >= 0.01 ? small : tiny).format(usd);
}

/** Dollars to the last nano-dollar. */
export const exactMoney = (usd: number | null): string => (usd === null ? "" : whole.format(usd));

export const number = (value: number): string => count.format(value);
export const compact = (value: number): string => (value < 10_000 ? count.format(value) : brief.format(value));
export const share = (value: number): string => percent.format(value);

/** A limit's number: dollars, a duration, or a count with what it counts. */
export function amount(measure: string, value: number | null): string {
  if (value === null) return "no limit";
  if (measure === "cost_usd") return money(value);
  if (measure === "duration_ms") return duration(value);
  return `${compact(value)} ${measure.replaceAll("_", " ")}`;
}

/** "3 d 4 h", "2 h 5 min", "4 min 10 s", "8 s". */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3_600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ] as const;
  const first = parts.findIndex(([value]) => value > 0);
  const shown = first === -1 ? parts.slice(3) : parts.slice(first, first + 2).filter(([value]) => value > 0);
  return shown.map(([value, unit]) => `${value} ${unit}`).join(" ");
}

export type Clock = {
  /** The IANA zone all times are shown in. */
  readonly zone: string;
  time(instant: string | number): string;
  dateTime(instant: string | number): string;
  /** A local day, "YYYY-MM-DD". */
  day(day: string): string;
};

export function clockIn(zone: string): Clock {
  const of = (options: Intl.DateTimeFormatOptions, timeZone = zone) => {
    const format = new Intl.DateTimeFormat(undefined, { ...options, timeZone });
    return (instant: string | number) => format.format(new Date(instant));
  };
  const day = of({ day: "numeric", month: "short", year: "numeric" }, "UTC");
  return {
    zone,
    time: of({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
    dateTime: of({ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" }),
    day: (text) => day(`${text}T12:00:00Z`),
  };
}
