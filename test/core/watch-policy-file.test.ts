// Guidelines, incidents, hours and webhooks in astra.yml: their defaults, what they turn into, and every fault in our words.
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { loadPolicy } from "../../src/config.ts";
import { INCIDENT_KINDS } from "../../src/core/incident.ts";
import { checkPolicy, pathText } from "../../src/core/policy-check.ts";
import { policyOf } from "../world.ts";

const faultsOf = (raw: unknown) => checkPolicy(raw).faults.map(({ path, message }) => `${pathText(path)}: ${message}`);
const hook = (rest: object = {}) => ({
  webhooks: [{ id: "ops", url: "https://example.com/hook", secretEnv: "OPS_WEBHOOK_SECRET", ...rest }],
});
const hours = (rest: object) => ({ workspace: { hours: { from: "08:00", to: "19:00", ...rest } } });

const URL_FAULT =
  "expected an https URL, or an http one of this machine (127.0.0.1, ::1, localhost), without user and password";

describe("what holds without a word in the file", () => {
  const { guidelines, incidents, webhooks } = policyOf({});

  test("is the guide's table", () => {
    const rows = [...guidelines.taskTypes.values(), guidelines.teamDay].map((row) =>
      row ? [row.name, ...[row.from, row.to, row.redFlag].map((nano) => Number(nano) / 1e9)] : null,
    );
    expect(rows).toEqual([
      ["config", 0.1, 0.5, 1],
      ["bugfix", 0.5, 3, 5],
      ["small_feature", 2, 8, 15],
      ["large_feature", 5, 20, 30],
      ["team_day", 10, 50, 100],
    ]);
  });

  test("looks for every kind, stops for none and tells nobody", () => {
    expect(Object.keys(incidents).sort()).toEqual([...INCIDENT_KINDS].sort());
    expect(Object.values(incidents).map(({ enabled, stop }) => [enabled, stop])).toEqual(
      INCIDENT_KINDS.map(() => [true, false]),
    );
    expect(webhooks.size).toBe(0);
  });
});

test("the example shows the defaults, as it says", () => {
  const { policy } = loadPolicy(fileURLToPath(new URL("../../astra.yml.example", import.meta.url)));
  const { guidelines, incidents } = policyOf({});
  expect([policy.guidelines, policy.incidents]).toEqual([guidelines, incidents]);
});

test("each setting is taken in its own unit, the rest of its kind stays as it is", () => {
  const policy = policyOf({
    incidents: {
      tokenSpike: { factor: 8, stop: true },
      capSoon: { withinMinutes: 5 },
      outsideHours: { enabled: false },
    },
    ...hook({ kinds: ["cap_soon"] }),
  });
  expect(policy.incidents.token_spike).toMatchObject({ factor: 8, stop: true, minTokens: 100_000, enabled: true });
  expect(policy.incidents.cap_soon).toEqual({ enabled: true, stop: false, withinMs: 300_000, fromPpm: 500_000n });
  expect(policy.incidents.outside_hours.enabled).toBe(false);
  expect(policy.webhooks.get("ops")?.kinds).toEqual(new Set(["cap_soon"]));
});

describe("faults", () => {
  test.each([
    ["http://example.com/hook"],
    ["http://127.0.0.1.example.com/"],
    ["http://localhost.example.com/"],
    ["https://user:password@example.com/"],
    ["ftp://example.com/"],
    ["file:///etc/passwd"],
    ["/hook"],
    [""],
  ])("a webhook at %s is refused", (url) => {
    expect(faultsOf(hook({ url }))).toEqual([`webhooks[0].url: found ${JSON.stringify(url)}, ${URL_FAULT}`]);
  });

  test.each(["https://example.com/hook?token=x", "http://127.0.0.1:8080/", "http://[::1]/x", "http://localhost/"])(
    "a webhook at %s is taken",
    (url) => {
      expect(faultsOf(hook({ url }))).toEqual([]);
    },
  );

  test.each([
    [
      "a secret where its variable should be named",
      hook({ secretEnv: "s3cret" }),
      'webhooks[0].secretEnv: found "s3cret", expected the name of an environment variable in capitals, such as OPS_WEBHOOK_SECRET, never the secret itself',
    ],
    [
      "a kind that there is not",
      hook({ kinds: ["tokenSpike"] }),
      'webhooks[0].kinds[0]: found "tokenSpike", expected one of task_red_flag, team_day_red_flag, token_spike, output_heavy, duplicate_work, outside_hours, cap_soon',
    ],
    [
      "two webhooks of one id",
      { webhooks: [...hook().webhooks, ...hook().webhooks] },
      'webhooks[1].id: "ops" is already the id of webhooks[0], expected each id once',
    ],
    [
      "a kind in snake case",
      { incidents: { token_spike: {} } },
      "incidents.token_spike: unknown key, expected one of taskRedFlag, teamDayRedFlag, tokenSpike, outputHeavy, duplicateWork, outsideHours, capSoon; did you mean tokenSpike?",
    ],
    [
      "a threshold of another kind",
      { incidents: { capSoon: { factor: 2 } } },
      "incidents.capSoon.factor: unknown key, expected one of enabled, stop, withinMinutes, fromShare",
    ],
    [
      "a factor of nothing",
      { incidents: { tokenSpike: { factor: 0 } } },
      "incidents.tokenSpike.factor: found 0, expected a number from 1 to 1000",
    ],
    [
      "a row in disorder",
      { guidelines: { teamDay: { toUsd: 5, redFlagUsd: 4 } } },
      "guidelines.teamDay: found a mapping, expected fromUsd up to toUsd, and toUsd up to redFlagUsd",
    ],
    [
      "one row twice",
      { guidelines: { taskTypes: { typo: null, config: null } } },
      "guidelines.taskTypes.config: found nothing, expected one row only: typo is the same",
    ],
    [
      "an hour that no clock shows",
      hours({ to: "25:00" }),
      'workspace.hours.to: found "25:00", expected a time of day from "00:00" to "24:00", in quotes',
    ],
    ["no day", hours({ days: [] }), "workspace.hours.days: found a list, expected at least one day, such as mon"],
    [
      "a day's whole name",
      hours({ days: ["monday"] }),
      'workspace.hours.days[0]: found "monday", expected one of sun, mon, tue, wed, thu, fri, sat',
    ],
  ])("%s is named with its place", (_, raw, line) => {
    expect(faultsOf(raw)).toEqual([line]);
  });
});
