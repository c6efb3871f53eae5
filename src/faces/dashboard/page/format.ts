// Numbers and times as people read them: in their locale, times in the workspace's zone, exact values kept for hover.

const count = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const brief = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const fine = new Intl.NumberFormat(undefined, { maximumFractionDigits: 4 });
const percent = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 0 });
const permille = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });

const dollars = (least: number, most: number) =>
  new Intl.NumberFormat(undefined, {
    style: "currency",
    currency: "USD",
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: least,
    maximumFractionDigits: most,
  });
const usual = dollars(2, 2);
const small = dollars(4, 4);
const tiny = dollars(2, 6);
const whole = dollars(2, 9);

/** Dollars: two decimals, more where cents would say too little. */
export function money(usd: number | null): string {
  if (usd === null) return "–";
  const size = Math.abs(usd);
  const isCents = Math.abs(usd * 100 - Math.round(usd * 100)) < 1e-6;
  if (size >= 1 || isCents) return usual.format(usd);
  return (size >= 0.01 ? small : tiny).format(usd);
}

/** Dollars to the last nano-dollar. */
export const exactMoney = (usd: number | null): string => (usd === null ? "" : whole.format(usd));

const axis = new Intl.NumberFormat(undefined, {
  style: "currency",
  currency: "USD",
  currencyDisplay: "narrowSymbol",
  notation: "compact",
  minimumFractionDigits: 0,
  maximumSignificantDigits: 3,
});

/** Dollars as short as an axis needs them. */
export const axisMoney = (usd: number): string => axis.format(usd);

export const number = (value: number): string => count.format(value);
export const compact = (value: number): string => (value < 10_000 ? count.format(value) : brief.format(value));
/** A number that need not be whole. */
export const fraction = (value: number): string => fine.format(value);
export const share = (value: number): string => percent.format(value);

/** A share of a total; what is little is not told as nothing. */
export function shareOf(value: number | null): string {
  if (value === null) return "–";
  return value > 0 && value < LEAST_SHARE ? `< ${permille.format(LEAST_SHARE)}` : permille.format(value);
}
const LEAST_SHARE = 0.001;

const day = (options: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat(undefined, { ...options, timeZone: "UTC" });
const wholeDay = day({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
const shortDay = day({ day: "numeric", month: "short" });
const wholeMonth = day({ month: "long", year: "numeric" });
const shortMonth = day({ month: "short", year: "2-digit" });

/** A local day "YYYY-MM-DD" or month "YYYY-MM": in words, and as short as an axis needs it. */
export function bucketName(bucket: string): { readonly label: string; readonly short: string } {
  const isMonth = bucket.length === "YYYY-MM".length;
  const noon = new Date(`${bucket}${isMonth ? "-15" : ""}T12:00:00Z`);
  const [whole, short] = isMonth ? [wholeMonth, shortMonth] : [wholeDay, shortDay];
  return { label: whole.format(noon), short: short.format(noon) };
}

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
  /** The day or the hour of an instant, as short as an axis needs it. */
  shortDay(instant: string | number): string;
  hour(instant: string | number): string;
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
    shortDay: of({ day: "numeric", month: "short" }),
    hour: of({ hour: "numeric" }),
  };
}
