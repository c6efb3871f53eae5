// The ledger's tables as Kysely sees them: every integer is a bigint (see `schema/*.sql` for meanings).
import type { BalanceScope } from "../core/balance-key.ts";
import type { AmountMeasure } from "../core/limits.ts";
import type { Mechanism } from "../core/privacy.ts";
import type { WindowKind } from "../core/window.ts";

type Tally = {
  charges: bigint;
  input_tokens: bigint;
  output_tokens: bigint;
  cache_read_tokens: bigint;
  cache_write_tokens: bigint;
  tool_calls: bigint;
  cost_nano_usd: bigint;
};

export type SessionStatus = "open" | "success" | "error" | "cancelled";
export type HoldState = "held" | "settled" | "released" | "expired";
export type TaskStatus = "open" | "done" | "cancelled";
export type StopScope = "session" | "agent" | "task" | "team" | "workspace";
export type CostSource = "reported" | "exact" | "override" | "approximate" | "worst_known" | "unpriced" | "estimate";
export type ChargeSource = "self_reported" | "unconfirmed" | "reversal";

export type SessionsTable = Tally & {
  id: string;
  workspace_id: string;
  agent_id: string;
  role: string | null;
  team_id: string | null;
  task_id: string | null;
  user_id: string | null;
  model: string | null;
  provider: string | null;
  parent_session_id: string | null;
  parent_agent_id: string | null;
  root_session_id: string;
  /** Session ids from the root to this one, joined by "/". */
  path: string;
  depth: bigint;
  budget: string;
  tools: string;
  memory: string;
  clamped: string;
  status: SessionStatus;
  error: string | null;
  opened_at: bigint;
  expires_at: bigint;
  ended_at: bigint | null;
  idempotency_key: string | null;
  request: string | null;
  errors: bigint;
};

export type ChargesTable = Omit<Tally, "charges"> & {
  id: string;
  workspace_id: string;
  session_id: string;
  agent_id: string;
  role: string | null;
  team_id: string | null;
  task_id: string | null;
  user_id: string | null;
  model: string | null;
  provider: string | null;
  tool: string | null;
  occurred_at: bigint;
  recorded_at: bigint;
  hour: string;
  cache_write_1h_tokens: bigint;
  reported_nano_usd: bigint | null;
  priced_nano_usd: bigint | null;
  cost_source: CostSource;
  price_list: string | null;
  source: ChargeSource;
  late: bigint;
  latency_ms: bigint | null;
  error: string | null;
  hold_id: string | null;
  idempotency_key: string | null;
  request: string | null;
};

export type ChargeToolsTable = { charge_id: string; tool: string; calls: bigint; cost_nano_usd: bigint };

export type HoldsTable = {
  id: string;
  workspace_id: string;
  session_id: string;
  state: HoldState;
  created_at: bigint;
  expires_at: bigint;
  hour: string;
  cost_nano_usd: bigint;
  prompt_tokens: bigint;
  completion_tokens: bigint;
  tool_calls: bigint;
};

export type BalancesTable = {
  workspace_id: string;
  scope: string;
  scope_id: string;
  window_kind: string;
  window_key: string;
  cost_spent: bigint;
  cost_held: bigint;
  prompt_spent: bigint;
  prompt_held: bigint;
  completion_spent: bigint;
  completion_held: bigint;
  tool_calls_spent: bigint;
  tool_calls_held: bigint;
};

export type CostsByDayTable = Tally & {
  workspace_id: string;
  day: string;
  agent_id: string;
  team_id: string;
  task_id: string;
  user_id: string;
  role: string;
  provider: string;
  model: string;
  tool: string;
  unpriced: bigint;
};

export type CostsByMonthTable = Tally & {
  workspace_id: string;
  month: string;
  agent_id: string;
  provider: string;
  tool: string;
  unpriced: bigint;
};

export type StopsTable = {
  id: string;
  workspace_id: string;
  scope: StopScope;
  scope_id: string;
  reason: string;
  created_at: bigint;
  lifted_at: bigint | null;
};

export type TasksTable = {
  workspace_id: string;
  id: string;
  title: string;
  team_id: string | null;
  priority: string | null;
  task_type: string | null;
  tags: string;
  depends_on: string;
  status: TaskStatus;
  created_at: bigint;
  updated_at: bigint;
};

export type KeyRole = "agent" | "viewer" | "operator" | "owner";
export type TeamLimitName = "daily_cost" | "task_cost";

export type ApiKeysTable = {
  id: string;
  workspace_id: string;
  name: string;
  role: KeyRole;
  agent_id: string | null;
  secret_hash: string;
  secret_start: string;
  created_at: bigint;
  created_by: string;
  expires_at: bigint | null;
  last_used_at: bigint | null;
  revoked_at: bigint | null;
};

export type GrantsTable = {
  id: string;
  workspace_id: string;
  scope: BalanceScope;
  scope_id: string;
  window_kind: WindowKind;
  measure: AmountMeasure;
  amount: bigint;
  reason: string;
  created_at: bigint;
  created_by: string;
  expires_at: bigint;
  revoked_at: bigint | null;
};

export type TeamLimitsTable = {
  workspace_id: string;
  team_id: string;
  name: TeamLimitName;
  amount_nano_usd: bigint | null;
  updated_at: bigint;
};

export type AuditTable = {
  workspace_id: string;
  seq: bigint;
  at: bigint;
  actor: string;
  role: string;
  action: string;
  target: string;
  state_before: string;
  state_after: string;
  why: string | null;
  previous_hash: string;
  hash: string;
};

export type AuditHeadsTable = { workspace_id: string; seq: bigint; hash: string };

export type AnswersTable = {
  workspace_id: string;
  caller: string;
  idempotency_key: string;
  request: string;
  answer: string;
  created_at: bigint;
};

export type PrivacyAccountsTable = {
  workspace_id: string;
  user_id: string;
  epsilon_nano: bigint;
  rho_nano: bigint;
  releases: bigint;
  forgiven_epsilon_nano: bigint;
  forgiven_rho_nano: bigint;
  resets: bigint;
  reset_at: bigint | null;
};

export type PrivacyReleasesTable = {
  workspace_id: string;
  question: string;
  user_id: string;
  measure: string;
  mechanism: Mechanism;
  epsilon_nano: bigint;
  rho_nano: bigint;
  bound: bigint;
  value: bigint;
  released_at: bigint;
};

export type Tables = {
  sessions: SessionsTable;
  charges: ChargesTable;
  charge_tools: ChargeToolsTable;
  holds: HoldsTable;
  balances: BalancesTable;
  costs_by_day: CostsByDayTable;
  costs_by_month: CostsByMonthTable;
  stops: StopsTable;
  tasks: TasksTable;
  api_keys: ApiKeysTable;
  grants: GrantsTable;
  team_limits: TeamLimitsTable;
  audit: AuditTable;
  audit_heads: AuditHeadsTable;
  answers: AnswersTable;
  privacy_accounts: PrivacyAccountsTable;
  privacy_releases: PrivacyReleasesTable;
};
