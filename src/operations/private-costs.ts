// Costs of single users for those who may not know them exactly: with noise, from the users' privacy budgets.
import { usdFromNano } from "../core/money.ts";
import type { Sums } from "../ledger/cost-shape.ts";
import { type CostFilter, costsBy, costTotals } from "../ledger/costs.ts";
import type { Work } from "../ledger/statement.ts";
import { isUser, usersAfter } from "../ledger/users.ts";
import { type Context, invalidInput, type Principal } from "./operation.ts";
import { noSuchUser } from "./privacy-budget.ts";
import { completeDays, privacyOut } from "./privacy-out.ts";
import { hidesUsers, isThatUser, type Numbers, type Question, type Revealed, reveal, type Wanted } from "./reveal.ts";

/** More users than this are not answered at once: each is charged, under one lock. */
const MOST_USERS = 500;

/**
 * How a question about costs is answered: as it is; as it is, but the breakdown by user by `costsByUser`; or, when it is
 * about one user who is hidden from the caller, by `costsOfUser` altogether.
 */
export function viewOf(
  context: Context,
  principal: Principal,
  asked: { readonly userId: string | null; readonly groups: readonly string[]; readonly sessionId: string | null },
): "exact" | "by user" | "of a user" {
  const { userId, groups, sessionId } = asked;
  if (!hidesUsers(context, principal) || (userId !== null && isThatUser(principal, userId))) return "exact";
  const view = userId !== null ? "of a user" : groups.includes("user") ? "by user" : "exact";
  if (view !== "exact" && sessionId !== null)
    throw invalidInput("session_id", "expected without a user: a session may be one user's alone");
  return view;
}

/** The costs of each user of the workspace, whether they have any or not: who has is not told. */
export async function costsByUser(context: Context, principal: Principal, filter: CostFilter) {
  const all = await context.ledger.read(() => usersAfter(filter.workspaceId, "", MOST_USERS + 1));
  if (all.length > MOST_USERS)
    throw invalidInput("group_by", `expected no user: there are more than ${MOST_USERS}; ask for one with user_id`);
  const days = completeDays(context, filter);
  const own = all.filter((userId) => isThatUser(principal, userId));
  const others = all.filter((userId) => !isThatUser(principal, userId));
  const asked = { ...filter, ...days };
  const exact = function* (): Work<Numbers> {
    const groups = yield* costsBy("user", asked);
    return new Map(groups.map((group) => [group.key, numbersOf(group)]));
  };
  const { told, withheld } = days
    ? await reveal(context, questionOf(asked), others, { cost_usd: "cost" }, exact)
    : NOTHING;
  const mine = own.length > 0 && days ? await context.ledger.read(exact) : NOTHING.told;
  const shown = new Map([...told, ...own.map((userId) => [userId, mine.get(userId) ?? {}] as const)]);
  const costs = [...shown].map(([userId, { cost_usd }]) => [userId, cost_usd ?? 0n] as const);
  costs.sort(([a, x], [b, y]) => (x === y ? (a < b ? -1 : 1) : x < y ? 1 : -1));
  return {
    by_user: Object.fromEntries(costs.map(([userId, cost]) => [userId, usdFromNano(cost)])),
    privacy: privacyOut(context, days, withheld),
  };
}

/** What is told of one user; everything else about them is left out. */
const OF_A_USER: Wanted = {
  cost_usd: "cost",
  input_tokens: "tokens",
  output_tokens: "tokens",
  tool_calls: "toolCalls",
  charges: "charges",
};

export async function costsOfUser(context: Context, filter: CostFilter & { readonly userId: string }) {
  const { userId, workspaceId } = filter;
  // That there is such a user is no secret, and whoever is not there has no budget to charge.
  if (!(await context.ledger.read(() => isUser(workspaceId, userId)))) throw noSuchUser();
  const days = completeDays(context, filter);
  const asked = { ...filter, ...days };
  const { told, withheld } = days
    ? await reveal(context, questionOf(asked), [userId], OF_A_USER, function* () {
        return new Map([[userId, numbersOf(yield* costTotals(asked))]]);
      })
    : NOTHING;
  const numbers: Readonly<Record<string, bigint | undefined>> = told.get(userId) ?? {};
  const count = (name: string) => (numbers[name] === undefined ? null : Number(numbers[name]));
  const cost = numbers.cost_usd === undefined ? null : usdFromNano(numbers.cost_usd);
  return {
    workspace_id: workspaceId,
    start_date: asked.fromDay,
    end_date: asked.toDay,
    total_cost_usd: cost,
    metered_cost_usd: null,
    self_reported_cost_usd: null,
    total_input_tokens: count("input_tokens"),
    total_output_tokens: count("output_tokens"),
    total_tool_calls: count("tool_calls"),
    charges: count("charges"),
    by_agent: {},
    by_provider: {},
    by_month: [],
    by_tool: {},
    by_user: cost === null ? {} : { [userId]: cost },
    sessions: [],
    sessions_left_out: null,
    privacy: privacyOut(context, days, withheld),
  };
}

const numbersOf = (sums: Sums) => ({
  cost_usd: sums.cost_nano_usd,
  input_tokens: sums.input_tokens,
  output_tokens: sums.output_tokens,
  tool_calls: sums.tool_calls,
  charges: sums.charges,
});

/** Every filter but the user is part of the question. */
function questionOf(filter: CostFilter): Question {
  const { workspaceId: _workspace, userId: _user, ...rest } = filter;
  return { about: "costs", ...rest };
}

const NOTHING: Revealed = { told: new Map(), withheld: [] };
