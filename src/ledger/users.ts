// Users: whoever a session was ever opened for, and whoever has a privacy account (sessions may be pruned).
import { type RawBuilder, sql } from "kysely";
import { findPrivacyAccount } from "./privacy.ts";
import { all, first, statement, type Work } from "./statement.ts";

/**
 * Users by their ids. There may be millions of sessions of a few users: from each user the index is asked for the next
 * one, instead of being read from end to end.
 */
const after = statement((db, args: { workspaceId: string; after: string; limit: bigint }) => {
  const nextAfter = (id: RawBuilder<unknown>) => sql`(
    select min(id) from (
      select min(s.user_id) as id from sessions s where s.workspace_id = ${args.workspaceId} and s.user_id > ${id}
      union all
      select min(a.user_id) from privacy_accounts a where a.workspace_id = ${args.workspaceId} and a.user_id > ${id}
    ) next_of)`;
  const query = sql<{ id: string }>`
    with recursive users (id) as (
      select ${nextAfter(sql`${args.after}`)}
      union all
      select ${nextAfter(sql`users.id`)} from users where users.id is not null
    )
    select id from users where id is not null limit ${args.limit}`;
  return { compile: () => query.compile(db) };
});

/** The users after an id ("" = from the first), in the order of their ids. */
export function* usersAfter(workspaceId: string, id: string, limit: number): Work<string[]> {
  return (yield* all(after, { workspaceId, after: id, limit: BigInt(limit) })).map((row) => row.id);
}

const session = statement((db, args: { workspaceId: string; userId: string }) =>
  db
    .selectFrom("sessions")
    .select("id")
    .where("workspace_id", "=", args.workspaceId)
    .where("user_id", "=", args.userId)
    .limit(1n),
);

export function* isUser(workspaceId: string, userId: string): Work<boolean> {
  if ((yield* first(session, { workspaceId, userId })) !== undefined) return true;
  return (yield* findPrivacyAccount(workspaceId, userId)).releases > 0;
}
