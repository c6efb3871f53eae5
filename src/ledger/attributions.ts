// Attributions: whose a session's charges are, in numbers, so that a charge need not say it again.
import { sql } from "kysely";
import { ensureNames, numberOf } from "./names.ts";
import type { Session } from "./session-row.ts";
import { all, statement, type Work } from "./statement.ts";
import type { AttributionsTable, BooksTable } from "./tables.ts";

const insertBook = statement((db, args: { workspaceId: string }) =>
  db
    .insertInto("books")
    .values({ workspace_id: args.workspaceId, folded: 0n, unfolded_lines: 0n } as BooksTable)
    .onConflict((oc) => oc.column("workspace_id").doNothing()),
);

const insert = statement(
  (
    db,
    args: { id: string; workspaceId: string; agent: string; team: string; task: string; user: string; role: string },
  ) =>
    db.insertInto("attributions").values({
      session_no: numberOf(args.id),
      book_no: sql`(select no from books where workspace_id = ${args.workspaceId})`,
      agent_no: numberOf(args.agent),
      team_no: numberOf(args.team),
      task_no: numberOf(args.task),
      user_no: numberOf(args.user),
      role_no: numberOf(args.role),
    } as unknown as AttributionsTable),
);

/** Written once, with the session. */
export function* insertAttribution(session: Session): Work<void> {
  const { id, workspaceId, agentId, teamId, taskId, userId, role } = session;
  yield* ensureNames([id, agentId, teamId, taskId, userId, role]);
  yield* all(insertBook, { workspaceId });
  yield* all(insert, {
    id,
    workspaceId,
    agent: agentId,
    team: teamId ?? "",
    task: taskId ?? "",
    user: userId ?? "",
    role: role ?? "",
  });
}
