-- Meters: who found out what a charge says, what is known of each response of a model, and how far each file was read.

-- Who found out the usage: 0 self_reported, 1 telemetry, 2 transcript, 3 gateway. A correction has that of what it corrects.
ALTER TABLE charge_rows ADD COLUMN meter BIGINT NOT NULL DEFAULT 0 CHECK (meter BETWEEN 0 AND 3);
-- The part of the cost that a meter found out; the rest is only self-reported.
ALTER TABLE cost_cells ADD COLUMN metered_nano_usd BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cost_sums ADD COLUMN metered_nano_usd BIGINT NOT NULL DEFAULT 0;

-- One response of a model, by 64 bits of the SHA-256 of its id: the account of it that is booked, whoever gave it.
CREATE TABLE metered_responses (
  book_no BIGINT NOT NULL,
  response_hash BIGINT NOT NULL,
  session_no BIGINT NOT NULL,
  -- The charge that carries its cost (what it replaced was taken back), by its number in the session.
  charge_no BIGINT NOT NULL,
  meter BIGINT NOT NULL CHECK (meter BETWEEN 0 AND 3),
  input_tokens BIGINT NOT NULL,
  output_tokens BIGINT NOT NULL,
  cache_read_tokens BIGINT NOT NULL,
  cache_write_tokens BIGINT NOT NULL,
  cache_write_1h_tokens BIGINT NOT NULL,
  web_searches BIGINT NOT NULL,
  tool_calls BIGINT NOT NULL,
  cost_nano_usd BIGINT NOT NULL,
  PRIMARY KEY (book_no, response_hash)
);

-- A client's thread (a conversation, or a sub-agent in it) and the session that its usage is booked to.
CREATE TABLE meter_threads (
  workspace_id TEXT NOT NULL,
  client TEXT NOT NULL,
  thread_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  -- Since when (epoch ms) its usage counts in the session: what was used before is past.
  since BIGINT NOT NULL,
  -- The limits whose warning its model has been given, a line each.
  warned TEXT NOT NULL,
  PRIMARY KEY (workspace_id, client, thread_id)
);

-- How many bytes of a client's file are booked: a meter reads on from there.
CREATE TABLE meter_files (
  workspace_id TEXT NOT NULL,
  path TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  read_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, path)
);
CREATE INDEX meter_files_by_time ON meter_files (workspace_id, read_at);

-- The views of 0003_costs.sql again, now with who found out.
DROP VIEW costs_by_day;
DROP VIEW charge_tools;
DROP VIEW charges;
DROP VIEW cost_lines;
DROP VIEW charge_lines;

-- Charges as lines that can be summed (a correction is no further charge, a reversal takes one back): each charge on its own tool ('' = the model call itself), then each listed tool,
-- whose part is taken off the charge's line.
CREATE VIEW charge_lines (seq, session_no, day, provider_no, model_no, tool_no, charges, unpriced, approximate, late, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, tool_calls, cost_nano_usd, metered_nano_usd) AS
  SELECT seq, session_no, hour / 100, provider_no, model_no, tool_no, CASE source WHEN 2 THEN -1 WHEN 3 THEN 0 ELSE 1 END,
    CASE cost_source WHEN 5 THEN 1 ELSE 0 END - CASE replaces WHEN 5 THEN 1 ELSE 0 END,
    CASE WHEN cost_source IN (3, 4, 6) THEN CASE source WHEN 2 THEN -1 ELSE 1 END ELSE 0 END
      - CASE WHEN replaces IN (3, 4, 6) THEN 1 ELSE 0 END,
    late, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, tool_calls, cost_nano_usd,
    CASE meter WHEN 0 THEN 0 ELSE cost_nano_usd END
  FROM charge_rows
  UNION ALL
  SELECT t.seq, c.session_no, c.hour / 100, c.provider_no, c.model_no, t.tool_no, 0, 0, 0, 0, 0, 0, 0, 0, t.calls, t.cost_nano_usd,
    CASE c.meter WHEN 0 THEN 0 ELSE t.cost_nano_usd END
  FROM charge_tool_rows t JOIN charge_rows c ON c.seq = t.seq
  UNION ALL
  SELECT t.seq, c.session_no, c.hour / 100, c.provider_no, c.model_no, c.tool_no, 0, 0, 0, 0, 0, 0, 0, 0, -t.calls, -t.cost_nano_usd,
    CASE c.meter WHEN 0 THEN 0 ELSE -t.cost_nano_usd END
  FROM charge_tool_rows t JOIN charge_rows c ON c.seq = t.seq;

-- The same with whose they are, as the cells have it.
CREATE VIEW cost_lines AS
  SELECT l.seq, l.session_no, a.book_no, l.day, a.agent_no, a.team_no, a.task_no, a.user_no, a.role_no, l.provider_no, l.model_no, l.tool_no,
    l.charges, l.unpriced, l.approximate, l.late, l.input_tokens, l.output_tokens, l.cache_read_tokens, l.cache_write_tokens, l.tool_calls, l.cost_nano_usd, l.metered_nano_usd
  FROM charge_lines l JOIN attributions a ON a.session_no = l.session_no;

-- What to read by hand. A charge's id is its session's first half and its number there.
CREATE VIEW charges AS
  SELECT 'chg_' || substr(sn.name, 5, 16) || '-' || CAST(c.no AS TEXT) AS id, b.workspace_id, sn.name AS session_id,
    an.name AS agent_id, nullif(rn.name, '') AS role, nullif(ten.name, '') AS team_id, nullif(tan.name, '') AS task_id,
    nullif(un.name, '') AS user_id, nullif(mn.name, '') AS model, nullif(pn.name, '') AS provider,
    nullif(tn.name, '') AS tool, c.occurred_at, c.occurred_at + c.recorded_after AS recorded_at,
    substr(CAST(c.hour AS TEXT), 1, 4) || '-' || substr(CAST(c.hour AS TEXT), 5, 2) || '-' || substr(CAST(c.hour AS TEXT), 7, 2)
      || 'T' || substr(CAST(c.hour AS TEXT), 9, 2) AS hour,
    c.input_tokens, c.output_tokens, c.cache_read_tokens, c.cache_write_tokens, c.cache_write_1h_tokens, c.tool_calls,
    c.cost_nano_usd, c.reported_nano_usd, c.priced_nano_usd,
    CASE c.cost_source WHEN 0 THEN 'reported' WHEN 1 THEN 'exact' WHEN 2 THEN 'override' WHEN 3 THEN 'approximate'
      WHEN 4 THEN 'worst_known' WHEN 5 THEN 'unpriced' WHEN 6 THEN 'estimate' ELSE 'corrected' END AS cost_source,
    nullif(ln.name, '') AS price_list,
    CASE c.source WHEN 0 THEN CASE c.meter WHEN 0 THEN 'self_reported' WHEN 1 THEN 'telemetry' WHEN 2 THEN 'transcript' ELSE 'gateway' END
      WHEN 1 THEN 'unconfirmed' WHEN 2 THEN 'reversal' WHEN 3 THEN 'correction'
      ELSE 'imported' END AS source,
    CASE c.meter WHEN 1 THEN 'telemetry' WHEN 2 THEN 'transcript' WHEN 3 THEN 'gateway' END AS metered_by,
    c.late, c.latency_ms, c.error, c.hold_id, c.seq, c.no, c.corrects_no
  FROM charge_rows c JOIN attributions a ON a.session_no = c.session_no JOIN books b ON b.no = a.book_no
    JOIN names sn ON sn.no = c.session_no JOIN names an ON an.no = a.agent_no JOIN names rn ON rn.no = a.role_no
    JOIN names ten ON ten.no = a.team_no JOIN names tan ON tan.no = a.task_no JOIN names un ON un.no = a.user_no
    JOIN names mn ON mn.no = c.model_no JOIN names pn ON pn.no = c.provider_no JOIN names tn ON tn.no = c.tool_no
    JOIN names ln ON ln.no = c.price_list_no;

CREATE VIEW charge_tools AS
  SELECT c.id AS charge_id, n.name AS tool, t.calls, t.cost_nano_usd
  FROM charge_tool_rows t JOIN charges c ON c.seq = t.seq JOIN names n ON n.no = t.tool_no;

CREATE VIEW costs_by_day AS
  SELECT b.workspace_id,
    substr(CAST(l.day AS TEXT), 1, 4) || '-' || substr(CAST(l.day AS TEXT), 5, 2) || '-' || substr(CAST(l.day AS TEXT), 7, 2) AS day,
    an.name AS agent_id, ten.name AS team_id, tan.name AS task_id, un.name AS user_id, rn.name AS role,
    pn.name AS provider, mn.name AS model, tn.name AS tool,
    sum(l.charges) AS charges, sum(l.unpriced) AS unpriced, sum(l.approximate) AS approximate, sum(l.late) AS late, sum(l.input_tokens) AS input_tokens, sum(l.output_tokens) AS output_tokens, sum(l.cache_read_tokens) AS cache_read_tokens, sum(l.cache_write_tokens) AS cache_write_tokens, sum(l.tool_calls) AS tool_calls, sum(l.cost_nano_usd) AS cost_nano_usd, sum(l.metered_nano_usd) AS metered_nano_usd
  FROM (
    SELECT book_no, day, agent_no, team_no, task_no, user_no, role_no, provider_no, model_no, tool_no,
      charges, unpriced, approximate, late, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, tool_calls, cost_nano_usd, metered_nano_usd
    FROM cost_cells
    UNION ALL
    SELECT u.book_no, u.day, u.agent_no, u.team_no, u.task_no, u.user_no, u.role_no, u.provider_no, u.model_no, u.tool_no,
      u.charges, u.unpriced, u.approximate, u.late, u.input_tokens, u.output_tokens, u.cache_read_tokens, u.cache_write_tokens, u.tool_calls, u.cost_nano_usd, u.metered_nano_usd
    FROM cost_lines u JOIN books ON books.no = u.book_no WHERE u.seq > u.book_no * 1099511627776 + books.folded
  ) AS l JOIN books b ON b.no = l.book_no JOIN names an ON an.no = l.agent_no JOIN names ten ON ten.no = l.team_no
    JOIN names tan ON tan.no = l.task_no JOIN names un ON un.no = l.user_no JOIN names rn ON rn.no = l.role_no
    JOIN names pn ON pn.no = l.provider_no JOIN names mn ON mn.no = l.model_no JOIN names tn ON tn.no = l.tool_no
  GROUP BY b.workspace_id, l.day, an.name, ten.name, tan.name, un.name, rn.name, pn.name, mn.name, tn.name;

