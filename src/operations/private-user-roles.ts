// The ledger of users and roles for those who may not know single users exactly: with noise, once a day.
import { usdFromNano } from "../core/money.ts";
import { windowAt } from "../core/window.ts";
import type { Work } from "../ledger/statement.ts";
import { isUser, usersAfter } from "../ledger/users.ts";
import type { Context } from "./operation.ts";
import { type Page, pageFrom } from "./page.ts";
import { noSuchUser } from "./privacy-budget.ts";
import { privacyOut } from "./privacy-out.ts";
import { type Numbers, reveal, type Wanted } from "./reveal.ts";

/** Executions count as charges do. What follows from these is left to the reader: to tell it would cost again. */
const TOLD: Wanted = {
  executions: "charges",
  successes: "charges",
  input_tokens: "tokens",
  output_tokens: "tokens",
  tool_calls: "toolCalls",
  cost_usd: "cost",
};

/**
 * A line for every user of the page, whether they ever had that role or not; role null = all roles together. `exactOf`
 * answers the users' sums over all time; numbers it leaves out are zero.
 */
export async function privateUserRoles(
  context: Context,
  asked: { readonly role: string | null; readonly userId: string | null; readonly page: Page },
  exactOf: (users: readonly string[]) => Work<Numbers>,
) {
  const { role, userId, page } = asked;
  const workspaceId = context.policy.workspace.id;
  const found = await context.ledger.read(function* () {
    if (userId === null) return yield* usersAfter(workspaceId, page.cursor ?? "", page.limit + 1);
    if (!(yield* isUser(workspaceId, userId))) throw noSuchUser();
    return [userId];
  });
  const { items: users, next_cursor } = pageFrom(found, page.limit, (last) => last);
  // As it is when it is first asked on a day, and so for the rest of it.
  const toDay = windowAt("day", context.now(), context.policy.workspace.timezone).key;
  const { told, withheld } = await reveal(
    context,
    { about: "user_role_ledger", role, to: toDay },
    users,
    TOLD,
    exactOf,
  );
  const lines = users.flatMap((user) => {
    const numbers = told.get(user);
    return numbers ? [{ user_id: user, role, ...linesOf(numbers) }] : [];
  });
  return {
    user_roles: lines,
    next_cursor,
    privacy: privacyOut(context, { fromDay: "0000-01-01", toDay }, withheld),
  };
}

const linesOf = (numbers: Readonly<Record<string, bigint>>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(numbers).map(([name, value]) => [name, name === "cost_usd" ? usdFromNano(value) : Number(value)]),
  );
