-- The privacy budget: what was released about each user to those who may not know it exactly, and what it cost.

CREATE INDEX sessions_by_user ON sessions (workspace_id, user_id);

-- All that was ever told about a user, in nano-epsilon (Laplace) and nano-rho (Gaussian): sums over their releases that
-- only grow. What counts against the total is what no reset forgave. Also the rows that are locked.
CREATE TABLE privacy_accounts (
  workspace_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  epsilon_nano BIGINT NOT NULL CHECK (epsilon_nano >= 0),
  rho_nano BIGINT NOT NULL CHECK (rho_nano >= 0),
  releases BIGINT NOT NULL CHECK (releases >= 0),
  forgiven_epsilon_nano BIGINT NOT NULL CHECK (forgiven_epsilon_nano BETWEEN 0 AND epsilon_nano),
  forgiven_rho_nano BIGINT NOT NULL CHECK (forgiven_rho_nano BETWEEN 0 AND rho_nano),
  resets BIGINT NOT NULL CHECK (resets >= 0),
  reset_at BIGINT,
  PRIMARY KEY (workspace_id, user_id)
);

-- One number about one user, as it was told: never updated, never deleted. The same question about the same days with
-- the same noise is answered from here and costs nothing again. `bound` and `value` are in the measure's own unit
-- (nano-dollars, or a count); `value` has its noise in it and may be negative.
CREATE TABLE privacy_releases (
  workspace_id TEXT NOT NULL,
  question TEXT NOT NULL,
  user_id TEXT NOT NULL,
  measure TEXT NOT NULL,
  mechanism TEXT NOT NULL CHECK (mechanism IN ('laplace', 'gaussian')),
  epsilon_nano BIGINT NOT NULL CHECK (epsilon_nano >= 0),
  rho_nano BIGINT NOT NULL CHECK (rho_nano >= 0),
  bound BIGINT NOT NULL CHECK (bound > 0),
  value BIGINT NOT NULL,
  released_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, question, user_id, measure, mechanism, epsilon_nano, rho_nano, bound)
);
