-- Swarms: sessions below others by their root, with all that a list of swarms says of them.
CREATE INDEX sessions_in_swarms ON sessions (workspace_id, root_session_id, depth, status, expires_at)
  WHERE parent_session_id IS NOT NULL;
