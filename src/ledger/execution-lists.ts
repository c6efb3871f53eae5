// Executions as they are looked at: the log by the page, the ledgers per role, a window's sums, an agent's hours.
import type { Kysely } from "kysely";
import type { ExecutionWindow, Outcome } from "../core/execution.ts";
import { all, first, statement, type Work } from "./statement.ts";
import type {
  ExecutionLogTable,
  ExecutionsByWindowTable,
  RoleLedgerTable,
  Tables,
  UserRoleLedgerTable,
} from "./tables.ts";

/** Which executions: by the instant of their end, `toMs` excluded; null = any. */
export type ExecutionFilter = {
  readonly workspaceId: string;
  readonly agentId: string | null;
  readonly role: string | null;
  readonly userId: string | null;
  readonly outcome: Outcome | null;
  readonly fromMs: number;
  readonly toMs: number;
};

/** Where a page ended: the next one has what ended before. */
export type ExecutionPlace = { readonly at: number; readonly id: string };

/** The newest executions after a place. */
export function* executionsOf(
  { workspaceId, agentId, role, userId, outcome, fromMs, toMs }: ExecutionFilter,
  limit: number,
  after: ExecutionPlace = { at: Number.MAX_SAFE_INTEGER, id: "" },
): Work<readonly ExecutionLogTable[]> {
  const query = (db: Kysely<Tables>) =>
    db
      .selectFrom("execution_log")
      .selectAll()
      .where("workspace_id", "=", workspaceId)
      .$if(agentId !== null, (narrower) => narrower.where("agent_id", "=", agentId ?? ""))
      .$if(role !== null, (narrower) => narrower.where("role", "=", role))
      .$if(userId !== null, (narrower) => narrower.where("user_id", "=", userId))
      .$if(outcome !== null, (narrower) => narrower.where("outcome", "=", outcome as Outcome))
      .where("ended_at", ">=", BigInt(fromMs))
      .where("ended_at", "<", BigInt(toMs))
      .where("ended_at", "<=", BigInt(after.at))
      .where((eb) => eb.or([eb("ended_at", "<", BigInt(after.at)), eb("session_id", "<", after.id)]))
      .orderBy("ended_at", "desc")
      .orderBy("session_id", "desc")
      .limit(BigInt(limit));
  return yield* all(statement(query), {});
}

/** Which rows of a ledger: of one role (user) only, those after a role (user and role), that many. */
export type LedgerPage = {
  readonly workspaceId: string;
  readonly role: string | null;
  readonly limit: number;
};

export function* roleLedger(
  { workspaceId, role, limit }: LedgerPage,
  after: string | null,
): Work<readonly RoleLedgerTable[]> {
  const query = (db: Kysely<Tables>) =>
    db
      .selectFrom("role_ledger")
      .selectAll()
      .where("workspace_id", "=", workspaceId)
      .$if(role !== null, (narrower) => narrower.where("role", "=", role ?? ""))
      .$if(after !== null, (rest) => rest.where("role", ">", after ?? ""))
      .orderBy("role")
      .limit(BigInt(limit));
  return yield* all(statement(query), {});
}

export function* userRoleLedger(
  { workspaceId, userId, role, limit }: LedgerPage & { readonly userId: string | null },
  after: { readonly userId: string; readonly role: string } | null,
): Work<readonly UserRoleLedgerTable[]> {
  const { userId: lastUser, role: lastRole } = after ?? { userId: "", role: "" };
  const query = (db: Kysely<Tables>) =>
    db
      .selectFrom("user_role_ledger")
      .selectAll()
      .where("workspace_id", "=", workspaceId)
      .$if(userId !== null, (narrower) => narrower.where("user_id", "=", userId ?? ""))
      .$if(role !== null, (narrower) => narrower.where("role", "=", role ?? ""))
      .$if(after !== null, (rest) =>
        rest.where((eb) =>
          eb.or([eb("user_id", ">", lastUser), eb.and([eb("user_id", "=", lastUser), eb("role", ">", lastRole)])]),
        ),
      )
      .orderBy("user_id")
      .orderBy("role")
      .limit(BigInt(limit));
  return yield* all(statement(query), {});
}

const ofWindow = statement((db, args: { workspaceId: string; kind: string; key: string }) =>
  db
    .selectFrom("executions_by_window")
    .selectAll()
    .where("workspace_id", "=", args.workspaceId)
    .where("window_kind", "=", args.kind as ExecutionWindow)
    .where("window_key", "=", args.key),
);

/** What each agent's executions in a calendar window come to. */
export function* executionsIn(
  workspaceId: string,
  kind: ExecutionWindow,
  key: string,
): Work<readonly ExecutionsByWindowTable[]> {
  return yield* all(ofWindow, { workspaceId, kind, key });
}

/** What an agent used in an hour, and the executions that ended in it. */
export type AgentHour = {
  readonly cost: bigint;
  readonly promptTokens: bigint;
  readonly completionTokens: bigint;
  readonly toolCalls: bigint;
  readonly executions: bigint;
  readonly successes: bigint;
};

/** The hours in which there was anything, by their local names, from one to another. */
export function* agentHours(
  workspaceId: string,
  agentId: string,
  from: { readonly key: string; readonly ms: number },
  to: { readonly key: string; readonly ms: number },
): Work<Map<string, AgentHour>> {
  const spent = yield* all(spentByHour, { workspaceId, agentId, from: from.key, to: to.key });
  const ended = yield* all(endedByHour, { workspaceId, agentId, from: BigInt(from.ms), to: BigInt(to.ms) });
  const hours = new Map<string, AgentHour>();
  for (const row of spent) {
    const { cost_spent: cost, prompt_spent, completion_spent, tool_calls_spent: toolCalls } = row;
    const tokens = { promptTokens: prompt_spent, completionTokens: completion_spent };
    hours.set(row.window_key, { cost, ...tokens, toolCalls, executions: 0n, successes: 0n });
  }
  for (const { ended_hour: hour, executions, successes } of ended)
    hours.set(hour ?? "", { ...(hours.get(hour ?? "") ?? NOTHING_USED), executions, successes });
  return hours;
}

export const NOTHING_USED: AgentHour = {
  cost: 0n,
  promptTokens: 0n,
  completionTokens: 0n,
  toolCalls: 0n,
  executions: 0n,
  successes: 0n,
};

const spentByHour = statement((db, args: { workspaceId: string; agentId: string; from: string; to: string }) =>
  db
    .selectFrom("balances")
    .select(["window_key", "cost_spent", "prompt_spent", "completion_spent", "tool_calls_spent"])
    .where("workspace_id", "=", args.workspaceId)
    .where("scope", "=", "agent")
    .where("scope_id", "=", args.agentId)
    .where("window_kind", "=", "hour")
    .where("window_key", ">=", args.from)
    .where("window_key", "<=", args.to),
);

const endedByHour = statement((db, args: { workspaceId: string; agentId: string; from: bigint; to: bigint }) =>
  db
    .selectFrom("execution_log")
    .where("workspace_id", "=", args.workspaceId)
    .where("agent_id", "=", args.agentId)
    .where("ended_at", ">=", args.from)
    .where("ended_at", "<", args.to)
    .groupBy("ended_hour")
    .select("ended_hour")
    .select((eb) => [
      eb.fn.countAll<bigint>().as("executions"),
      eb.fn.count<bigint>("session_id").filterWhere("outcome", "=", "success").as("successes"),
    ]),
);

const anyOf = statement((db, args: { workspaceId: string; agentId: string }) =>
  db
    .selectFrom("sessions")
    .select("id")
    .where("workspace_id", "=", args.workspaceId)
    .where("agent_id", "=", args.agentId)
    .limit(1n),
);

/** Has the agent ever opened a session? */
export function* hasSessions(workspaceId: string, agentId: string): Work<boolean> {
  return (yield* first(anyOf, { workspaceId, agentId })) !== undefined;
}
