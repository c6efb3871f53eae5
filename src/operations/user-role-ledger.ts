// get_user_role_ledger: the role ledger once more for each user.
import { z } from "zod";
import { callerId } from "../core/id.ts";
import { userRoleLedger } from "../ledger/execution-lists.ts";
import type { Work } from "../ledger/statement.ts";
import { defineOperation } from "./operation.ts";
import { nextCursor, pageFrom, pageInput } from "./page.ts";
import { privateUserRoles } from "./private-user-roles.ts";
import { hidesUsers, type Numbers } from "./reveal.ts";
import { placeIn, roleOut } from "./role-ledger.ts";

/** More roles than any workspace has. */
const MOST_ROLES = 10_000;

export const getUserRoleLedger = defineOperation({
  name: "get_user_role_ledger",
  title: "User role ledger",
  description:
    "Per user and role, over all time: executions, success rate, latency (mean, p50, p95), tokens, cost, fitness.",
  input: z.strictObject({
    user_id: callerId.optional().describe("One user only."),
    role: callerId.optional().describe("One role only."),
    ...pageInput(100),
  }),
  output: z.looseObject({ user_roles: z.array(z.looseObject({})), next_cursor: nextCursor }),
  access: "viewer",
  effect: "read",
  run: (context, principal, args) => {
    const { id: workspaceId } = context.policy.workspace;
    const role = args.role?.toLowerCase() ?? null;
    if (hidesUsers(context, principal)) {
      const asked = { role, userId: args.user_id ?? null, page: args };
      return privateUserRoles(context, asked, (users) => sumsOf(workspaceId, role, users));
    }
    return context.ledger.read(function* () {
      const wanted = { workspaceId, userId: args.user_id ?? null, role, limit: args.limit + 1 };
      const rows = yield* userRoleLedger(wanted, args.cursor === undefined ? null : placeIn(args.cursor));
      const { items, next_cursor } = pageFrom(rows, args.limit, (last) => `${last.user_id}~${last.role}`);
      return { user_roles: items.map((row) => ({ user_id: row.user_id || null, ...roleOut(row) })), next_cursor };
    });
  },
});

/** Each user's exact sums over the role, or over all. */
function* sumsOf(workspaceId: string, role: string | null, users: readonly string[]): Work<Numbers> {
  const sums = new Map<string, Record<string, bigint>>();
  for (const userId of users) {
    const rows = yield* userRoleLedger({ workspaceId, userId, role, limit: MOST_ROLES }, null);
    const sum = (of: "executions" | "successes" | "input_tokens" | "output_tokens" | "tool_calls" | "cost_nano_usd") =>
      rows.reduce((total, row) => total + row[of], 0n);
    sums.set(userId, {
      executions: sum("executions"),
      successes: sum("successes"),
      input_tokens: sum("input_tokens"),
      output_tokens: sum("output_tokens"),
      tool_calls: sum("tool_calls"),
      cost_usd: sum("cost_nano_usd"),
    });
  }
  return sums;
}
