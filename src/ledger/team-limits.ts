// Team limits that were set at run time; astra.yml's hold where there is none.
import { all, statement, type Work } from "./statement.ts";
import type { TeamLimitName } from "./tables.ts";

/** Absent = not set here; null = set to no limit. Nano-dollars. */
export type TeamLimits = { readonly [Name in TeamLimitName]?: bigint | null };

const ofTeam = statement((db, args: { workspaceId: string; teamId: string }) =>
  db
    .selectFrom("team_limits")
    .select(["name", "amount_nano_usd"])
    .where("workspace_id", "=", args.workspaceId)
    .where("team_id", "=", args.teamId),
);

export function* findTeamLimits(workspaceId: string, teamId: string): Work<TeamLimits> {
  const rows = yield* all(ofTeam, { workspaceId, teamId });
  return Object.fromEntries(rows.map((row) => [row.name, row.amount_nano_usd]));
}

const put = statement(
  (db, args: { workspaceId: string; teamId: string; name: string; amount: bigint | null; at: bigint }) =>
    db
      .insertInto("team_limits")
      .values({
        workspace_id: args.workspaceId,
        team_id: args.teamId,
        name: args.name as TeamLimitName,
        amount_nano_usd: args.amount,
        updated_at: args.at,
      })
      .onConflict((oc) =>
        oc
          .columns(["workspace_id", "team_id", "name"])
          .doUpdateSet({ amount_nano_usd: args.amount, updated_at: args.at }),
      ),
);

export function* putTeamLimit(
  workspaceId: string,
  teamId: string,
  name: TeamLimitName,
  amount: bigint | null,
  atMs: number,
): Work<void> {
  yield* all(put, { workspaceId, teamId, name, amount, at: BigInt(atMs) });
}
