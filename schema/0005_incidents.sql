-- What an operator should look at, who is told of it, and the little that is kept to notice it.

-- Raised once for its kind, scope and window. `evidence` is a JSON object of numbers, ids and instants; `message` is a
-- sentence of ours. No text that an agent sent is in either.
CREATE TABLE incidents (
  id TEXT NOT NULL PRIMARY KEY,
  workspace_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('task_red_flag', 'team_day_red_flag', 'token_spike', 'output_heavy', 'duplicate_work', 'outside_hours', 'cap_soon')),
  scope TEXT NOT NULL CHECK (scope IN ('session', 'task', 'agent', 'team', 'workspace')),
  scope_id TEXT NOT NULL,
  window_key TEXT NOT NULL,
  session_id TEXT,
  agent_id TEXT,
  team_id TEXT,
  task_id TEXT,
  message TEXT NOT NULL,
  evidence TEXT NOT NULL,
  stop_id TEXT,
  raised_at BIGINT NOT NULL,
  acknowledged_at BIGINT,
  acknowledged_by TEXT,
  note TEXT,
  UNIQUE (workspace_id, kind, scope, scope_id, window_key)
);
CREATE INDEX incidents_by_workspace ON incidents (workspace_id, id);

-- One message for each incident and webhook: written with the incident, delivered at least once, until it is
-- delivered, failed (too often) or dropped (astra.yml does not know the webhook any more). A sender leases a row
-- until `leased_until`; the lease of a dead one ends.
CREATE TABLE webhook_deliveries (
  id TEXT NOT NULL PRIMARY KEY,
  workspace_id TEXT NOT NULL,
  webhook_id TEXT NOT NULL,
  incident_id TEXT NOT NULL REFERENCES incidents (id),
  state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed', 'dropped')),
  attempts BIGINT NOT NULL CHECK (attempts >= 0),
  next_at BIGINT NOT NULL,
  leased_until BIGINT NOT NULL,
  last_result TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (incident_id, webhook_id)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (workspace_id, state, webhook_id, next_at);

-- The pace of an open session: tokens of the present minute and of the busiest before it, and how often its last
-- error came in a row (of which only a hash is kept). Gone when the session ends.
CREATE TABLE session_watch (
  session_id TEXT NOT NULL,
  minute_at BIGINT NOT NULL,
  reports BIGINT NOT NULL CHECK (reports >= 0),
  tokens BIGINT NOT NULL CHECK (tokens >= 0),
  peak_tokens BIGINT NOT NULL CHECK (peak_tokens >= 0),
  error_hash TEXT NOT NULL,
  error_times BIGINT NOT NULL CHECK (error_times >= 0),
  error_at BIGINT NOT NULL,
  PRIMARY KEY (session_id)
);

-- The past of each role ('' = none): how many sessions ended, and the sum of their busiest minutes.
CREATE TABLE role_pace (
  workspace_id TEXT NOT NULL,
  role TEXT NOT NULL,
  sessions BIGINT NOT NULL CHECK (sessions >= 0),
  peak_tokens BIGINT NOT NULL CHECK (peak_tokens >= 0),
  PRIMARY KEY (workspace_id, role)
);

-- What was spent of a shared cap at two earlier moments, for its pace. `resets_at` tells one window from the next.
CREATE TABLE cap_pace (
  workspace_id TEXT NOT NULL,
  scope TEXT NOT NULL CHECK (scope IN ('task', 'agent', 'team', 'workspace')),
  scope_id TEXT NOT NULL,
  window_kind TEXT NOT NULL,
  measure TEXT NOT NULL,
  resets_at BIGINT NOT NULL,
  older_at BIGINT NOT NULL,
  older_spent BIGINT NOT NULL,
  newer_at BIGINT NOT NULL,
  newer_spent BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, scope, scope_id, window_kind, measure)
);
