// get_now: all that a live view of a workspace shows, from one snapshot.
import { z } from "zod";
import { sortKeys } from "../core/balance-key.ts";
import { type BalanceLookup, lookupAmongMany } from "../core/limits.ts";
import { windowAt } from "../core/window.ts";
import { askedOnce } from "../ledger/asked-once.ts";
import { readManyBalances } from "../ledger/balances.ts";
import { grantsInForce } from "../ledger/grants.ts";
import { countOpenIncidents, incidentsBelow } from "../ledger/incidents.ts";
import { newestSpendingSessions } from "../ledger/session-lists.ts";
import type { Session } from "../ledger/session-row.ts";
import { findSession } from "../ledger/sessions.ts";
import type { Work } from "../ledger/statement.ts";
import { stopsInForce } from "../ledger/stops.ts";
import { pace } from "./cost-forecast.ts";
import { grantOut } from "./grants.ts";
import { incidentOut } from "./incidents.ts";
import { everyLimit, sharedStandings } from "./list-limits.ts";
import { type Feed, feedAfter, feedLine, HIDDEN_FEED } from "./now-feed.ts";
import { limitLines } from "./now-limits.ts";
import { openLine, verdictNow } from "./now-sessions.ts";
import { type Context, defineOperation, hourAt, type Principal } from "./operation.ts";
import { instantOut } from "./output.ts";
import { hidesUsers } from "./reveal.ts";
import { type Standing, sessionStanding } from "./standing.ts";
import { stopOut } from "./stop.ts";

/** Of stops and of grants. */
const MOST_ORDERS = 50;
const MOST_INCIDENTS = 10;

const input = z.strictObject({
  after: z
    .string({ error: "expected feed_cursor of an earlier answer" })
    .regex(/^\d{1,13}$/, { error: "expected feed_cursor of an earlier answer" })
    .optional()
    .describe("feed_cursor of an earlier answer: only charges since then. Absent: the newest 30."),
  sessions: z
    .number({ error: "expected a number, 1 to 100" })
    .int({ error: "expected a whole number" })
    .min(1, { error: "expected at least 1" })
    .max(100, { error: "expected at most 100" })
    .default(50)
    .describe("How many open sessions at most."),
});

const lines = z.array(z.looseObject({}));
const paceOutput = z.looseObject({ spent_usd: z.number(), projected_usd: z.number().nullable(), ends_at: z.string() });

const output = z.looseObject({
  workspace_id: z.string(),
  timezone: z.string(),
  at: z.string(),
  day: z.string(),
  today: paceOutput,
  month: paceOutput,
  limits: lines,
  limits_left_out: z.number(),
  sessions: lines,
  open_sessions: z.number(),
  stops: lines,
  grants: lines,
  incidents: lines,
  open_incidents: z.number(),
  feed: lines,
  feed_cursor: z.string(),
  feed_left_out: z.number(),
  feed_hidden: z.boolean(),
});

type Output = z.input<typeof output>;

export const getNow = defineOperation({
  name: "get_now",
  title: "Get what happens now",
  description:
    "Today's and this month's spend, every limit with how full it is, the sessions that can spend with their verdicts, stops, grants, open incidents and the newest charges, all of one moment. Ask again with feed_cursor as after for the charges since.",
  input,
  output,
  access: "viewer",
  effect: "read",
  run: (context, principal, args) => context.ledger.read(() => askedOnce(look(context, principal, args))),
});

function* look(context: Context, principal: Principal, args: z.output<typeof input>): Work<Output> {
  const { policy } = context;
  const { id: workspaceId, timezone } = policy.workspace;
  const now = context.now();
  const after = args.after === undefined ? null : BigInt(args.after);
  // A user's charges one by one are what the privacy budget is there to hide.
  const feed = hidesUsers(context, principal) ? HIDDEN_FEED : yield* feedAfter(workspaceId, after);
  const { newest, count } = yield* newestSpendingSessions(workspaceId, now, args.sessions);
  const shared = yield* sharedStandings(context, now);
  const own = yield* standingsOf(context, [...newest, ...(yield* openOf(workspaceId, feed, newest))], now);
  const balanceOf = yield* balancesOf(workspaceId, [...shared, ...own.values()]);
  const verdictOf = (standing: Standing) => verdictNow(policy, standing, balanceOf, now);
  const verdicts = new Map([...own].map(([session, standing]) => [session.id, verdictOf(standing)]));
  return {
    workspace_id: workspaceId,
    timezone,
    at: instantOut(now),
    day: windowAt("day", now, timezone).key,
    today: paceOf("day", workspaceId, timezone, balanceOf, now),
    month: paceOf("month", workspaceId, timezone, balanceOf, now),
    ...limitLines(policy, everyLimit(policy, shared, balanceOf, now), now),
    sessions: newest.flatMap((session) => {
      const verdict = verdicts.get(session.id);
      return verdict ? [openLine(session, verdict, balanceOf)] : [];
    }),
    open_sessions: count,
    ...(yield* orders(workspaceId, now)),
    ...(yield* openIncidents(workspaceId, principal)),
    feed: feed.charges.map((charge) => feedLine(charge, verdicts.get(charge.session_id)?.decision ?? null)),
    feed_cursor: String(feed.last),
    feed_left_out: Number(feed.leftOut),
    feed_hidden: feed.isHidden,
  };
}

/** The open sessions of the feed that are not among those listed. */
function* openOf(workspaceId: string, feed: Feed, listed: readonly Session[]): Work<Session[]> {
  const open = feed.charges.filter((each) => each.session_status === "open");
  const ids = new Set(open.map((each) => each.session_id));
  for (const { id } of listed) ids.delete(id);
  const found: Session[] = [];
  for (const id of ids) {
    const session = yield* findSession(workspaceId, id);
    if (session) found.push(session);
  }
  return found;
}

function* standingsOf(context: Context, sessions: readonly Session[], now: number): Work<Map<Session, Standing>> {
  const hour = hourAt(context, now);
  const found = new Map<Session, Standing>();
  for (const session of sessions) found.set(session, yield* sessionStanding(context.policy, session, hour, now));
  return found;
}

function* balancesOf(workspaceId: string, standings: readonly Standing[]): Work<BalanceLookup> {
  const keys = sortKeys(standings.flatMap((standing) => standing.keys));
  return lookupAmongMany(yield* readManyBalances(workspaceId, keys));
}

/** The workspace's balances are kept whether or not it has limits. */
function paceOf(kind: "day" | "month", workspaceId: string, zone: string, balanceOf: BalanceLookup, now: number) {
  const window = windowAt(kind, now, zone);
  const balance = balanceOf({ scope: "workspace", scopeId: workspaceId, window: kind, windowKey: window.key });
  return pace(balance.spent.cost, window, now);
}

function* orders(workspaceId: string, now: number): Work<Pick<Output, "stops" | "grants">> {
  const newestFirst = (yield* stopsInForce(workspaceId)).toSorted((a, b) => (a.id < b.id ? 1 : -1));
  const grants = yield* grantsInForce(workspaceId, now);
  return {
    stops: newestFirst.slice(0, MOST_ORDERS).map(stopOut),
    grants: grants.slice(0, MOST_ORDERS).map(grantOut),
  };
}

function* openIncidents(workspaceId: string, principal: Principal): Work<Pick<Output, "incidents" | "open_incidents">> {
  const all = { workspaceId, kind: null, scope: null, scopeId: null, agentId: null };
  const newest = yield* incidentsBelow({ ...all, state: "open" }, MOST_INCIDENTS);
  return {
    incidents: newest.map((incident) => incidentOut(incident, principal)),
    open_incidents: yield* countOpenIncidents(workspaceId),
  };
}
