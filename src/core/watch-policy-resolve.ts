// Turns the watching parts of a checked astra.yml into the policy's own units.
import type { IncidentKind } from "./incident.ts";
import { nanoFromUsd, scaleDecimal } from "./money.ts";
import type { PolicyFile } from "./policy-file.ts";
import {
  BUILT_IN_GUIDELINES,
  BUILT_IN_TEAM_DAY,
  type Guideline,
  type Hours,
  plainType,
  type WatchPolicy,
} from "./watch-policy.ts";
import { DAYS } from "./watch-policy-file.ts";

type GuidelineFile = NonNullable<NonNullable<PolicyFile["guidelines"]>["teamDay"]>;

export function resolveWatch(file: PolicyFile): WatchPolicy {
  return {
    guidelines: guidelinesOf(file.guidelines),
    incidents: rulesOf(file.incidents),
    hours: file.workspace.hours ? hoursOf(file.workspace.hours) : null,
    webhooks: new Map(
      (file.webhooks ?? []).map(({ id, url, secretEnv, kinds }) => [
        id,
        { id, url, secretEnv, kinds: kinds ? new Set<IncidentKind>(kinds) : null },
      ]),
    ),
  };
}

/** The guide's table, changed row by row; null takes a row away. */
function guidelinesOf(file: PolicyFile["guidelines"]): WatchPolicy["guidelines"] {
  const taskTypes = new Map(BUILT_IN_GUIDELINES.map((each) => [plainType(each.name), each]));
  for (const [name, row] of Object.entries(file?.taskTypes ?? {})) {
    if (row === null) taskTypes.delete(plainType(name));
    else taskTypes.set(plainType(name), guidelineOf(name, row));
  }
  const day = file?.teamDay;
  return { taskTypes, teamDay: day ? guidelineOf("team_day", day) : day === null ? null : BUILT_IN_TEAM_DAY };
}

function guidelineOf(name: string, row: GuidelineFile): Guideline {
  return {
    name,
    from: nanoFromUsd(row.fromUsd),
    to: nanoFromUsd(row.toUsd),
    redFlag: nanoFromUsd(row.redFlagUsd),
  };
}

function rulesOf(file: PolicyFile["incidents"]): WatchPolicy["incidents"] {
  const { withinMinutes, fromShare, ...cap } = file.capSoon;
  return {
    task_red_flag: file.taskRedFlag,
    team_day_red_flag: file.teamDayRedFlag,
    token_spike: file.tokenSpike,
    output_heavy: file.outputHeavy,
    duplicate_work: file.duplicateWork,
    outside_hours: file.outsideHours,
    cap_soon: { ...cap, withinMs: withinMinutes * 60_000, fromPpm: scaleDecimal(String(fromShare), 6) },
  };
}

function hoursOf(file: { days: readonly (typeof DAYS)[number][]; from: string; to: string }): Hours {
  const minutes = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
  return { days: new Set(file.days.map((day) => DAYS.indexOf(day))), from: minutes(file.from), to: minutes(file.to) };
}
