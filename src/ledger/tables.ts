// The ledger's tables as Kysely sees them: every integer is a bigint (see `schema/*.sql` for meanings).
import type { BalanceScope } from "../core/balance-key.ts";
import type { ExecutionWindow, Outcome } from "../core/execution.ts";
import type { IncidentKind, IncidentScope } from "../core/incident.ts";
import type { AmountMeasure } from "../core/limits.ts";
import { METERS, type Meter } from "../core/metered.ts";
import type { Mechanism } from "../core/privacy.ts";
import type { WindowKind } from "../core/window.ts";

/** The sums that are kept of charges. */
export type Tally = {
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
/** In the order of their numbers in `charge_rows`. */
export const COST_SOURCES = [
  "reported",
  "exact",
  "override",
  "approximate",
  "worst_known",
  "unpriced",
  "estimate",
  "corrected",
] as const;
export type CostSource = (typeof COST_SOURCES)[number];
/** In the order of their numbers in `charge_rows`. */
export const CHARGE_SOURCES = ["self_reported", "unconfirmed", "reversal", "correction", "imported"] as const;
export type ChargeSource = (typeof CHARGE_SOURCES)[number];
/** As charges are shown: what a meter found out is not self-reported. */
export const SHOWN_SOURCES = [...CHARGE_SOURCES, ...METERS.filter((meter) => meter !== "self_reported")] as const;
export type ShownSource = (typeof SHOWN_SOURCES)[number];

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
  /** These three are set when it ends. */
  outcome: Outcome | null;
  ended_hour: string | null;
  cost_limit_nano_usd: bigint | null;
};

export type NamesTable = { no: bigint; name: string };
export type BooksTable = {
  no: bigint;
  workspace_id: string;
  folded: bigint;
  unfolded_lines: bigint;
  pruned_before: string | null;
};

export type AttributionsTable = {
  session_no: bigint;
  book_no: bigint;
  agent_no: bigint;
  team_no: bigint;
  task_no: bigint;
  user_no: bigint;
  role_no: bigint;
};

type ChargeFacts = Omit<Tally, "charges"> & {
  occurred_at: bigint;
  cache_write_1h_tokens: bigint;
  reported_nano_usd: bigint | null;
  priced_nano_usd: bigint | null;
  late: bigint;
  latency_ms: bigint | null;
  error: string | null;
  hold_id: string | null;
};

export type ChargeRowsTable = ChargeFacts & {
  seq: bigint;
  session_no: bigint;
  no: bigint;
  model_no: bigint;
  provider_no: bigint;
  tool_no: bigint;
  recorded_after: bigint;
  hour: bigint;
  cost_source: bigint;
  price_list_no: bigint;
  source: bigint;
  /** By its number in `METERS`. */
  meter: bigint;
  key_hash: bigint | null;
  request_hash: bigint | null;
  corrects_no: bigint | null;
  replaces: bigint | null;
};

export type ChargeToolRowsTable = { seq: bigint; tool_no: bigint; calls: bigint; cost_nano_usd: bigint };

/** A view: charges with their names. */
export type ChargesView = ChargeFacts & {
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
  recorded_at: bigint;
  hour: string;
  cost_source: CostSource;
  price_list: string | null;
  source: ShownSource;
  /** Null = only self-reported. */
  metered_by: Exclude<Meter, "self_reported"> | null;
  seq: bigint;
  no: bigint;
  corrects_no: bigint | null;
};

/** A view: the tools of charges with their names. */
export type ChargeToolsView = { charge_id: string; tool: string; calls: bigint; cost_nano_usd: bigint };

export type PrunedChargesTable = Tally & { session_no: bigint; hour: bigint; errors: bigint };

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

type CostTally = Tally & { unpriced: bigint; approximate: bigint; late: bigint; metered_nano_usd: bigint };

type CellKey = {
  book_no: bigint;
  day: bigint;
  agent_no: bigint;
  team_no: bigint;
  task_no: bigint;
  user_no: bigint;
  role_no: bigint;
  provider_no: bigint;
  model_no: bigint;
  tool_no: bigint;
};
export type CostCellsTable = CostTally & CellKey;
/** A view: the charges as lines that sum to the cells. */
export type CostLinesView = CostTally & CellKey & { seq: bigint; session_no: bigint };

export type CostSumsTable = CostTally & {
  book_no: bigint;
  of_agent_no: bigint;
  dimension: bigint;
  period: bigint;
  key_no: bigint;
};

export type CostBreakdownsTable = { per_agent: bigint; per_day: bigint; dimension: bigint };

export type ExecutionsByWindowTable = {
  workspace_id: string;
  window_kind: ExecutionWindow;
  window_key: string;
  agent_id: string;
  executions: bigint;
  successes: bigint;
  latency_ms: bigint;
  score_ppm: bigint;
};

/** A view. */
export type ExecutionLogTable = Tally & {
  workspace_id: string;
  session_id: string;
  agent_id: string;
  role: string | null;
  team_id: string | null;
  task_id: string | null;
  user_id: string | null;
  model: string | null;
  provider: string | null;
  started_at: bigint;
  ended_at: bigint;
  ended_hour: string | null;
  latency_ms: bigint;
  time_limit_ms: bigint;
  errors: bigint;
  cost_limit_nano_usd: bigint | null;
  outcome: Outcome;
  error: string | null;
  score_ppm: bigint;
};

/** A view; `role` is "" where there is none. */
export type RoleLedgerTable = Omit<Tally, "charges"> & {
  workspace_id: string;
  role: string;
  executions: bigint;
  successes: bigint;
  success_rate_ppm: bigint;
  latency_mean_ms: bigint;
  latency_p50_ms: bigint;
  latency_p95_ms: bigint;
  errors: bigint;
  fitness_ppm: bigint;
};

export type UserRoleLedgerTable = RoleLedgerTable & { user_id: string };

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

export type IncidentsTable = {
  id: string;
  workspace_id: string;
  kind: IncidentKind;
  scope: IncidentScope;
  scope_id: string;
  window_key: string;
  session_id: string | null;
  agent_id: string | null;
  team_id: string | null;
  task_id: string | null;
  message: string;
  evidence: string;
  stop_id: string | null;
  raised_at: bigint;
  acknowledged_at: bigint | null;
  acknowledged_by: string | null;
  note: string | null;
};

export type DeliveryState = "pending" | "delivered" | "failed" | "dropped";

export type WebhookDeliveriesTable = {
  id: string;
  workspace_id: string;
  webhook_id: string;
  incident_id: string;
  state: DeliveryState;
  attempts: bigint;
  next_at: bigint;
  leased_until: bigint;
  last_result: string | null;
  created_at: bigint;
  updated_at: bigint;
};

export type SessionWatchTable = {
  session_id: string;
  minute_at: bigint;
  reports: bigint;
  tokens: bigint;
  peak_tokens: bigint;
  error_hash: string;
  error_times: bigint;
  error_at: bigint;
};

export type RolePaceTable = { workspace_id: string; role: string; sessions: bigint; peak_tokens: bigint };

export type CapPaceTable = {
  workspace_id: string;
  scope: string;
  scope_id: string;
  window_kind: string;
  measure: string;
  resets_at: bigint;
  older_at: bigint;
  older_spent: bigint;
  newer_at: bigint;
  newer_spent: bigint;
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

/** The account of a response of a model that is booked. */
export type MeteredResponsesTable = {
  book_no: bigint;
  response_hash: bigint;
  session_no: bigint;
  charge_no: bigint;
  /** By its number in `METERS`. */
  meter: bigint;
  input_tokens: bigint;
  output_tokens: bigint;
  cache_read_tokens: bigint;
  cache_write_tokens: bigint;
  cache_write_1h_tokens: bigint;
  web_searches: bigint;
  tool_calls: bigint;
  cost_nano_usd: bigint;
};

export type MeterThreadsTable = {
  workspace_id: string;
  client: string;
  thread_id: string;
  session_id: string;
  since: bigint;
  warned: string;
};

export type MeterFilesTable = { workspace_id: string; path: string; bytes: bigint; read_at: bigint };

export type Tables = {
  sessions: SessionsTable;
  names: NamesTable;
  books: BooksTable;
  attributions: AttributionsTable;
  charge_rows: ChargeRowsTable;
  charge_tool_rows: ChargeToolRowsTable;
  charges: ChargesView;
  charge_tools: ChargeToolsView;
  pruned_charges: PrunedChargesTable;
  holds: HoldsTable;
  balances: BalancesTable;
  cost_cells: CostCellsTable;
  cost_lines: CostLinesView;
  cost_sums: CostSumsTable;
  cost_breakdowns: CostBreakdownsTable;
  executions_by_window: ExecutionsByWindowTable;
  execution_log: ExecutionLogTable;
  role_ledger: RoleLedgerTable;
  user_role_ledger: UserRoleLedgerTable;
  stops: StopsTable;
  tasks: TasksTable;
  api_keys: ApiKeysTable;
  grants: GrantsTable;
  team_limits: TeamLimitsTable;
  audit: AuditTable;
  audit_heads: AuditHeadsTable;
  answers: AnswersTable;
  incidents: IncidentsTable;
  webhook_deliveries: WebhookDeliveriesTable;
  session_watch: SessionWatchTable;
  role_pace: RolePaceTable;
  cap_pace: CapPaceTable;
  privacy_accounts: PrivacyAccountsTable;
  privacy_releases: PrivacyReleasesTable;
  metered_responses: MeteredResponsesTable;
  meter_threads: MeterThreadsTable;
  meter_files: MeterFilesTable;
};
