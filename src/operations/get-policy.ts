// get_policy: the policy in force as its reader may see it; an agent that is pinned sees its own part only.
import { z } from "zod";
import { BUDGET_FIELDS } from "../core/budget.ts";
import { effectiveBudget, policyPermissions, roleNameOf } from "../core/inheritance.ts";
import type { Policy } from "../core/policy.ts";
import type { Work } from "../ledger/statement.ts";
import { WIRE_FIELDS } from "./input.ts";
import { defineOperation, type PolicyFile, pinOf } from "./operation.ts";
import { budgetOut, clampOut, instantOut, usdOf } from "./output.ts";
import { teamInForce } from "./team.ts";

const output = z.looseObject({
  workspace_id: z.string(),
  timezone: z.string(),
  hard_caps: z.looseObject({}),
  agents: z.array(z.looseObject({})),
  teams: z.array(z.looseObject({})),
  file: z
    .looseObject({
      name: z.string(),
      in_force_since: z.string(),
      faults: z.array(
        z.looseObject({
          line: z.number().nullable(),
          column: z.number().nullable(),
          path: z.string(),
          message: z.string(),
        }),
      ),
      notes: z.array(z.string()),
    })
    .nullable()
    .optional(),
});

export const getPolicy = defineOperation({
  name: "get_policy",
  title: "Get the effective policy",
  description:
    "The policy in force: hard caps, and for each agent its effective budget with the source of each field, its permissions and its daily limits. Operators are also told what is wrong with the policy's file, if it was changed to one that cannot take effect.",
  input: z.strictObject({}),
  output,
  access: "anyone",
  effect: "read",
  run: ({ policy, policyFile, ledger }, principal) =>
    ledger.read(function* () {
      const answer = yield* policyOut(policy, pinOf(principal));
      const maySeeFile = principal.kind === "operator" || principal.kind === "owner";
      return maySeeFile ? { ...answer, file: policyFile ? fileOut(policyFile()) : null } : answer;
    }),
});

function fileOut({ name, inForceSince, faults, notes }: PolicyFile) {
  return { name, in_force_since: instantOut(inForceSince), faults: [...faults], notes: [...notes] };
}

/** `pin`: the only agent whose part is shown; null = all. */
function* policyOut(policy: Policy, pin: string | null): Work<z.input<typeof output>> {
  const agents = pin === null ? [...policy.agents.keys()] : [pin];
  const teams = [];
  for (const id of policy.teams.keys()) {
    const team = pin === null || policy.agents.get(pin)?.team === id ? yield* teamInForce(policy, id) : null;
    if (team) teams.push(team);
  }
  return {
    workspace_id: policy.workspace.id,
    timezone: policy.workspace.timezone,
    daily_cost_limit_usd: usdOf(policy.workspace.dailyCostLimit),
    monthly_cost_limit_usd: usdOf(policy.workspace.monthlyCostLimit),
    hard_caps: budgetOut(policy.hardCaps),
    unknown_model: policy.unknownModel,
    unknown_agents: policy.unknownAgents,
    warn_at: Number(policy.warnAtPpm) / 1_000_000,
    on_hold_expiry: policy.onHoldExpiry,
    on_meter_failure: policy.onMeterFailure,
    claude_code: policy.claudeCode,
    agents: agents.map((id) => agentOut(policy, id)),
    teams: teams.map((team) => ({
      team_id: team.id,
      daily_cost_limit_usd: usdOf(team.dailyCostLimit),
      task_cost_limit_usd: usdOf(team.taskCostLimit),
    })),
  };
}

function agentOut(policy: Policy, id: string): Record<string, unknown> {
  const agent = policy.agents.get(id);
  const count = (value: bigint | null | undefined) => (value === null || value === undefined ? null : Number(value));
  return {
    ...effectiveOut(policy, id, roleNameOf(policy, id, null)),
    team_id: agent?.team ?? null,
    daily_cost_limit_usd: usdOf(agent?.dailyCostLimit),
    quotas: {
      tokens_per_hour: count(agent?.quotas.tokensPerHour),
      tokens_per_day: count(agent?.quotas.tokensPerDay),
      cost_per_day_usd: usdOf(agent?.quotas.costPerDay),
      max_concurrent_children: count(agent?.quotas.concurrentChildren),
    },
  };
}

/** What a session of an agent in a role gets from the policy, and where each field comes from. */
export function effectiveOut(policy: Policy, agentId: string, role: string | null) {
  const { budget, sources, clamped } = effectiveBudget(policy, agentId, role, {}, null);
  return {
    agent_id: agentId,
    role,
    budget: budgetOut(budget),
    sources: Object.fromEntries(BUDGET_FIELDS.map((field) => [WIRE_FIELDS[field], sources[field]])),
    clamped: clamped.map(clampOut),
    ...policyPermissions(policy, agentId, role),
  };
}
