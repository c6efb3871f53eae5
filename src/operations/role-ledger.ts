// get_role_ledger: what the executions of each role come to, over all users and all time.
import { z } from "zod";
import { callerId } from "../core/id.ts";
import { usdFromNano } from "../core/money.ts";
import { roleLedger } from "../ledger/execution-lists.ts";
import type { RoleLedgerTable } from "../ledger/tables.ts";
import { defineOperation } from "./operation.ts";
import { fractionOut } from "./output.ts";
import { nextCursor, pageFrom, pageInput, wrongCursor } from "./page.ts";

export const getRoleLedger = defineOperation({
  name: "get_role_ledger",
  title: "Role ledger",
  description:
    "Per role, over all users and all time: executions, success rate, latency (mean, p50, p95), tokens, cost, fitness.",
  input: z.strictObject({ role: callerId.optional().describe("One role only."), ...pageInput(100) }),
  output: z.looseObject({ roles: z.array(z.looseObject({})), next_cursor: nextCursor }),
  access: "viewer",
  effect: "read",
  run: (context, _principal, args) =>
    context.ledger.read(function* () {
      const { id: workspaceId } = context.policy.workspace;
      const wanted = { workspaceId, role: args.role?.toLowerCase() ?? null, limit: args.limit + 1 };
      const rows = yield* roleLedger(wanted, args.cursor === undefined ? null : placeIn(args.cursor).role);
      const { items, next_cursor } = pageFrom(rows, args.limit, (last) => `~${last.role}`);
      return { roles: items.map(roleOut), next_cursor };
    }),
});

/** Where a page of either ledger ended, from its cursor "user~role": no id has a tilde in it. */
export function placeIn(cursor: string): { userId: string; role: string } {
  const [, userId, role] = /^([^~\p{C}\s]{0,256})~([^~\p{C}\s]{0,256})$/u.exec(cursor) ?? [];
  if (userId === undefined || role === undefined) throw wrongCursor();
  return { userId, role };
}

/** A row of either ledger. */
export function roleOut(row: RoleLedgerTable) {
  return {
    role: row.role || null,
    executions: Number(row.executions),
    successes: Number(row.successes),
    success_rate: fractionOut(row.success_rate_ppm),
    latency_mean_ms: Number(row.latency_mean_ms),
    latency_p50_ms: Number(row.latency_p50_ms),
    latency_p95_ms: Number(row.latency_p95_ms),
    input_tokens: Number(row.input_tokens),
    output_tokens: Number(row.output_tokens),
    cache_read_tokens: Number(row.cache_read_tokens),
    cache_write_tokens: Number(row.cache_write_tokens),
    tool_calls: Number(row.tool_calls),
    errors: Number(row.errors),
    cost_usd: usdFromNano(row.cost_nano_usd),
    fitness: fractionOut(row.fitness_ppm),
  };
}
