-- The ledger's tables, one text for both engines. On SQLite the migrator writes INTEGER for BIGINT and makes
-- every table STRICT. Money is whole nano-dollars, instants are epoch milliseconds, `hour` is the local hour
-- ("2026-11-22T13") in the workspace's zone when the row was written: its first 10 characters are the day, its
-- first 7 the month.

-- One block of agent work, from open_session to end_session. The budget is frozen when it opens.
-- The totals are its own (without its children's) and are derived from its charges.
CREATE TABLE sessions (
  id TEXT NOT NULL PRIMARY KEY,
  workspace_id TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  role TEXT,
  team_id TEXT,
  task_id TEXT,
  user_id TEXT,
  model TEXT,
  provider TEXT,
  parent_session_id TEXT REFERENCES sessions (id),
  parent_agent_id TEXT,
  root_session_id TEXT NOT NULL,
  path TEXT NOT NULL,
  depth BIGINT NOT NULL CHECK (depth >= 0),
  budget TEXT NOT NULL,
  tools TEXT NOT NULL,
  memory TEXT NOT NULL,
  clamped TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('open', 'success', 'error', 'cancelled')),
  error TEXT,
  opened_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ended_at BIGINT,
  idempotency_key TEXT,
  request TEXT,
  charges BIGINT NOT NULL CHECK (charges >= 0),
  errors BIGINT NOT NULL CHECK (errors >= 0),
  input_tokens BIGINT NOT NULL CHECK (input_tokens >= 0),
  output_tokens BIGINT NOT NULL CHECK (output_tokens >= 0),
  cache_read_tokens BIGINT NOT NULL CHECK (cache_read_tokens >= 0),
  cache_write_tokens BIGINT NOT NULL CHECK (cache_write_tokens >= 0),
  tool_calls BIGINT NOT NULL CHECK (tool_calls >= 0),
  cost_nano_usd BIGINT NOT NULL CHECK (cost_nano_usd >= 0),
  UNIQUE (workspace_id, agent_id, idempotency_key)
);
CREATE INDEX sessions_by_time ON sessions (workspace_id, opened_at);
CREATE INDEX sessions_by_agent ON sessions (workspace_id, agent_id, opened_at);
CREATE INDEX sessions_by_root ON sessions (root_session_id);
CREATE INDEX sessions_by_parent_agent ON sessions (workspace_id, parent_agent_id, status);

-- One immutable fact: what was used, what it came to, whose it was, and who says so. Never updated, never deleted.
-- A forgotten hold may be booked as `unconfirmed`; when its report comes after all, a `reversal` takes that back.
CREATE TABLE charges (
  id TEXT NOT NULL PRIMARY KEY,
  workspace_id TEXT NOT NULL,
  session_id TEXT NOT NULL REFERENCES sessions (id),
  agent_id TEXT NOT NULL,
  role TEXT,
  team_id TEXT,
  task_id TEXT,
  user_id TEXT,
  model TEXT,
  provider TEXT,
  tool TEXT,
  occurred_at BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  hour TEXT NOT NULL,
  input_tokens BIGINT NOT NULL,
  output_tokens BIGINT NOT NULL,
  cache_read_tokens BIGINT NOT NULL,
  cache_write_tokens BIGINT NOT NULL,
  cache_write_1h_tokens BIGINT NOT NULL CHECK (cache_write_1h_tokens BETWEEN 0 AND cache_write_tokens),
  tool_calls BIGINT NOT NULL,
  cost_nano_usd BIGINT NOT NULL,
  reported_nano_usd BIGINT CHECK (reported_nano_usd >= 0),
  priced_nano_usd BIGINT CHECK (priced_nano_usd >= 0),
  cost_source TEXT NOT NULL CHECK (cost_source IN ('reported', 'exact', 'override', 'approximate', 'worst_known', 'unpriced', 'estimate')),
  price_list TEXT,
  source TEXT NOT NULL CHECK (source IN ('self_reported', 'unconfirmed', 'reversal')),
  late BIGINT NOT NULL CHECK (late IN (0, 1)),
  latency_ms BIGINT CHECK (latency_ms >= 0),
  error TEXT,
  hold_id TEXT,
  idempotency_key TEXT,
  request TEXT,
  UNIQUE (session_id, idempotency_key),
  CHECK (source = 'reversal' OR (input_tokens >= 0 AND output_tokens >= 0 AND cache_read_tokens >= 0
    AND cache_write_tokens >= 0 AND tool_calls >= 0 AND cost_nano_usd >= 0))
);
CREATE INDEX charges_by_session ON charges (session_id, recorded_at);

-- The calls of single tools inside one charge, each with its own part of the charge's cost.
CREATE TABLE charge_tools (
  charge_id TEXT NOT NULL REFERENCES charges (id),
  tool TEXT NOT NULL,
  calls BIGINT NOT NULL CHECK (calls >= 0),
  cost_nano_usd BIGINT NOT NULL CHECK (cost_nano_usd >= 0),
  PRIMARY KEY (charge_id, tool)
);

-- Money set aside before a call. Exactly one final state: settled, released or expired.
CREATE TABLE holds (
  id TEXT NOT NULL PRIMARY KEY,
  workspace_id TEXT NOT NULL,
  session_id TEXT NOT NULL REFERENCES sessions (id),
  state TEXT NOT NULL CHECK (state IN ('held', 'settled', 'released', 'expired')),
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  hour TEXT NOT NULL,
  cost_nano_usd BIGINT NOT NULL CHECK (cost_nano_usd >= 0),
  prompt_tokens BIGINT NOT NULL CHECK (prompt_tokens >= 0),
  completion_tokens BIGINT NOT NULL CHECK (completion_tokens >= 0),
  tool_calls BIGINT NOT NULL CHECK (tool_calls >= 0)
);
CREATE INDEX holds_by_expiry ON holds (workspace_id, state, expires_at);
CREATE INDEX holds_by_session ON holds (session_id, state);

-- Derived: the sums of charges (spent) and open holds (held) per scope and window. Also the rows that are locked.
CREATE TABLE balances (
  workspace_id TEXT NOT NULL,
  scope TEXT NOT NULL CHECK (scope IN ('agent', 'session', 'task', 'team', 'workspace')),
  scope_id TEXT NOT NULL,
  window_kind TEXT NOT NULL CHECK (window_kind IN ('session', 'hour', 'day', 'week', 'month', 'total')),
  window_key TEXT NOT NULL,
  cost_spent BIGINT NOT NULL CHECK (cost_spent >= 0),
  cost_held BIGINT NOT NULL CHECK (cost_held >= 0),
  prompt_spent BIGINT NOT NULL CHECK (prompt_spent >= 0),
  prompt_held BIGINT NOT NULL CHECK (prompt_held >= 0),
  completion_spent BIGINT NOT NULL CHECK (completion_spent >= 0),
  completion_held BIGINT NOT NULL CHECK (completion_held >= 0),
  tool_calls_spent BIGINT NOT NULL CHECK (tool_calls_spent >= 0),
  tool_calls_held BIGINT NOT NULL CHECK (tool_calls_held >= 0),
  PRIMARY KEY (workspace_id, scope, scope_id, window_kind, window_key)
);

-- Derived: costs per local day and every attribution ('' = none). `tool` is '' for the model call itself.
CREATE TABLE costs_by_day (
  workspace_id TEXT NOT NULL,
  day TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  team_id TEXT NOT NULL,
  task_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  role TEXT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  tool TEXT NOT NULL,
  charges BIGINT NOT NULL CHECK (charges >= 0),
  unpriced BIGINT NOT NULL CHECK (unpriced >= 0),
  input_tokens BIGINT NOT NULL CHECK (input_tokens >= 0),
  output_tokens BIGINT NOT NULL CHECK (output_tokens >= 0),
  cache_read_tokens BIGINT NOT NULL CHECK (cache_read_tokens >= 0),
  cache_write_tokens BIGINT NOT NULL CHECK (cache_write_tokens >= 0),
  tool_calls BIGINT NOT NULL CHECK (tool_calls >= 0),
  cost_nano_usd BIGINT NOT NULL CHECK (cost_nano_usd >= 0),
  PRIMARY KEY (workspace_id, day, agent_id, team_id, task_id, user_id, role, provider, model, tool)
);

-- Derived: the same per month, for the question that is asked most, in a table that stays small.
CREATE TABLE costs_by_month (
  workspace_id TEXT NOT NULL,
  month TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  tool TEXT NOT NULL,
  charges BIGINT NOT NULL CHECK (charges >= 0),
  unpriced BIGINT NOT NULL CHECK (unpriced >= 0),
  input_tokens BIGINT NOT NULL CHECK (input_tokens >= 0),
  output_tokens BIGINT NOT NULL CHECK (output_tokens >= 0),
  cache_read_tokens BIGINT NOT NULL CHECK (cache_read_tokens >= 0),
  cache_write_tokens BIGINT NOT NULL CHECK (cache_write_tokens >= 0),
  tool_calls BIGINT NOT NULL CHECK (tool_calls >= 0),
  cost_nano_usd BIGINT NOT NULL CHECK (cost_nano_usd >= 0),
  PRIMARY KEY (workspace_id, month, agent_id, provider, tool)
);

-- The kill switch: an operator's order in force until it is lifted. A stop on the workspace names it as scope_id.
CREATE TABLE stops (
  id TEXT NOT NULL PRIMARY KEY,
  workspace_id TEXT NOT NULL,
  scope TEXT NOT NULL CHECK (scope IN ('session', 'agent', 'task', 'team', 'workspace')),
  scope_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  lifted_at BIGINT
);
CREATE INDEX stops_in_force ON stops (workspace_id, lifted_at);

-- Tasks added at run time, and the state of every task (also of those that astra.yml lists).
CREATE TABLE tasks (
  workspace_id TEXT NOT NULL,
  id TEXT NOT NULL,
  title TEXT NOT NULL,
  team_id TEXT,
  priority TEXT,
  task_type TEXT,
  tags TEXT NOT NULL,
  depends_on TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('open', 'done', 'cancelled')),
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
