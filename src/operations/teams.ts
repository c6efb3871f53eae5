// Team settings: what a team may spend, read and changed at run time (Cost Control, "Team-level daily cap").
import { z } from "zod";
import { AstraError } from "../core/error.ts";
import { callerId } from "../core/id.ts";
import type { TeamPolicy } from "../core/policy.ts";
import type { Work } from "../ledger/statement.ts";
import { putTeamLimit } from "../ledger/team-limits.ts";
import { recordChange } from "./audit.ts";
import { once } from "./idempotency.ts";
import { idempotencyKey, usdLimit, why } from "./input.ts";
import { actorOf, type Context, defineOperation } from "./operation.ts";
import { usdOf, usdOrNull } from "./output.ts";
import { teamInForce } from "./team.ts";

const output = z.looseObject({
  team_id: z.string(),
  daily_cost_limit_usd: usdOrNull,
  task_cost_limit_usd: usdOrNull,
});

export const getTeam = defineOperation({
  name: "get_team",
  title: "Get a team's settings",
  description: "What a team may spend in a day and on each task; null = no limit.",
  input: z.strictObject({ team_id: callerId }),
  output,
  access: "viewer",
  effect: "read",
  run: (context, _principal, args) =>
    context.ledger.read(function* () {
      return teamOut(yield* listedTeam(context, args.team_id));
    }),
});

export const setTeamLimits = defineOperation({
  name: "set_team_limits",
  title: "Set a team's limits",
  description:
    "Sets what a team may spend in a day and on each task; null takes the limit away, an absent field stays as it is. It wins over astra.yml and holds at once, for open sessions too.",
  input: z.strictObject({
    team_id: callerId,
    daily_cost_limit_usd: usdLimit.nullable().optional(),
    task_cost_limit_usd: usdLimit.nullable().optional(),
    reason: why,
    idempotency_key: idempotencyKey.optional(),
  }),
  output,
  access: "operator",
  effect: "idempotent",
  run: (context, principal, args) =>
    context.ledger.write(() =>
      once(context, actorOf(principal), "set_team_limits", args, function* () {
        const before = teamOut(yield* listedTeam(context, args.team_id));
        if (args.daily_cost_limit_usd === undefined && args.task_cost_limit_usd === undefined) return before;
        const set = { daily_cost: args.daily_cost_limit_usd, task_cost: args.task_cost_limit_usd };
        for (const [name, amount] of Object.entries(set) as [keyof typeof set, bigint | null | undefined][]) {
          if (amount !== undefined)
            yield* putTeamLimit(context.policy.workspace.id, args.team_id, name, amount, context.now());
        }
        const after = teamOut(yield* listedTeam(context, args.team_id));
        const target = `team ${args.team_id}`;
        yield* recordChange(context, principal, { action: "set_team_limits", target, before, after, why: args.reason });
        return after;
      }),
    ),
});

function* listedTeam(context: Context, id: string): Work<TeamPolicy> {
  const team = yield* teamInForce(context.policy, id);
  if (!team) throw teamNotFound();
  return team;
}

export function teamNotFound(): AstraError {
  return new AstraError("team_not_found", "There is no such team.", "Teams are listed under teams: in astra.yml.");
}

function teamOut(team: TeamPolicy): z.input<typeof output> {
  return {
    team_id: team.id,
    daily_cost_limit_usd: usdOf(team.dailyCostLimit),
    task_cost_limit_usd: usdOf(team.taskCostLimit),
  };
}
