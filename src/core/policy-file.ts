// The shape of astra.yml: one strict zod object that validates it, types it and generates its JSON Schema.
import { z } from "zod";
import type { BudgetField } from "./budget.ts";
import { callerId } from "./id.ts";
import * as field from "./policy-field.ts";
import { privacy } from "./policy-privacy.ts";
import { taskTags, taskTitle } from "./task-tag.ts";
import { guidelinesFile, hoursFile, incidentsFile, webhooksFile } from "./watch-policy-file.ts";
import { isTimeZone } from "./window.ts";

const { children, durationMs, listOf, mapFrom, mapping, oneOf, tokens, usd, usdLimit } = field;

/** Open Astra, "Budget caps" and "System hard caps"; every field optional: what is absent falls to the next level. */
const budgetShape = {
  maxPromptTokens: tokens.optional().describe("Input tokens of one session, all kinds of cache included."),
  maxCompletionTokens: tokens.optional().describe("Output tokens of one session."),
  maxTotalTokens: tokens.optional().describe("Input and output tokens of one session together."),
  maxCostCents: field.cents.optional().describe("Cost of one session in US cents (50 = $0.50), decimals allowed."),
  maxToolCalls: field.toolCalls.optional().describe("Tool calls of one session."),
  maxDuration: durationMs.optional().describe("Life of one session in milliseconds (60000 = one minute)."),
  maxSpawnDepth: field.spawnDepth.optional().describe("Levels of sub-agents below a session; 0 = it may not spawn."),
  maxChildAgents: children.optional().describe("Sub-agents a session may open over its life; 0 = none."),
} satisfies Record<BudgetField, z.ZodType>;

const budget = mapping(budgetShape, "a mapping of budget fields, such as maxCostCents: 50");

const toolIds = listOf(callerId, "tool names");
const tools = mapping(
  {
    allow: toolIds.optional().describe("The only tools allowed. Absent = all, an empty list = none."),
    deny: toolIds.optional().describe("Tools forbidden; deny beats allow."),
  },
  "a mapping with allow and deny",
);

const memory = mapFrom(z.boolean({ error: "expected true or false" }), "a mapping of memory names to true or false");

const quotas = mapping(
  {
    tokensPerHour: tokens.nullable().optional().describe("Tokens of the agent in one clock hour; null = no limit."),
    tokensPerDay: tokens.nullable().optional().describe("Tokens of the agent in one calendar day; null = no limit."),
    costPerDayUsd: usdLimit.describe("US dollars of the agent in one calendar day; null = no limit."),
    maxConcurrentChildren: children.nullable().optional().describe("Sub-agents open at one time; null = no limit."),
  },
  "a mapping of quotas, such as tokensPerDay: 1000000",
);

const permissions = {
  budget: budget.optional().describe("Limits of one session. An absent field falls to the role, then to the hard cap."),
  tools: tools
    .optional()
    .describe("Which tools may be used. A role's and an agent's both hold: allow lists intersect."),
  memory: memory.optional().describe("Named memory permissions; a role's and an agent's combine by AND."),
};

const agent = mapping(
  {
    id: callerId.describe("The agent's id, as it gives it in open_session."),
    role: callerId
      .optional()
      .describe("The role whose defaults fill in: researcher, analyst, writer, mediator or one of yours."),
    team: callerId.optional().describe("The team it spends for, listed under teams."),
    provider: callerId.optional().describe("The provider of its models when a report names none, such as anthropic."),
    ...permissions,
    dailyCostLimitUsd: usdLimit.describe("US dollars of the agent in one calendar day, over all its sessions."),
    quotas: quotas.optional().describe("Limits over all sessions of the agent in calendar windows."),
  },
  "an agent, such as - id: research-agent",
);

const role = mapping(
  { id: callerId.describe("The role's name, in any case; a built-in one is changed field by field."), ...permissions },
  "a role, such as - id: researcher",
);

const team = mapping(
  {
    id: callerId.describe("The team's id."),
    dailyCostLimitUsd: usdLimit.describe("US dollars of all agents of the team together in one calendar day."),
    taskCostLimitUsd: usdLimit.describe("US dollars for each task of the team, over all agents and all time."),
  },
  "a team, such as - id: research",
);

const task = mapping(
  {
    id: callerId.describe("The task's id, as agents give it in open_session."),
    title: taskTitle.optional().describe("A line for people; the id when absent."),
    team: callerId.optional().describe("The team whose task it is, listed under teams."),
    priority: field.label.optional().describe("Free text, such as low."),
    task_type: field.label.optional().describe("Free text, such as bugfix."),
    tags: taskTags
      .optional()
      .describe("Free tags; budget:0.50 limits the task to $0.50, the smallest such tag counts."),
    depends_on: listOf(callerId, "task ids").optional().describe("Tasks that must be done before this one is opened."),
  },
  "a task, such as - id: fix-typo",
);

const price = mapping(
  {
    inputUsd: usd.describe("US dollars per million input tokens."),
    outputUsd: usd.describe("US dollars per million output tokens."),
    cacheReadUsd: usd.optional().describe("Per million tokens read from the cache; the input price when absent."),
    cacheWriteUsd: usd.optional().describe("Per million tokens cached for 5 minutes; 1.25 x input when absent."),
    cacheWrite1hUsd: usd.optional().describe("Per million tokens cached for 1 hour; 2 x input when absent."),
  },
  "a price, such as {inputUsd: 3, outputUsd: 15}",
);

const tool = mapping(
  { estimatedCostUsd: usd.describe("US dollars that one call costs when its report names no cost of its own.") },
  "a tool, such as {estimatedCostUsd: 0.04}",
);

const timezone = z
  .string({ error: "expected an IANA time zone, such as UTC or Europe/Berlin" })
  .refine(isTimeZone, { error: "expected an IANA time zone, such as UTC or Europe/Berlin" });

const workspace = mapping(
  {
    id: callerId.default("default").describe("The workspace's id, shown in answers."),
    timezone: timezone.default("UTC").describe("The IANA time zone in which hours, days and months begin."),
    dailyCostLimitUsd: usdLimit.describe("US dollars of everybody together in one calendar day; null = no limit."),
    monthlyCostLimitUsd: usdLimit.describe("US dollars of everybody together in one calendar month; null = no limit."),
    hours: hoursFile.optional().describe("When work is done here; spend at other times is an incident."),
  },
  "a mapping with id, timezone, dailyCostLimitUsd, monthlyCostLimitUsd or hours",
);

/** The whole file. Cross references are checked apart (`policy-reference.ts`), so that all faults show at once. */
export const policyFile = mapping(
  {
    workspace: workspace.prefault({}).describe("The whole installation: its name, its clock, its own limits."),
    hardCaps: budget
      .optional()
      .describe("Ceilings over every budget and over a whole swarm; built-in figures otherwise."),
    roles: listOf(role, "roles")
      .optional()
      .describe("Named defaults; researcher, analyst, writer and mediator are built in."),
    agents: listOf(agent, "agents").optional().describe("The agents and their budgets."),
    teams: listOf(team, "teams").optional().describe("Teams and what they may spend."),
    tasks: listOf(task, "tasks").optional().describe("Tasks and what they may cost."),
    tools: mapFrom(tool, "a mapping of tool names, such as generate_image: {estimatedCostUsd: 0.04}")
      .optional()
      .describe("Tools that cost money by the call."),
    prices: mapFrom(price, "a mapping of model ids, such as my-model: {inputUsd: 3, outputUsd: 15}")
      .optional()
      .describe("Your own prices by model id, in US dollars per million tokens; they win over the built-in list."),
    unknownModel: oneOf(["worst_known", "deny", "unpriced"])
      .default("worst_known")
      .describe("A model without a price: take the dearest known one, refuse it, or record it without a cost."),
    unknownAgents: oneOf(["allow", "deny"])
      .default("allow")
      .describe("An agent this file does not list: held by its role and the hard caps only, or refused."),
    warnAt: field.share.default(0.8).describe("The share of a limit from which answers warn; above 0, at most 1."),
    onHoldExpiry: oneOf(["release", "charge"])
      .default("release")
      .describe("A hold that nobody settled: give the money back, or book it as an unconfirmed charge."),
    onMeterFailure: oneOf(["deny", "allow"])
      .default("deny")
      .describe("An agent whose usage cannot be metered (no transcript, a failing gate): stopped, or let go on."),
    meters: field
      .mapping(
        {
          claudeCode: oneOf(["optional", "required"])
            .default("optional")
            .describe("Required: inside Claude Code the budget tools deny until its hooks are installed."),
        },
        "a mapping such as claudeCode: required",
      )
      .prefault({})
      .describe("What must be metered without the model's help."),
    guidelines: guidelinesFile.optional().describe("What work usually costs, and from where on it is a red flag."),
    incidents: incidentsFile.prefault({}).describe("What an operator should look at, and what stops by itself."),
    webhooks: webhooksFile.optional().describe("Who is told of incidents, over signed HTTP."),
    privacy: privacy.prefault({}).describe("The privacy budget: what viewers may be told of single users."),
  },
  "a mapping of settings, such as agents: (for none, write {})",
);

/** astra.yml as checked: ids are texts, defaults are filled in, amounts are still plain numbers. */
export type PolicyFile = z.output<typeof policyFile>;
export type BudgetFile = z.output<typeof budget>;
