// The parts of astra.yml that watch spending: `guidelines:`, `incidents:`, `webhooks:` and the workspace's hours.
import { z } from "zod";
import { callerId } from "./id.ts";
import { INCIDENT_KINDS } from "./incident.ts";
import { listOf, mapFrom, mapping, oneOf, share, tokens, usd } from "./policy-field.ts";
import { plainType } from "./watch-policy.ts";

export const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;

const TIME_RULE = 'expected a time of day from "00:00" to "24:00", in quotes';
const timeOfDay = z.string({ error: TIME_RULE }).regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, { error: TIME_RULE });

export const hoursFile = mapping(
  {
    days: listOf(oneOf(DAYS), "days, such as mon")
      .min(1, { error: "expected at least one day, such as mon" })
      .default([...DAYS])
      .describe("Days of work, such as [mon, tue, wed, thu, fri]; every day when absent."),
    from: timeOfDay.describe('When work begins, such as "08:00", in the workspace\'s time zone.'),
    to: timeOfDay.describe('When it ends, such as "19:00"; earlier than from = on the next day.'),
  },
  'hours of work, such as {days: [mon, fri], from: "08:00", to: "19:00"}',
);

const guideline = mapping(
  {
    fromUsd: usd.default(0).describe("US dollars that such work usually costs at least."),
    toUsd: usd.describe("US dollars that it usually costs at most; past it answers warn."),
    redFlagUsd: usd.describe("US dollars past which an incident is raised."),
  },
  "a guideline, such as {fromUsd: 0.5, toUsd: 3, redFlagUsd: 5}",
).refine(({ fromUsd, toUsd, redFlagUsd }) => fromUsd <= toUsd && toUsd <= redFlagUsd, {
  error: "expected fromUsd up to toUsd, and toUsd up to redFlagUsd",
});

const taskTypes = mapFrom(guideline.nullable(), "a mapping of task types, such as bugfix: {toUsd: 3, redFlagUsd: 5}");

export const guidelinesFile = mapping(
  {
    taskTypes: taskTypes
      .superRefine((types, context) => {
        const seen = new Map<string, string>();
        for (const type of Object.keys(types)) {
          const before = seen.get(plainType(type));
          if (before === undefined) seen.set(plainType(type), type);
          else
            context.addIssue({ code: "custom", path: [type], message: `expected one row only: ${before} is the same` });
        }
      })
      .optional()
      .describe("What a task of each type costs in all; built in are config, bugfix, small_feature and large_feature."),
    teamDay: guideline.nullable().optional().describe("What a team costs in one calendar day; null = not looked at."),
  },
  "a mapping with taskTypes and teamDay",
);

const enabled = z.boolean({ error: "expected true or false" }).default(true).describe("False = not looked for.");
const stop = z
  .boolean({ error: "expected true or false" })
  .default(false)
  .describe("True = it also stops what it is about, until an operator resumes it.");
const rule = mapping({ enabled, stop }, "a mapping with enabled and stop").prefault({});

const number = (least: number, most: number) => {
  const error = `expected a number from ${least} to ${most}`;
  return z.number({ error }).min(least, { error }).max(most, { error });
};
const count = (most: number) => {
  const error = `expected a whole number from 1 to ${most}`;
  return z.int({ error }).min(1, { error }).max(most, { error });
};

export const incidentsFile = mapping(
  {
    taskRedFlag: rule.describe("A task past the red flag of its type."),
    teamDayRedFlag: rule.describe("A team past the red flag of one day."),
    tokenSpike: mapping(
      {
        enabled,
        stop,
        factor: number(1, 1_000).default(5).describe("So many times the busiest minute before is a spike."),
        minTokens: tokens.default(100_000).describe("Below so many tokens in a minute nothing is a spike."),
        minReports: count(1_000).default(10).describe("Earlier reports from which a session has a past of its own."),
        minSessions: count(1_000).default(5).describe("Ended sessions from which a role has a past."),
      },
      "a mapping such as {factor: 5, stop: true}",
    )
      .prefault({})
      .describe("Tokens of one minute far above the past of session and role; a repeated error weighs more."),
    outputHeavy: mapping(
      {
        enabled,
        stop,
        ratio: number(0.1, 1_000).default(3).describe("So many tokens of output for each of input are too many."),
        minOutputTokens: tokens.default(20_000).describe("Below so many tokens of output none are too many."),
      },
      "a mapping such as {ratio: 3}",
    )
      .prefault({})
      .describe("A session whose output is far above its input."),
    duplicateWork: rule.describe("Sessions of different agents open on one task at the same time."),
    outsideHours: rule.describe("Spend outside workspace.hours, once per agent and day."),
    capSoon: mapping(
      {
        enabled,
        stop,
        withinMinutes: count(10_000).default(30).describe("A cap that would be hit within so many minutes."),
        fromShare: share.default(0.5).describe("The share of a cap from which its pace is looked at."),
      },
      "a mapping such as {withinMinutes: 30}",
    )
      .prefault({})
      .describe("A cap of a task, agent, team or the workspace that the present pace is about to hit."),
  },
  "a mapping of incidents, such as tokenSpike: {stop: true}",
);

const URL_RULE =
  "expected an https URL, or an http one of this machine (127.0.0.1, ::1, localhost), without user and password";
const ENV_RULE =
  "expected the name of an environment variable in capitals, such as OPS_WEBHOOK_SECRET, never the secret itself";

const webhook = mapping(
  {
    id: callerId.describe("Its name in lists; deliveries belong to it."),
    url: z
      .string({ error: URL_RULE })
      .max(2_000, { error: URL_RULE })
      .refine(isWebhookUrl, { error: URL_RULE })
      .describe("Where incidents are posted: https, or http to this machine."),
    secretEnv: z
      .string({ error: ENV_RULE })
      .regex(/^[A-Z][A-Z0-9_]{0,99}$/, { error: ENV_RULE })
      .describe("The environment variable that holds the secret its messages are signed with."),
    kinds: listOf(oneOf(INCIDENT_KINDS), "kinds of incident")
      .optional()
      .describe("Only incidents of these kinds; all when absent."),
  },
  "a webhook, such as {id: ops, url: https://example.com/hook, secretEnv: OPS_WEBHOOK_SECRET}",
);

export const webhooksFile = listOf(webhook, "webhooks");

/** A secret sent in the clear is known; only on this machine nobody listens in. */
function isWebhookUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  const isLocal = hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
  return (protocol === "https:" || (protocol === "http:" && isLocal)) && username === "" && password === "";
}
