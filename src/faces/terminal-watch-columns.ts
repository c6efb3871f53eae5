// The tables of `watch`: open sessions, limits and the feed, the most important columns first.
import type { Colour, FittedColumn } from "./fitted-table.ts";
import { bar, dollars } from "./table.ts";
import { type Line, rateOf, type Watched } from "./watch-state.ts";

/** Dollars as a glance takes them in: cents, and of less than ten cents four digits. `--json` has all of them. */
export function short(usd: number): string {
  const digits = usd !== 0 && Math.abs(usd) < 0.1 ? 4 : 2;
  return `$${usd.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

const grouped = (value: unknown): string => Number(value).toLocaleString("en-US");

const clocks = new Map<string, Intl.DateTimeFormat>();
const days = new Map<string, Intl.DateTimeFormat>();

/** "13:00:05" in a zone. */
export const clockIn = (zone: string, at: number): string =>
  formatIn(clocks, zone, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(at);

/** "Sun 22 Nov 2026" in a zone. */
export const dayIn = (zone: string, at: number): string =>
  formatIn(days, zone, { weekday: "short", day: "numeric", month: "short", year: "numeric" })
    .format(at)
    .replaceAll(",", "");

function formatIn(known: Map<string, Intl.DateTimeFormat>, timeZone: string, options: Intl.DateTimeFormatOptions) {
  const format = known.get(timeZone) ?? new Intl.DateTimeFormat("en-GB", { timeZone, ...options });
  known.set(timeZone, format);
  return format;
}

/** "45 s", "12 m", "1 h 05 m", "3 d 04 h". */
export function leftText(ms: number): string {
  const [s, m, h] = [Math.floor(ms / 1000), Math.floor(ms / 60_000), Math.floor(ms / 3_600_000)];
  const two = (value: number) => String(value).padStart(2, "0");
  if (s < 60) return `${Math.max(0, s)} s`;
  if (m < 60) return `${m} m`;
  return h < 48 ? `${h} h ${two(m % 60)} m` : `${Math.floor(h / 24)} d ${two(h % 24)} h`;
}

const COLOURS: Readonly<Record<string, Colour>> = {
  ok: "green",
  allow: "green",
  warn: "yellow",
  over: "red",
  deny: "red",
};

const left = (title: string, cell: (row: Line) => string): FittedColumn<Line> => ({ title, align: "left", cell });
const right = (title: string, cell: (row: Line) => string): FittedColumn<Line> => ({ title, align: "right", cell });
const text = (title: string, key: string) => left(title, (row) => String(row[key] ?? "-"));

/** The word, and the colour beside it. */
const state = (title: string, key: string): FittedColumn<Line> => ({
  ...text(title, key),
  colour: (row) => COLOURS[String(row[key])] ?? null,
});

export function sessionColumns(watched: Watched): FittedColumn<Line>[] {
  const now = Date.parse(watched.now.at);
  return [
    text("agent", "agent_id"),
    state("verdict", "decision"),
    right("cost", (row) => short(Number(row.cost_usd))),
    right("of", (row) => short(Number(row.max_cost_usd))),
    right("an hour", (row) => short(rateOf(watched, row))),
    right("time left", (row) => leftText(Date.parse(String(row.expires_at)) - now)),
    text("task", "task_id"),
    text("model", "model"),
    right("tokens", (row) => grouped(row.tokens)),
    left("bound by", bindingText),
  ];
}

const WINDOWS: Readonly<Record<string, string>> = {
  hour: "this hour",
  day: "today",
  month: "this month",
  total: "in all",
};

function bindingText({ binding }: Line): string {
  if (binding === null || binding === undefined) return "-";
  const { kind, scope, scope_id, window, measure, limit, remaining } = binding as Line;
  const who = scope === "session" ? "session" : `${scope} ${scope_id}`;
  if (kind !== "limit" || limit === null) return `${String(kind).replaceAll("_", " ")}: ${who}`;
  const when = WINDOWS[String(window)];
  return `${who}${when ? ` ${when}` : ""}: ${amount(measure, remaining)} of ${amount(measure, limit)} left`;
}

function amount(measure: unknown, value: unknown): string {
  if (measure === "cost_usd") return short(Number(value));
  if (measure === "duration_ms") return leftText(Number(value));
  return `${grouped(value)} ${String(measure).replaceAll("_", " ")}`;
}

export function limitColumns(zone: string): FittedColumn<Line>[] {
  return [
    left(
      "limit",
      (row) => `${row.scope} ${row.scope_id} ${WINDOWS[String(row.window)] ?? row.window}${unit(row.measure)}`,
    ),
    {
      ...right(
        "used",
        (row) => `${bar(Number(row.share))} ${String(Math.floor(Number(row.share) * 100)).padStart(3)} %`,
      ),
      colour: stateColour,
    },
    { ...text("", "state"), colour: stateColour },
    right("spent", (row) => number(row, "spent")),
    right("of", (row) => number(row, "limit")),
    right("held", (row) => (Number(row.held) === 0 ? "-" : number(row, "held"))),
    left("", (row) => meets(row, zone)),
  ];
}

/** What is counted where it is not money. */
const unit = (measure: unknown): string => (measure === "cost_usd" ? "" : `, ${String(measure).replaceAll("_", " ")}`);

const number = (row: Line, key: string): string =>
  row.measure === "cost_usd" ? short(Number(row[key])) : grouped(row[key]);

const stateColour = (row: Line): Colour | null => COLOURS[String(row.state)] ?? null;

/** When a cap will be met at this pace; what is over already says so. */
function meets({ state, reached_at }: Line, zone: string): string {
  if (state === "over" || reached_at === null || reached_at === undefined) return "";
  const at = Date.parse(String(reached_at));
  return `at this pace met ${dayIn(zone, at).split(" ").slice(0, 3).join(" ")} ${clockIn(zone, at).slice(0, 5)}`;
}

export function feedColumns(zone: string): FittedColumn<Line>[] {
  const isGap = (row: Line) => row.left_out !== undefined;
  const own = (cell: (row: Line) => string) => (row: Line) => (isGap(row) ? "" : cell(row));
  return [
    left("at", (row) => (isGap(row) ? "…" : clockIn(zone, Date.parse(String(row.recorded_at))))),
    left("agent", (row) => (isGap(row) ? `${grouped(row.left_out)} more` : String(row.agent_id))),
    right(
      "cost",
      own((row) => dollars(Number(row.cost_usd))),
    ),
    {
      ...left(
        "verdict",
        own((row) => String(row.decision ?? "ended")),
      ),
      colour: (row) => COLOURS[String(row.decision)] ?? null,
    },
    right(
      "in",
      own((row) => grouped(row.input_tokens)),
    ),
    right(
      "out",
      own((row) => grouped(row.output_tokens)),
    ),
    left(
      "task",
      own((row) => String(row.task_id ?? "-")),
    ),
    left(
      "model or tool",
      own((row) => String(row.tool ?? row.model ?? "-")),
    ),
    left("", own(marks)),
  ];
}

/** What is unusual of a charge. */
function marks({ source, late, failed }: Line): string {
  const usual = source === "self_reported" ? [] : [String(source).replaceAll("_", " ")];
  return [...usual, ...(late === true ? ["late"] : []), ...(failed === true ? ["failed"] : [])].join(", ");
}
