// SQLite has no statistics of our tables: that questions of executions and of what happens now find their index is tested, not hoped for.
import { expect, test } from "vitest";
import { openSqlite } from "../../src/ledger/sqlite.ts";
import { raw } from "./engines.ts";

test.each([
  [
    "an agent's page of the log",
    `select * from execution_log where workspace_id = 'w' and agent_id = 'a' and ended_at >= 0 and ended_at < 9
      and ended_at <= 9 and (ended_at < 9 or session_id < 'x') order by ended_at desc, session_id desc limit 9`,
    /USING INDEX executions_by_agent \(workspace_id=\? AND agent_id=\? AND ended_at>\? AND ended_at<\?\)$/,
  ],
  [
    "a page of the log",
    `select * from execution_log where workspace_id = 'w' and ended_at >= 0 and ended_at < 9
      and ended_at <= 9 and (ended_at < 9 or session_id < 'x') order by ended_at desc, session_id desc limit 9`,
    /USING INDEX executions_by_end \(workspace_id=\? AND ended_at>\? AND ended_at<\?\)$/,
  ],
  [
    "an agent's hours",
    `select ended_hour, count(*) from execution_log where workspace_id = 'w' and agent_id = 'a' and ended_at >= 0
      and ended_at < 9 group by ended_hour`,
    /USING INDEX executions_by_agent \(workspace_id=\? AND agent_id=\? AND ended_at>\? AND ended_at<\?\)\n/,
  ],
  [
    "the role ledger",
    "select * from role_ledger where workspace_id = 'w'",
    /USING COVERING INDEX executions_by_user_role/,
  ],
  [
    "the user role ledger",
    "select * from user_role_ledger where workspace_id = 'w' and user_id = 'u'",
    /USING COVERING INDEX executions_by_user_role/,
  ],
  [
    "what is overdue",
    "select id from sessions where workspace_id = 'w' and status = 'open' and expires_at <= 9 limit 1",
    /USING (COVERING )?INDEX sessions_by_deadline \(workspace_id=\? AND status=\? AND expires_at<\?\)$/,
  ],
  [
    "the newest sessions that can spend",
    `select * from sessions where workspace_id = 'w' and status = 'open' and expires_at > 9
      order by opened_at desc, id desc limit 50`,
    /USING INDEX sessions_by_deadline \(workspace_id=\? AND status=\? AND expires_at>\?\)\n/,
  ],
  [
    "the newest charges of a book",
    "select seq from charge_rows where seq > 5 and seq <= 9 order by seq desc limit 100",
    /USING INTEGER PRIMARY KEY \(rowid>\? AND rowid<\?\)$/,
  ],
] as const)("%s", async (_, query, plan) => {
  const ledger = await openSqlite(":memory:");
  const steps = await ledger.read(() => raw<{ detail: string }>(`explain query plan ${query}`));
  await ledger.close();
  expect(steps.map((step) => step.detail).join("\n")).toMatch(plan);
});
