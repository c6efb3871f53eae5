// `astra-budget policy check|show`: an astra.yml's faults, and an agent's effective budget with its sources.
import { loadPolicy } from "./config.ts";
import { BUDGET_FIELDS, type BudgetField } from "./core/budget.ts";
import { CALLER_ID_RULE, callerId } from "./core/id.ts";
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
import { glance, readOptions, unexpectedWord, wrongArguments } from "./faces/options.ts";
import { counted, shownJson, shownText, table } from "./faces/table.ts";
import { unknownCommand } from "./faces/terminal-input.ts";
import { effectiveOut } from "./operations/get-policy.ts";
import { budgetValueOut } from "./operations/output.ts";
import { policyFile } from "./place.ts";

const HELP = `Use: astra-budget policy check FILE
     astra-budget policy show --agent ID [--role NAME] [--config FILE]

check names every fault of FILE with its line and column, and exits 2 if there is one.
show prints the effective budget of an agent and where each field came from.

  --agent ID     whose budget
  --role NAME    the role it would ask for; counts only if the policy does not list it
  --config FILE  the policy (ASTRA_CONFIG; else astra.yml in this folder, if there is one)
  --json         the whole answer for machines`;
const HINT = "See astra-budget policy --help.";

export async function policyCommand(argv: readonly string[], isHelp: boolean, isJson: boolean): Promise<number> {
  const [, verb] = glance(argv).words;
  if (isHelp) return say(HELP);
  if (verb === "check") return check(checkedFile(argv), isJson);
  if (verb !== "show")
    throw unknownCommand(["policy", ...(verb === undefined ? [] : [verb])], ["policy check", "policy show"]);
  const { values, words } = readOptions(argv, { agent: "text", role: "text" }, HINT);
  if (words[2] !== undefined) throw unexpectedWord(words[2], HINT);
  const source = policyFile(values.config as string | undefined);
  const policy = source === null ? BUILT_IN_POLICY : loadPolicy(source).policy;
  return show(
    policy,
    idOf("--agent", values.agent),
    values.role === undefined ? null : idOf("--role", values.role),
    isJson,
  );
}

function checkedFile(argv: readonly string[]): string {
  const [, , file, more] = readOptions(argv, {}, HINT).words;
  if (file === undefined) throw wrongArguments([{ path: "", message: "expected the FILE to check" }], HINT);
  if (more !== undefined) throw unexpectedWord(more, HINT);
  return file;
}

function idOf(option: string, value: unknown): string {
  const parsed = callerId.safeParse(value);
  if (!parsed.success) throw wrongArguments([{ path: option, message: `expected an id: ${CALLER_ID_RULE}` }], HINT);
  return parsed.data;
}

function check(file: string, isJson: boolean): number {
  const { policy, notes } = loadPolicy(file);
  const counts = {
    agents: policy.agents.size,
    teams: policy.teams.size,
    tasks: policy.tasks.size,
    roles: policy.roles.size,
  };
  if (isJson) return say(shownJson({ ok: true, ...counts, notes }));
  const summary = `${file} is valid: ${counted(counts.agents, "agent")}, ${counted(counts.teams, "team")}, ${counted(counts.tasks, "task")}, ${counted(counts.roles, "role")}.`;
  return say([summary, ...notes.map((note) => `note: ${note}`)].map(shownText).join("\n"));
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
  if (isJson) return say(shownJson({ listed: isListed, ...effectiveOut(policy, agentId, role) }));
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
  const forgone = Object.keys(memory).filter((name) => memory[name] === false);
  const memories = `memory: all${forgone.length > 0 ? `, denied: ${forgone.join(", ")}` : ""}`;
  return say(`${who}\n\n${budget}\n\n${shownText(permissions)}\n${shownText(memories)}`);
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
