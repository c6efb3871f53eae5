// list_executions: the execution log by the page, the newest end first.
import { z } from "zod";
import { OUTCOMES } from "../core/execution.ts";
import { callerId } from "../core/id.ts";
import { usdFromNano } from "../core/money.ts";
import { executionsOf } from "../ledger/execution-lists.ts";
import type { Work } from "../ledger/statement.ts";
import type { ExecutionLogTable } from "../ledger/tables.ts";
import { instantsOf } from "./cost-filter.ts";
import { date } from "./input.ts";
import { type Context, defineOperation, invalidInput } from "./operation.ts";
import { fractionOut, usdOf } from "./output.ts";
import { nextCursor, pageFrom, pageInput, placeOf } from "./page.ts";
import { hidesUsers } from "./reveal.ts";

const input = z.strictObject({
  agent_id: callerId.optional(),
  role: callerId.optional(),
  user_id: callerId.optional(),
  outcome: z.enum(OUTCOMES, { error: `expected one of ${OUTCOMES.join(", ")}` }).optional(),
  start_date: date.optional().describe("YYYY-MM-DD, inclusive: ended on this day or later."),
  end_date: date.optional().describe("YYYY-MM-DD, inclusive."),
  ...pageInput(50),
});

const output = z.looseObject({ executions: z.array(z.looseObject({})), next_cursor: nextCursor });

export const listExecutions = defineOperation({
  name: "list_executions",
  title: "List executions",
  description:
    "The execution log: every ended session with its latency, tokens, cost, tool calls, errors, outcome and score.",
  input,
  output,
  access: "viewer",
  effect: "read",
  run: (context, principal, args) => {
    const isHidden = hidesUsers(context, principal);
    if (isHidden && args.user_id !== undefined)
      throw invalidInput("user_id", "expected no user: single users are told with noise only, see user-roles");
    return context.ledger.read(function* () {
      const answer = yield* page(context, args);
      // One execution's exact cost is no secret, whose it was is.
      return isHidden ? { ...answer, executions: answer.executions.map(({ user_id: _, ...line }) => line) } : answer;
    });
  },
});

function* page(context: Context, args: z.output<typeof input>): Work<z.input<typeof output>> {
  const { id: workspaceId, timezone } = context.policy.workspace;
  const { start_date: from, end_date: to } = args;
  if (from !== undefined && to !== undefined && from > to)
    throw invalidInput("start_date", "expected a date not after end_date");
  const filter = {
    workspaceId,
    agentId: args.agent_id ?? null,
    role: args.role?.toLowerCase() ?? null,
    userId: args.user_id ?? null,
    outcome: args.outcome ?? null,
    ...instantsOf({ fromDay: from ?? "0000-01-01", toDay: to ?? "9999-12-31" }, timezone),
  };
  const after = args.cursor === undefined ? undefined : placeOf(args.cursor);
  const found = yield* executionsOf(filter, args.limit + 1, after);
  const { items, next_cursor } = pageFrom(found, args.limit, (last) => `${last.ended_at}.${last.session_id}`);
  return { executions: items.map(executionOut), next_cursor };
}

function executionOut(row: ExecutionLogTable): Record<string, unknown> {
  return {
    session_id: row.session_id,
    agent_id: row.agent_id,
    role: row.role,
    team_id: row.team_id,
    task_id: row.task_id,
    user_id: row.user_id,
    model: row.model,
    provider: row.provider,
    outcome: row.outcome,
    error: row.error,
    started_at: new Date(Number(row.started_at)).toISOString(),
    ended_at: new Date(Number(row.ended_at)).toISOString(),
    latency_ms: Number(row.latency_ms),
    time_limit_ms: Number(row.time_limit_ms),
    input_tokens: Number(row.input_tokens),
    output_tokens: Number(row.output_tokens),
    cache_read_tokens: Number(row.cache_read_tokens),
    cache_write_tokens: Number(row.cache_write_tokens),
    tool_calls: Number(row.tool_calls),
    charges: Number(row.charges),
    errors: Number(row.errors),
    cost_usd: usdFromNano(row.cost_nano_usd),
    cost_limit_usd: usdOf(row.cost_limit_nano_usd),
    score: fractionOut(row.score_ppm),
  };
}
