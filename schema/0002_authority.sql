-- Who may call and what operators change at run time: keys, grants, team limits, the audit of it all, and the
-- answers that a repeated request gets again.

CREATE INDEX sessions_by_deadline ON sessions (workspace_id, status, expires_at);

-- API keys. Only a SHA-256 of the secret is kept; the secret itself is shown once, when the key is made.
CREATE TABLE api_keys (
  id TEXT NOT NULL PRIMARY KEY,
  workspace_id TEXT NOT NULL,
  name TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('agent', 'viewer', 'operator', 'owner')),
  agent_id TEXT,
  secret_hash TEXT NOT NULL UNIQUE,
  secret_start TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  expires_at BIGINT,
  last_used_at BIGINT,
  revoked_at BIGINT,
  CHECK ((role = 'agent') = (agent_id IS NOT NULL))
);
CREATE INDEX api_keys_by_workspace ON api_keys (workspace_id, id);

-- A temporary increase of one limit. In force until `expires_at` or until it is revoked; `amount` is in the
-- measure's own unit (nano-dollars for cost_usd).
CREATE TABLE grants (
  id TEXT NOT NULL PRIMARY KEY,
  workspace_id TEXT NOT NULL,
  scope TEXT NOT NULL CHECK (scope IN ('session', 'task', 'agent', 'team', 'workspace')),
  scope_id TEXT NOT NULL,
  window_kind TEXT NOT NULL CHECK (window_kind IN ('session', 'hour', 'day', 'week', 'month', 'total')),
  measure TEXT NOT NULL CHECK (measure IN ('cost_usd', 'total_tokens', 'prompt_tokens', 'completion_tokens', 'tool_calls')),
  amount BIGINT NOT NULL CHECK (amount > 0),
  reason TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT
);
CREATE INDEX grants_in_force ON grants (workspace_id, revoked_at, expires_at);

-- A team's limits set at run time; they win over astra.yml. No row = astra.yml's; a row without an amount = no limit.
CREATE TABLE team_limits (
  workspace_id TEXT NOT NULL,
  team_id TEXT NOT NULL,
  name TEXT NOT NULL CHECK (name IN ('daily_cost', 'task_cost')),
  amount_nano_usd BIGINT CHECK (amount_nano_usd >= 0),
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, team_id, name)
);

-- Every change that an operator or owner made: never updated, never deleted. `hash` is the SHA-256 of the hash before
-- and this row, so that a row that is changed or taken out shows (`astra-budget audit verify`).
CREATE TABLE audit (
  workspace_id TEXT NOT NULL,
  seq BIGINT NOT NULL CHECK (seq > 0),
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  role TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  state_before TEXT NOT NULL,
  state_after TEXT NOT NULL,
  why TEXT,
  previous_hash TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (workspace_id, seq)
);

-- The newest row of each audit: the row that writers lock, and what shows that the end was cut off.
CREATE TABLE audit_heads (
  workspace_id TEXT NOT NULL PRIMARY KEY,
  seq BIGINT NOT NULL CHECK (seq >= 0),
  hash TEXT NOT NULL
);

-- The first answer under an idempotency key, for requests that leave no record with the key in it.
CREATE TABLE answers (
  workspace_id TEXT NOT NULL,
  caller TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  request TEXT NOT NULL,
  answer TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, caller, idempotency_key)
);
