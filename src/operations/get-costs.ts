// get_costs: what was spent, by agent, provider, month, tool and whatever else is asked for.
import { z } from "zod";
import { callerId } from "../core/id.ts";
import { type Nano, usdFromNano } from "../core/money.ts";
import { firstDayOf, firstMonthOf, type Window, windowAt } from "../core/window.ts";
import {
  type CostFilter,
  type CostGroup,
  costsBy,
  costTotals,
  DIMENSIONS,
  type Dimension,
  lastDayOf,
  sessionsOf,
} from "../ledger/costs.ts";
import type { Sums } from "../ledger/rollups.ts";
import type { Session } from "../ledger/session-row.ts";
import { findSession } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { findTask } from "../ledger/tasks.ts";
import { date, ourId } from "./input.ts";
import {
  type Context,
  callingAgent,
  defineOperation,
  invalidInput,
  mayTouch,
  type Principal,
  pinOf,
  sessionNotFound,
} from "./operation.ts";
import { usdOrNull } from "./output.ts";
import { costsByUser, costsOfUser, viewOf } from "./private-costs.ts";
import { teamNotFound } from "./teams.ts";

const whole = (what: string, least: number, most: number) =>
  z
    .number({ error: `expected ${what}, ${least} to ${most}` })
    .int({ error: `expected a whole number` })
    .min(least, { error: `expected at least ${least}` })
    .max(most, { error: `expected at most ${most}` });

const input = z.strictObject({
  months: whole("months", 1, 120)
    .default(3)
    .describe("Calendar months back, this one included. Used when no days or dates are given."),
  days: whole("days", 1, 3660).optional().describe("Days back, today included."),
  start_date: date.optional().describe("YYYY-MM-DD, inclusive."),
  end_date: date.optional().describe("YYYY-MM-DD, inclusive."),
  agent_id: callerId.optional(),
  team_id: callerId.optional(),
  task_id: callerId.optional(),
  user_id: callerId.optional(),
  provider: callerId.optional(),
  session_id: ourId("session").optional(),
  group_by: z
    .array(z.enum(DIMENSIONS, { error: `expected one of ${DIMENSIONS.join(", ")}` }))
    .max(DIMENSIONS.length)
    .default([])
    .describe('More breakdowns, e.g. ["model", "day"]: answered as by_model, by_day.'),
  limit: whole("sessions", 0, 500).default(20).describe("How many of the newest sessions to list."),
});

const output = z.looseObject({
  start_date: z.string(),
  end_date: z.string(),
  total_cost_usd: usdOrNull,
  total_input_tokens: z.number().nullable(),
  total_output_tokens: z.number().nullable(),
  by_agent: z.looseObject({}),
  by_provider: z.looseObject({}),
  by_month: z.array(z.looseObject({})),
  by_tool: z.looseObject({}),
  sessions: z.array(z.looseObject({})),
  sessions_left_out: z.number().nullable(),
});

type Input = z.output<typeof input>;
type Breakdown = Record<string, number> | Record<string, unknown>[];
type Always = Pick<z.input<typeof output>, "by_agent" | "by_provider" | "by_month" | "by_tool">;

export const getCosts = defineOperation({
  name: "get_costs",
  title: "Get costs",
  description:
    "What was spent: totals, by agent, provider, month and tool (llm is the model itself), and the newest sessions. Every breakdown sums to the total. Default: this calendar month and the two before.",
  input,
  output,
  access: "anyone",
  effect: "read",
  run: async (context, principal, args) => {
    const exact = (asked: Input) => context.ledger.read(() => costs(context, principal, asked));
    const filter = filterOf(context, principal, args);
    const view = viewOf(context, principal, { ...filter, groups: args.group_by });
    if (view === "exact") return await exact(args);
    if (filter.userId !== null) return await costsOfUser(context, { ...filter, userId: filter.userId });
    const others = args.group_by.filter((dimension) => dimension !== "user");
    return { ...(await exact({ ...args, group_by: others })), ...(await costsByUser(context, principal, filter)) };
  },
});

/** Breakdowns that are always there, as Open Astra's cost dashboard has them. */
const ALWAYS: readonly Dimension[] = ["agent", "provider", "month", "tool"];

function* costs(context: Context, principal: Principal, args: Input): Work<z.input<typeof output>> {
  const { policy } = context;
  const filter = filterOf(context, principal, args);
  if (args.session_id !== undefined) {
    const session = yield* findSession(policy.workspace.id, args.session_id);
    if (!session || !mayTouch(principal, session.agentId)) throw sessionNotFound();
  }
  const totals = yield* costTotals(filter);
  if (filter.teamId !== null && !isKnownTeam(context, principal, filter.teamId, totals)) throw teamNotFound();
  const breakdowns: Record<string, Breakdown> = {};
  for (const dimension of new Set([...ALWAYS, ...args.group_by])) {
    breakdowns[`by_${dimension}`] = breakdownOut(dimension, yield* costsBy(dimension, filter));
  }
  const { timezone } = policy.workspace;
  const { sessions, count } = yield* sessionsOf(
    filter,
    startOf(filter.fromDay, timezone),
    endOf(filter.toDay, timezone),
    args.limit,
  );
  const listed = [];
  for (const session of sessions) {
    const line = sessionOut(session, yield* titleOf(context, session.taskId), context.now());
    // To an agent a session id is a handle: whoever knows it can spend on it.
    listed.push(principal.kind !== "agent" ? { session_id: session.id, ...line } : line);
  }
  return {
    workspace_id: policy.workspace.id,
    start_date: filter.fromDay,
    end_date: filter.toDay,
    ...totalsOut(totals),
    ...(breakdowns as Always),
    sessions: listed,
    sessions_left_out: count - sessions.length,
  };
}

function filterOf(context: Context, principal: Principal, args: Input): CostFilter {
  return {
    workspaceId: context.policy.workspace.id,
    ...rangeOf(context, args),
    agentId: callingAgent(principal, args.agent_id),
    teamId: args.team_id ?? null,
    taskId: args.task_id ?? null,
    userId: args.user_id ?? null,
    provider: args.provider ?? null,
    sessionId: args.session_id ?? null,
  };
}

/** An unknown team is a mistake, not zeros; to an agent every team but its own is unknown. */
function isKnownTeam({ policy }: Context, principal: Principal, teamId: string, { charges }: Sums): boolean {
  const pin = pinOf(principal);
  if (pin !== null) return policy.agents.get(pin)?.team === teamId;
  // One that astra.yml no longer lists keeps its past.
  return charges > 0n || policy.teams.has(teamId);
}

/** The days asked for, both inclusive: dates, else days back, else whole calendar months (seeds.md, section 13). */
function rangeOf(context: Context, args: Input): { fromDay: string; toDay: string } {
  const today = windowAt("day", context.now(), context.policy.workspace.timezone).key;
  if (args.start_date !== undefined || args.end_date !== undefined) {
    const fromDay = args.start_date ?? "0000-01-01";
    const toDay = args.end_date ?? "9999-12-31";
    if (fromDay > toDay) throw invalidInput("start_date", "expected a date not after end_date");
    return { fromDay, toDay };
  }
  if (args.days !== undefined) return { fromDay: firstDayOf(args.days, today), toDay: today };
  return { fromDay: `${firstMonthOf(args.months, today.slice(0, 7))}-01`, toDay: lastDayOf(today) };
}

/** The window of a local day: noon in UTC lies in it, or far in the east already in the next. */
function dayWindow(day: string, zone: string): Window {
  const window = windowAt("day", Date.parse(`${day}T12:00:00Z`), zone);
  return window.key > day ? windowAt("day", window.start - 1, zone) : window;
}

const startOf = (day: string, zone: string): number => (day < "1971" ? 0 : dayWindow(day, zone).start);
const endOf = (day: string, zone: string): number =>
  day < "1971" ? 0 : day > "9998" ? Number.MAX_SAFE_INTEGER : dayWindow(day, zone).end;

function totalsOut(sums: Sums) {
  return {
    total_cost_usd: usdFromNano(sums.cost_nano_usd),
    total_input_tokens: Number(sums.input_tokens),
    total_output_tokens: Number(sums.output_tokens),
    total_cache_read_tokens: Number(sums.cache_read_tokens),
    total_cache_write_tokens: Number(sums.cache_write_tokens),
    total_tool_calls: Number(sums.tool_calls),
    charges: Number(sums.charges),
    unpriced_charges: Number(sums.unpriced),
  };
}

/** Dollars per key, the dearest first; months and days as a list in calendar order, as Open Astra's `byMonth`. */
function breakdownOut(dimension: Dimension, groups: readonly CostGroup[]): Breakdown {
  if (dimension === "month" || dimension === "day") {
    const ordered = [...groups].sort((a, b) => (a.key < b.key ? -1 : 1));
    return ordered.map((group) => ({ [dimension]: group.key, cost_usd: usdFromNano(group.cost_nano_usd) }));
  }
  const none = dimension === "tool" ? "llm" : "(none)";
  // A tool may be called "llm" too: then both are told together, and the breakdown still sums to the total.
  const costs = new Map<string, Nano>();
  for (const { key, cost_nano_usd } of groups) costs.set(key || none, (costs.get(key || none) ?? 0n) + cost_nano_usd);
  return Object.fromEntries([...costs].map(([key, cost]) => [key, usdFromNano(cost)]));
}

function* titleOf(context: Context, taskId: string | null): Work<string | null> {
  if (taskId === null) return null;
  const listed = context.policy.tasks.get(taskId);
  return listed ? listed.title : ((yield* findTask(context.policy.workspace.id, taskId))?.title ?? null);
}

/** A session as the Cost Control guide lists it ("Team cost summary"); tokens are its prompt and completion. */
function sessionOut(session: Session, title: string | null, now: number) {
  const { totals } = session;
  return {
    agent_name: session.agentId,
    task_id: session.taskId,
    task_title: title,
    status: session.status,
    cost_usd: usdFromNano(totals.cost),
    tokens: Number(totals.inputTokens + totals.outputTokens + totals.cacheReadTokens + totals.cacheWriteTokens),
    duration_minutes: Math.round(((session.endedAt ?? Math.min(now, session.expiresAt)) - session.openedAt) / 60_000),
  };
}
