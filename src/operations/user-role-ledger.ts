// get_user_role_ledger: the role ledger once more for each user.
import { z } from "zod";
import { callerId } from "../core/id.ts";
import { userRoleLedger } from "../ledger/execution-lists.ts";
import { defineOperation } from "./operation.ts";
import { nextCursor, pageInput } from "./page.ts";
import { placeIn, roleOut } from "./role-ledger.ts";

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
  run: (context, _principal, args) =>
    context.ledger.read(function* () {
      const { id: workspaceId } = context.policy.workspace;
      const role = args.role?.toLowerCase() ?? null;
      const wanted = { workspaceId, userId: args.user_id ?? null, role, limit: args.limit + 1 };
      const rows = yield* userRoleLedger(wanted, args.cursor === undefined ? null : placeIn(args.cursor));
      const shown = rows.slice(0, args.limit);
      const last = shown.at(-1);
      return {
        user_roles: shown.map((row) => ({ user_id: row.user_id || null, ...roleOut(row) })),
        next_cursor: last && rows.length > args.limit ? `${last.user_id}~${last.role}` : null,
      };
    }),
});
