-- Executions: every session that has ended, what it came to, and the ledgers and sums over them.

-- Set once, when a session ends. `outcome` is finer than `status`: `over_budget` was ended as a success with a limit of
-- its own used up, `expired` was never ended and was closed long after its deadline. `ended_hour` is the local hour of
-- the end, as a charge's `hour`; the limit is that of the frozen budget. Both are null for what ended before they were.
ALTER TABLE sessions ADD COLUMN outcome TEXT
  CHECK (outcome IN ('success', 'error', 'cancelled', 'over_budget', 'expired'));
ALTER TABLE sessions ADD COLUMN ended_hour TEXT;
ALTER TABLE sessions ADD COLUMN cost_limit_nano_usd BIGINT CHECK (cost_limit_nano_usd >= 0);
UPDATE sessions SET outcome = status WHERE status <> 'open';
-- In this order: SQLite, which has no statistics, takes the first of two that look alike to it.
CREATE INDEX executions_by_agent ON sessions (workspace_id, agent_id, ended_at, id) WHERE ended_at IS NOT NULL;
CREATE INDEX executions_by_end ON sessions (workspace_id, ended_at, id) WHERE ended_at IS NOT NULL;
-- Has all that the two role ledgers look at, an eighth of what a session takes.
CREATE INDEX executions_by_user_role ON sessions (workspace_id, user_id, role, opened_at, ended_at, expires_at, outcome,
  cost_nano_usd, cost_limit_nano_usd, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, tool_calls,
  errors) WHERE ended_at IS NOT NULL;

-- One row per execution. `score_ppm` in millionths: 0 unless it succeeded; else 600,000, and up to 250,000 for what was
-- left of its cost limit (half of that where the limit is not known) and 150,000 for what was left of its time.
-- `scale` keeps the products within 64 bits; it is 1 for limits below $10,000.
CREATE VIEW execution_log AS
SELECT workspace_id, session_id, agent_id, role, team_id, task_id, user_id, model, provider, started_at, ended_at,
  ended_hour, latency_ms, time_limit_ms, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, tool_calls,
  charges, errors, cost_nano_usd, cost_limit_nano_usd, outcome, error,
  CASE WHEN outcome <> 'success' THEN 0 ELSE 600000
    + CASE
        WHEN cost_limit_nano_usd IS NULL THEN 125000
        WHEN cost_nano_usd = 0 THEN 250000
        WHEN cost_nano_usd >= cost_limit_nano_usd THEN 0
        ELSE 250000 - 250000 * (cost_nano_usd / scale) / (cost_limit_nano_usd / scale)
      END
    + CASE
        WHEN latency_ms = 0 THEN 150000
        WHEN latency_ms >= time_limit_ms THEN 0
        ELSE 150000 - 150000 * latency_ms / time_limit_ms
      END
  END AS score_ppm
FROM (
  SELECT workspace_id, id AS session_id, agent_id, role, team_id, task_id, user_id, model, provider,
    opened_at AS started_at, ended_at, ended_hour,
    CASE WHEN ended_at > opened_at THEN ended_at - opened_at ELSE 0 END AS latency_ms,
    expires_at - opened_at AS time_limit_ms,
    input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, tool_calls, charges, errors,
    cost_nano_usd, cost_limit_nano_usd, cost_limit_nano_usd / 10000000000000 + 1 AS scale, outcome, error
  FROM sessions WHERE ended_at IS NOT NULL
) ended;

-- Executions per user and role over all time ('' = none). Rates and fitness are in millionths. The latency that half
-- (95 %) of them stayed within is that of one of them: the nearest rank. Fitness is the mean score, as if two more
-- executions had scored one half.
CREATE VIEW user_role_ledger AS
SELECT workspace_id, user_id, role,
  count(*) AS executions,
  CAST(sum(success) AS BIGINT) AS successes,
  CAST(sum(success) AS BIGINT) * 1000000 / count(*) AS success_rate_ppm,
  CAST(sum(latency_ms) AS BIGINT) / count(*) AS latency_mean_ms,
  min(CASE WHEN share >= 0.5 THEN latency_ms END) AS latency_p50_ms,
  min(CASE WHEN share >= 0.95 THEN latency_ms END) AS latency_p95_ms,
  CAST(sum(input_tokens) AS BIGINT) AS input_tokens,
  CAST(sum(output_tokens) AS BIGINT) AS output_tokens,
  CAST(sum(cache_read_tokens) AS BIGINT) AS cache_read_tokens,
  CAST(sum(cache_write_tokens) AS BIGINT) AS cache_write_tokens,
  CAST(sum(tool_calls) AS BIGINT) AS tool_calls,
  CAST(sum(errors) AS BIGINT) AS errors,
  CAST(sum(cost_nano_usd) AS BIGINT) AS cost_nano_usd,
  (CAST(sum(score_ppm) AS BIGINT) + 1000000) / (count(*) + 2) AS fitness_ppm
FROM (
  SELECT workspace_id, coalesce(user_id, '') AS user_id, coalesce(role, '') AS role, latency_ms, input_tokens,
    output_tokens, cache_read_tokens, cache_write_tokens, tool_calls, errors, cost_nano_usd, score_ppm,
    CASE WHEN outcome = 'success' THEN 1 ELSE 0 END AS success,
    cume_dist() OVER (PARTITION BY workspace_id, coalesce(user_id, ''), coalesce(role, '') ORDER BY latency_ms) AS share
  FROM execution_log
) ranked
GROUP BY workspace_id, user_id, role;

-- The same per role, over all users.
CREATE VIEW role_ledger AS
SELECT workspace_id, role,
  count(*) AS executions,
  CAST(sum(success) AS BIGINT) AS successes,
  CAST(sum(success) AS BIGINT) * 1000000 / count(*) AS success_rate_ppm,
  CAST(sum(latency_ms) AS BIGINT) / count(*) AS latency_mean_ms,
  min(CASE WHEN share >= 0.5 THEN latency_ms END) AS latency_p50_ms,
  min(CASE WHEN share >= 0.95 THEN latency_ms END) AS latency_p95_ms,
  CAST(sum(input_tokens) AS BIGINT) AS input_tokens,
  CAST(sum(output_tokens) AS BIGINT) AS output_tokens,
  CAST(sum(cache_read_tokens) AS BIGINT) AS cache_read_tokens,
  CAST(sum(cache_write_tokens) AS BIGINT) AS cache_write_tokens,
  CAST(sum(tool_calls) AS BIGINT) AS tool_calls,
  CAST(sum(errors) AS BIGINT) AS errors,
  CAST(sum(cost_nano_usd) AS BIGINT) AS cost_nano_usd,
  (CAST(sum(score_ppm) AS BIGINT) + 1000000) / (count(*) + 2) AS fitness_ppm
FROM (
  SELECT workspace_id, coalesce(role, '') AS role, latency_ms, input_tokens, output_tokens, cache_read_tokens,
    cache_write_tokens, tool_calls, errors, cost_nano_usd, score_ppm,
    CASE WHEN outcome = 'success' THEN 1 ELSE 0 END AS success,
    cume_dist() OVER (PARTITION BY workspace_id, coalesce(role, '') ORDER BY latency_ms) AS share
  FROM execution_log
) ranked
GROUP BY workspace_id, role;

-- Derived: executions per calendar window of their end and agent, so that a ranking reads one row an agent.
-- What ended before `ended_hour` was kept is not in it.
CREATE TABLE executions_by_window (
  workspace_id TEXT NOT NULL,
  window_kind TEXT NOT NULL CHECK (window_kind IN ('day', 'week', 'month')),
  window_key TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  executions BIGINT NOT NULL CHECK (executions >= 0),
  successes BIGINT NOT NULL CHECK (successes BETWEEN 0 AND executions),
  latency_ms BIGINT NOT NULL CHECK (latency_ms >= 0),
  score_ppm BIGINT NOT NULL CHECK (score_ppm BETWEEN 0 AND executions * 1000000),
  PRIMARY KEY (workspace_id, window_kind, window_key, agent_id)
);
