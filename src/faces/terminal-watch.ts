// The text of `watch`: what happens now on one screen of any size.
import { type Colour, fittedTable, type Paint } from "./fitted-table.ts";
import { clockIn, dayIn, feedColumns, limitColumns, sessionColumns, short } from "./terminal-watch-columns.ts";
import { shownCut, textWidth } from "./text-width.ts";
import type { Line, Watched } from "./watch-state.ts";

/** `rows`: null = as many as it takes. */
export type Screen = { readonly columns: number; readonly rows: number | null; readonly paint: Paint };

/** A part of the screen. Where it must be cut, its first lines stay, of a feed its last. */
type Part = {
  readonly title: string;
  readonly all: number;
  readonly rows: readonly Line[];
  readonly keeps: "first" | "last";
  /** Lines besides its rows: an empty one, the title, and the head of a table. */
  readonly around: 2 | 3;
  lines(rows: readonly Line[]): string[];
};

/** The lines of one frame, none wider and not more than the screen has. */
export function watchLines(state: Watched, screen: Screen, hint: string): string[] {
  const head = headLines(state, screen, hint);
  const parts = partsOf(state, screen).filter((part) => part.rows.length > 0);
  const isUnused = state.now.sessions.length === 0 && state.feed.length === 0;
  if (isUnused) head.push("", ...UNUSED.map((line) => shownCut(line, screen.columns)));
  const counts = sharedOut(parts, screen.rows === null ? Number.POSITIVE_INFINITY : screen.rows - head.length);
  const lines = parts.flatMap((part, i) => partLines(part, counts[i] ?? 0, screen));
  return [...head, ...lines].slice(0, screen.rows ?? undefined);
}

const UNUSED = [
  "No agent has spent anything yet. They open sessions with open_session and report what they use; to let one in:",
  "  astra-budget install claude-code   the budget in front of Claude Code",
  "  astra-budget serve                 MCP and REST for many agents",
];

function headLines({ now }: Watched, { columns, paint }: Screen, hint: string): string[] {
  const at = Date.parse(now.at);
  const name = `${now.workspace_id}  ${dayIn(now.timezone, at)} ${clockIn(now.timezone, at)} ${now.timezone}`;
  const left = shownCut(name, columns);
  const room = columns - textWidth(left) - hint.length;
  const paced = (title: string, { spent_usd, projected_usd }: Watched["now"]["today"]) =>
    `${title} ${short(spent_usd)}${projected_usd === null ? "" : ` (at this pace ${short(projected_usd)})`}`;
  const spent = `${paced("today", now.today)}   ${paced("this month", now.month)}`;
  return [
    paint(left, "bold") + (hint !== "" && room >= 2 ? " ".repeat(room) + paint(hint, "dim") : ""),
    shownCut(spent, columns),
  ];
}

function partsOf(state: Watched, { columns, paint }: Screen): Part[] {
  const { now } = state;
  const zone = now.timezone;
  const sentences = (rows: readonly Line[], of: (row: Line) => string, colour: Colour) =>
    rows.map((row) => paint(shownCut(of(row), columns), colour));
  return [
    {
      title: "Stops",
      all: now.stops.length,
      rows: now.stops,
      keeps: "first",
      around: 2,
      lines: (rows) => sentences(rows, (row) => `stop ${row.scope} ${row.scope_id}: ${row.reason}`, "red"),
    },
    {
      title: "Open incidents",
      all: now.open_incidents,
      rows: now.incidents,
      keeps: "first",
      around: 2,
      lines: (rows) => sentences(rows, (row) => `${row.kind}: ${row.message}`, "yellow"),
    },
    {
      title: "Open sessions",
      all: now.open_sessions,
      rows: now.sessions,
      keeps: "first",
      around: 3,
      lines: (rows) => fittedTable(rows, sessionColumns(state), columns, paint),
    },
    {
      title: "Limits",
      all: now.limits.length + now.limits_left_out,
      rows: now.limits,
      keeps: "first",
      around: 3,
      lines: (rows) => fittedTable(rows, limitColumns(zone), columns, paint),
    },
    {
      title: "Charges",
      all: state.feed.length,
      rows: state.feed,
      keeps: "last",
      around: 3,
      lines: (rows) => fittedTable(rows, feedColumns(zone), columns, paint),
    },
  ];
}

/** How many rows of each part there is room for: each in turn gets one more, until the screen is full. */
function sharedOut(parts: readonly Part[], room: number): number[] {
  const counts = parts.map(() => 0);
  let left = room;
  for (let isGiven = true; isGiven; ) {
    isGiven = false;
    for (const [i, { rows, around }] of parts.entries()) {
      const price = counts[i] === 0 ? around + 1 : 1;
      if ((counts[i] ?? 0) >= rows.length || price > left) continue;
      counts[i] = (counts[i] ?? 0) + 1;
      left -= price;
      isGiven = true;
    }
  }
  return counts;
}

function partLines({ title, all, rows, keeps, lines }: Part, count: number, { columns, paint }: Screen): string[] {
  if (count === 0) return [];
  const shown = keeps === "first" ? rows.slice(0, count) : rows.slice(-count);
  const cut = keeps === "first" && shown.length < all ? `${shown.length} of ` : "";
  const name = keeps === "first" ? `${title} (${cut}${all})` : title;
  return ["", paint(shownCut(name, columns), "bold"), ...lines(shown)];
}
