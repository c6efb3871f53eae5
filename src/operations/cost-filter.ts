// Which costs a question is about: the arguments that every question about costs takes, and the filter they come to.
import { z } from "zod";
import { callerId } from "../core/id.ts";
import { firstDayOf, firstMonthOf, type Window, windowAt } from "../core/window.ts";
import { lastDayOf } from "../ledger/calendar.ts";
import type { CostFilter } from "../ledger/costs.ts";
import { findSession } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { LLM } from "./cost-names.ts";
import { date, ourId } from "./input.ts";
import {
  type Context,
  callingAgent,
  invalidInput,
  mayTouch,
  type Principal,
  pinOf,
  sessionNotFound,
} from "./operation.ts";
import { teamNotFound } from "./teams.ts";

export const whole = (what: string, least: number, most: number) =>
  z
    .number({ error: `expected ${what}, ${least} to ${most}` })
    .int({ error: `expected a whole number` })
    .min(least, { error: `expected at least ${least}` })
    .max(most, { error: `expected at most ${most}` });

export const costFilterInput = {
  months: whole("months", 1, 120)
    .default(3)
    .describe("Calendar months back, this one included; used without days or dates."),
  days: whole("days", 1, 3660).optional().describe("Days back, today included."),
  start_date: date.optional().describe("YYYY-MM-DD, inclusive."),
  end_date: date.optional().describe("Inclusive too."),
  agent_id: callerId.optional(),
  team_id: callerId.optional(),
  task_id: callerId.optional(),
  user_id: callerId.optional(),
  role: callerId.optional(),
  provider: callerId.optional(),
  model: callerId.optional(),
  tool: callerId.optional(),
  session_id: ourId("session").optional(),
};

const schema = z.strictObject(costFilterInput);
export type CostQuestion = z.output<typeof schema>;

export function filterOf(context: Context, principal: Principal, args: CostQuestion): CostFilter {
  return {
    workspaceId: context.policy.workspace.id,
    ...rangeOf(context, args),
    agentId: callingAgent(principal, args.agent_id),
    teamId: args.team_id ?? null,
    taskId: args.task_id ?? null,
    userId: args.user_id ?? null,
    role: args.role?.toLowerCase() ?? null,
    provider: args.provider ?? null,
    model: args.model ?? null,
    tool: args.tool === LLM ? "" : (args.tool ?? null),
    sessionId: args.session_id ?? null,
  };
}

/** Throws `session_not_found` for a session that is not the caller's to see. */
export function* mustSeeSession(context: Context, principal: Principal, { sessionId }: CostFilter): Work<void> {
  if (sessionId === null) return;
  const session = yield* findSession(context.policy.workspace.id, sessionId);
  if (!session || !mayTouch(principal, session.agentId)) throw sessionNotFound();
}

/** Throws `team_not_found` where a filter names a team that is unknown: that is a mistake, not zeros. */
export function mustKnowTeam({ policy }: Context, principal: Principal, { teamId }: CostFilter, charges: bigint): void {
  if (teamId === null) return;
  const pin = pinOf(principal);
  // To an agent every team but its own is unknown; one that astra.yml no longer lists keeps its past.
  const isKnown = pin === null ? charges > 0n || policy.teams.has(teamId) : policy.agents.get(pin)?.team === teamId;
  if (!isKnown) throw teamNotFound();
}

/** The days asked for, both inclusive: dates, else days back, else whole calendar months (seeds.md, section 13). */
function rangeOf(context: Context, args: CostQuestion): { fromDay: string; toDay: string } {
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

/** The instants of a filter's days in the workspace's zone: `[from, to)` in epoch ms. */
export function instantsOf(
  { fromDay, toDay }: Pick<CostFilter, "fromDay" | "toDay">,
  zone: string,
): { fromMs: number; toMs: number } {
  return {
    fromMs: fromDay < "1971" ? 0 : dayWindow(fromDay, zone).start,
    toMs: toDay < "1971" ? 0 : toDay > "9998" ? Number.MAX_SAFE_INTEGER : dayWindow(toDay, zone).end,
  };
}

/** The window of a local day: noon in UTC lies in it, or far in the east already in the next. */
function dayWindow(day: string, zone: string): Window {
  const window = windowAt("day", Date.parse(`${day}T12:00:00Z`), zone);
  return window.key > day ? windowAt("day", window.start - 1, zone) : window;
}
