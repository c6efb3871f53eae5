// `astra-budget policy check|show`: an astra.yml's faults, and an agent's effective budget with its sources.
import { parseArgs } from "node:util";
import { loadPolicy } from "./config.ts";
import { BUDGET_FIELDS, type BudgetField } from "./core/budget.ts";
import { AstraError } from "./core/error.ts";
import {
  type BudgetSource,
  type EffectiveBudget,
  effectiveBudget,
  policyPermissions,
  roleNameOf,
} from "./core/inheritance.ts";
import { formatUsd } from "./core/money.ts";
import type { Policy } from "./core/policy.ts";
import { BUILT_IN_POLICY } from "./core/policy-resolve.ts";
import { table } from "./faces/table.ts";
import { budgetOut, budgetValueOut, clampOut } from "./operations/output.ts";
import { policyFile } from "./place.ts";

const HELP = `Use: astra-budget policy check FILE
     astra-budget policy show --agent ID [--role NAME] [--config FILE]

check names every fault of FILE with its line and column, and exits 2 if there is one.
show prints the effective budget of an agent and where each field came from.

Both take --json.`;

export async function policyCommand(argv: readonly string[], isJson: boolean): Promise<number> {
  const { values, positionals } = read(argv);
  const [, verb, file] = positionals;
  if (values.help || (verb !== "check" && verb !== "show") || (verb === "check" && file === undefined))
    return say(HELP, values.help ? 0 : 2);
  if (verb === "check") return check(file ?? "", isJson);
  if (values.agent === undefined)
    throw new AstraError("invalid_input", "--agent: expected the id of an agent.", "See astra-budget policy --help.");
  const source = policyFile(values.config);
  const policy = source === null ? BUILT_IN_POLICY : loadPolicy(source).policy;
  return show(policy, values.agent, values.role ?? null, isJson);
}

function read(argv: readonly string[]) {
  const options = {
    config: { type: "string" },
    agent: { type: "string" },
    role: { type: "string" },
    json: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  } as const;
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    throw new AstraError(
      "invalid_input",
      error instanceof Error ? error.message : String(error),
      "See astra-budget policy --help.",
    );
  }
}

function check(file: string, isJson: boolean): number {
  const { policy, notes } = loadPolicy(file);
  const counts = {
    agents: policy.agents.size,
    teams: policy.teams.size,
    tasks: policy.tasks.size,
    roles: policy.roles.size,
  };
  if (isJson) return say(JSON.stringify({ ok: true, ...counts, notes }));
  const summary = `${file} is valid: ${counts.agents} agents, ${counts.teams} teams, ${counts.tasks} tasks, ${counts.roles} roles.`;
  return say([summary, ...notes.map((note) => `note: ${note}`)].join("\n"));
}

const SOURCES: Record<BudgetSource, string> = {
  agent: "agent",
  role: "role",
  hard_cap: "hard cap",
  request: "request",
  parent: "parent",
};

function show(policy: Policy, agentId: string, askedRole: string | null, isJson: boolean): number {
  const role = roleNameOf(policy, agentId, askedRole);
  const effective = effectiveBudget(policy, agentId, role, {}, null);
  const { tools, memory } = policyPermissions(policy, agentId, role);
  const isListed = policy.agents.has(agentId);
  if (isJson) {
    const sources = Object.fromEntries(BUDGET_FIELDS.map((field) => [field, sourceOf(effective, field)]));
    return say(
      JSON.stringify({
        agent_id: agentId,
        listed: isListed,
        role,
        budget: budgetOut(effective.budget),
        sources,
        clamped: effective.clamped.map(clampOut),
        tools,
        memory,
      }),
    );
  }
  const rows = BUDGET_FIELDS.map((field) => ({
    field,
    value: valueText(field, effective.budget[field]),
    source: sourceOf(effective, field),
  }));
  const budget = table(
    rows,
    [
      { title: "field", align: "left", cell: (row) => row.field },
      { title: "value", align: "right", cell: (row) => row.value },
      { title: "from", align: "left", cell: (row) => row.source },
    ],
    "",
  );
  const who = `Agent ${agentId}${isListed ? "" : " (not listed in the policy)"}${role === null ? "" : `, role ${role}`}`;
  const allowed = tools.allow === null ? "all" : tools.allow.join(", ") || "none";
  const permissions = `tools: ${allowed}${tools.deny.length > 0 ? `, denied: ${tools.deny.join(", ")}` : ""}`;
  return say(`${who}\n\n${budget}\n\n${permissions}`);
}

/** "agent", or "hard cap (clamped from 1000)". */
function sourceOf(effective: EffectiveBudget, field: BudgetField): string {
  const clamp = effective.clamped.find((each) => each.field === field);
  return clamp
    ? `${SOURCES[effective.sources[field]]} (clamped from ${valueText(field, clamp.asked)})`
    : SOURCES[effective.sources[field]];
}

function valueText(field: BudgetField, value: bigint): string {
  if (field === "maxCostCents") return `${budgetValueOut(field, value)} (${formatUsd(value)})`;
  return field === "maxDuration" ? `${value} ms` : String(value);
}

function say(text: string, code = 0): number {
  process.stdout.write(`${text}\n`);
  return code;
}
