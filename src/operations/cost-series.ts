// get_cost_series: costs day by day or month by month, by one attribution: what a chart of them draws.
import { z } from "zod";
import { type Nano, usdFromNano } from "../core/money.ts";
import { windowAt } from "../core/window.ts";
import { dayAfter, daysBetween, monthAfter } from "../ledger/calendar.ts";
import { type Attribute, UNITS, type Unit } from "../ledger/cost-shape.ts";
import { type CostFilter, type CostPart, costsOverTime } from "../ledger/costs.ts";
import type { Work } from "../ledger/statement.ts";
import { costFilterInput, filterOf, mustKnowTeam, mustSeeSession, whole } from "./cost-filter.ts";
import { OTHERS, shownName } from "./cost-names.ts";
import { type Context, defineOperation, invalidInput, type Principal } from "./operation.ts";
import { viewOf } from "./private-costs.ts";

/** No user: what single users cost is told by get_costs, with noise where that must be. */
const BY = ["agent", "provider", "model", "tool", "team", "role", "task"] as const satisfies readonly Attribute[];

const oneOf = <const Names extends readonly string[]>(names: Names) =>
  z.enum(names, { error: `expected one of ${names.join(", ")}` });

/** A longer range is told by month where nothing else is asked for: a quarter is at most 92 days. */
const MOST_DAYS = 92;
/** Ten years of days, as far as `days` of get_costs goes back. */
const MOST_BUCKETS = 3660;

const input = z.strictObject({
  ...costFilterInput,
  by: oneOf(BY).default("agent").describe("One series for each."),
  bucket: oneOf(UNITS).optional().describe(`Default: day for up to ${MOST_DAYS} days, else month.`),
  most: whole("series", 1, 20).default(8).describe("The dearest; all others are summed in one more."),
});

const output = z.looseObject({
  start_date: z.string(),
  end_date: z.string(),
  bucket: z.enum(UNITS),
  by: z.enum(BY),
  buckets: z.array(z.string()),
  series: z.array(z.looseObject({ key: z.string(), cost_usd: z.array(z.number()), total_cost_usd: z.number() })),
  total_cost_usd: z.number(),
});

export const getCostSeries = defineOperation({
  name: "get_cost_series",
  title: "Get costs over time",
  description:
    "What was spent in each day or month, by agent, provider, model, tool, team, role or task: the dearest, and all others in one sum. The filters are those of get_costs, and so is the total.",
  input,
  output,
  access: "viewer",
  effect: "read",
  run: (context, principal, args) => {
    const filter = filterOf(context, principal, args);
    if (viewOf(context, principal, { ...filter, groups: [] }) !== "exact")
      throw invalidInput("user_id", "expected no user: single users are told with noise only, see get_costs");
    return context.ledger.read(() => series(context, principal, filter, args));
  },
});

function* series(
  context: Context,
  principal: Principal,
  filter: CostFilter,
  { by, most, bucket: asked }: z.output<typeof input>,
): Work<z.input<typeof output>> {
  yield* mustSeeSession(context, principal, filter);
  const today = windowAt("day", context.now(), context.policy.workspace.timezone).key;
  const until = filter.toDay < today ? filter.toDay : today;
  const bucket = asked ?? (daysBetween(filter.fromDay, until) < MOST_DAYS ? "day" : "month");
  const parts = yield* costsOverTime(by, bucket, filter);
  mustKnowTeam(
    context,
    principal,
    filter,
    sum(parts, ({ sums }) => sums.charges),
  );
  const buckets = bucketsOf(bucket, filter.fromDay, until, parts);
  const lines = linesOf(by, parts);
  const shown = lines.length > most ? [...lines.slice(0, most), together(lines.slice(most))] : lines;
  return {
    start_date: filter.fromDay,
    end_date: filter.toDay,
    bucket,
    by,
    buckets,
    series: shown.map((line) => ({
      key: line.key,
      cost_usd: costsOf(line, buckets).map(usdFromNano),
      total_cost_usd: usdFromNano(line.total),
    })),
    total_cost_usd: usdFromNano(sum(lines, ({ total }) => total)),
  };
}

/**
 * Every day or month of the range up to today, those without costs too. From the beginning of time it starts with the
 * first that has costs; costs of a clock that was ahead are not left out.
 */
function bucketsOf(unit: Unit, fromDay: string, until: string, parts: readonly CostPart[]): string[] {
  const length = unit === "day" ? "YYYY-MM-DD".length : "YYYY-MM".length;
  const known = parts.map(({ at }) => at).sort();
  const last = [until.slice(0, length), known.at(-1) ?? ""].sort().at(-1) ?? "";
  const first = fromDay === "0000-01-01" ? (known[0] ?? last) : fromDay.slice(0, length);
  const buckets: string[] = [];
  for (let each = first; each <= last; each = unit === "day" ? dayAfter(each) : monthAfter(each)) {
    if (buckets.length === MOST_BUCKETS)
      throw invalidInput("start_date", `expected a later date: a series has at most ${MOST_BUCKETS} ${unit}s`);
    buckets.push(each);
  }
  return buckets;
}

/** Only the buckets in which it cost something: there may be ten years of days, and as many names as agents make up. */
type Line = { readonly key: string; readonly parts: readonly CostPart[]; readonly total: Nano };

/** One line for each name, the dearest first. */
function linesOf(by: Attribute, parts: readonly CostPart[]): Line[] {
  // A tool may be called "llm" too: then both are one line, as get_costs has them.
  const lines = Map.groupBy(parts, ({ name }) => shownName(by, name));
  return [...lines]
    .map(([key, own]) => ({ key, parts: own, total: sum(own, ({ sums }) => sums.cost_nano_usd) }))
    .sort((a, b) => (a.total === b.total ? (a.key < b.key ? -1 : 1) : a.total > b.total ? -1 : 1));
}

const together = (lines: readonly Line[]): Line => ({
  key: OTHERS,
  parts: lines.flatMap(({ parts }) => parts),
  total: sum(lines, ({ total }) => total),
});

/** What a line cost in each bucket. */
function costsOf({ parts }: Line, buckets: readonly string[]): Nano[] {
  const costs = new Map<string, Nano>();
  for (const { at, sums } of parts) costs.set(at, (costs.get(at) ?? 0n) + sums.cost_nano_usd);
  return buckets.map((bucket) => costs.get(bucket) ?? 0n);
}

const sum = <Item>(items: readonly Item[], of: (item: Item) => bigint): bigint =>
  items.reduce((all, item) => all + of(item), 0n);
