// A session as a record: what it is, and how its row is written and read.
import type { Budget } from "../core/budget.ts";
import type { Outcome } from "../core/execution.ts";
import type { Nano } from "../core/money.ts";
import type { MemoryPermissions, ToolPermissions } from "../core/policy.ts";
import type { SessionStatus, SessionsTable } from "./tables.ts";

/** A session with its frozen budget and permissions read; instants are epoch milliseconds. */
export type Session = {
  readonly id: string;
  readonly workspaceId: string;
  readonly agentId: string;
  readonly role: string | null;
  readonly teamId: string | null;
  readonly taskId: string | null;
  readonly userId: string | null;
  readonly model: string | null;
  readonly provider: string | null;
  readonly parentSessionId: string | null;
  readonly parentAgentId: string | null;
  /** Session ids from the root to this one. */
  readonly chain: readonly string[];
  readonly depth: number;
  readonly budget: Budget;
  readonly tools: ToolPermissions;
  readonly memory: MemoryPermissions;
  /** What the budget lost when it opened, as the opener was told. */
  readonly clamped: readonly Record<string, unknown>[];
  readonly status: SessionStatus;
  readonly error: string | null;
  readonly openedAt: number;
  readonly expiresAt: number;
  readonly endedAt: number | null;
  /** What it counts as since it has ended, with the local hour and the limit that sessions of old do not tell. */
  readonly execution: {
    readonly outcome: Outcome;
    readonly hour: string | null;
    readonly costLimit: Nano | null;
  } | null;
  readonly idempotencyKey: string | null;
  readonly request: string | null;
  /** Its own charges, without its children's. */
  readonly totals: SessionTotals;
};

export type SessionTotals = {
  readonly charges: bigint;
  readonly errors: bigint;
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  readonly cacheReadTokens: bigint;
  readonly cacheWriteTokens: bigint;
  readonly toolCalls: bigint;
  readonly cost: bigint;
};

export const NO_TOTALS: SessionTotals = {
  charges: 0n,
  errors: 0n,
  inputTokens: 0n,
  outputTokens: 0n,
  cacheReadTokens: 0n,
  cacheWriteTokens: 0n,
  toolCalls: 0n,
  cost: 0n,
};

export function addTotals(a: SessionTotals, b: SessionTotals): SessionTotals {
  const sums = (Object.keys(NO_TOTALS) as (keyof SessionTotals)[]).map((each) => [each, a[each] + b[each]]);
  return Object.fromEntries(sums) as SessionTotals;
}

export const SESSION_COLUMNS = Object.keys({
  id: 0,
  workspace_id: 0,
  agent_id: 0,
  role: 0,
  team_id: 0,
  task_id: 0,
  user_id: 0,
  model: 0,
  provider: 0,
  parent_session_id: 0,
  parent_agent_id: 0,
  root_session_id: 0,
  path: 0,
  depth: 0,
  budget: 0,
  tools: 0,
  memory: 0,
  clamped: 0,
  status: 0,
  error: 0,
  opened_at: 0,
  expires_at: 0,
  ended_at: 0,
  idempotency_key: 0,
  request: 0,
  charges: 0,
  errors: 0,
  input_tokens: 0,
  output_tokens: 0,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
  tool_calls: 0,
  cost_nano_usd: 0,
  outcome: 0,
  ended_hour: 0,
  cost_limit_nano_usd: 0,
} satisfies Record<keyof SessionsTable, 0>) as (keyof SessionsTable)[];

export function toRow(session: Session): SessionsTable {
  return {
    id: session.id,
    workspace_id: session.workspaceId,
    agent_id: session.agentId,
    role: session.role,
    team_id: session.teamId,
    task_id: session.taskId,
    user_id: session.userId,
    model: session.model,
    provider: session.provider,
    parent_session_id: session.parentSessionId,
    parent_agent_id: session.parentAgentId,
    root_session_id: session.chain[0] ?? session.id,
    path: session.chain.join("/"),
    depth: BigInt(session.depth),
    budget: JSON.stringify(session.budget, (_, value) => (typeof value === "bigint" ? String(value) : value)),
    tools: JSON.stringify(session.tools),
    memory: JSON.stringify(session.memory),
    clamped: JSON.stringify(session.clamped),
    status: session.status,
    error: session.error,
    opened_at: BigInt(session.openedAt),
    expires_at: BigInt(session.expiresAt),
    ended_at: session.endedAt === null ? null : BigInt(session.endedAt),
    idempotency_key: session.idempotencyKey,
    request: session.request,
    charges: session.totals.charges,
    errors: session.totals.errors,
    input_tokens: session.totals.inputTokens,
    output_tokens: session.totals.outputTokens,
    cache_read_tokens: session.totals.cacheReadTokens,
    cache_write_tokens: session.totals.cacheWriteTokens,
    tool_calls: session.totals.toolCalls,
    cost_nano_usd: session.totals.cost,
    outcome: session.execution?.outcome ?? null,
    ended_hour: session.execution?.hour ?? null,
    cost_limit_nano_usd: session.execution?.costLimit ?? null,
  };
}

type Frozen = Pick<Session, "budget" | "tools" | "memory" | "clamped">;
const frozen = new Map<string, Frozen>();

/** What was frozen when a session opened, read once for each different text. */
function frozenOf(row: SessionsTable): Frozen {
  const text = row.budget + row.tools + row.memory + row.clamped;
  const known = frozen.get(text);
  if (known) return known;
  if (frozen.size >= 1000) frozen.clear();
  const made: Frozen = {
    budget: Object.fromEntries(
      Object.entries(JSON.parse(row.budget)).map(([k, v]) => [k, BigInt(v as string)]),
    ) as Budget,
    tools: JSON.parse(row.tools),
    memory: JSON.parse(row.memory),
    clamped: JSON.parse(row.clamped),
  };
  frozen.set(text, made);
  return made;
}

export function toSession(row: SessionsTable): Session {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    agentId: row.agent_id,
    role: row.role,
    teamId: row.team_id,
    taskId: row.task_id,
    userId: row.user_id,
    model: row.model,
    provider: row.provider,
    parentSessionId: row.parent_session_id,
    parentAgentId: row.parent_agent_id,
    chain: row.path.split("/"),
    depth: Number(row.depth),
    ...frozenOf(row),
    status: row.status,
    error: row.error,
    openedAt: Number(row.opened_at),
    expiresAt: Number(row.expires_at),
    endedAt: row.ended_at === null ? null : Number(row.ended_at),
    execution: row.outcome && { outcome: row.outcome, hour: row.ended_hour, costLimit: row.cost_limit_nano_usd },
    idempotencyKey: row.idempotency_key,
    request: row.request,
    totals: toTotals(row),
  };
}

export function toTotals(
  row: Pick<
    SessionsTable,
    | "charges"
    | "errors"
    | "input_tokens"
    | "output_tokens"
    | "cache_read_tokens"
    | "cache_write_tokens"
    | "tool_calls"
    | "cost_nano_usd"
  >,
): SessionTotals {
  return {
    charges: row.charges,
    errors: row.errors,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    cacheReadTokens: row.cache_read_tokens,
    cacheWriteTokens: row.cache_write_tokens,
    toolCalls: row.tool_calls,
    cost: row.cost_nano_usd,
  };
}
