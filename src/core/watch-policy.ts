// What the policy says about incidents: usual costs, thresholds, working hours and webhooks, with their defaults.
import type { IncidentKind } from "./incident.ts";
import { NANO_PER_USD, type Nano } from "./money.ts";

/** What something usually costs, and from where on it is no longer normal. `name` is how astra.yml calls it. */
export type Guideline = { readonly name: string; readonly from: Nano; readonly to: Nano; readonly redFlag: Nano };

/** Is the kind looked for, and does it stop what it is about? */
type Rule = { readonly enabled: boolean; readonly stop: boolean };

export type IncidentRules = Readonly<Record<IncidentKind, Rule>> & {
  readonly token_spike: Rule & SpikeRule;
  readonly output_heavy: Rule & OutputRule;
  readonly cap_soon: Rule & CapRule;
};

export type SpikeRule = {
  /** So many times the busiest minute before, the same error in a row counted as often as it came. */
  readonly factor: number;
  /** Tokens in a minute (cache reads left out), times the repeats of an error, below which nothing is a spike. */
  readonly minTokens: number;
  /** Reports before the present minute from which a session has a past of its own. */
  readonly minReports: number;
  /** Ended sessions from which a role has a past. */
  readonly minSessions: number;
};

export type OutputRule = { readonly ratio: number; readonly minOutputTokens: number };

export type CapRule = {
  readonly withinMs: number;
  /** The share of a cap, in millionths, from which its pace is looked at. */
  readonly fromPpm: bigint;
};

/** Local hours of work. `to` before `from` = over midnight, counted to the day on which they begin. */
export type Hours = {
  /** 0 = Sunday. */
  readonly days: ReadonlySet<number>;
  /** Minutes since midnight. */
  readonly from: number;
  readonly to: number;
};

export type Webhook = {
  readonly id: string;
  readonly url: string;
  /** The environment variable that holds its secret: a policy file is no place for one. */
  readonly secretEnv: string;
  /** Null = every kind. */
  readonly kinds: ReadonlySet<IncidentKind> | null;
};

/** The part of the policy that watches spending instead of limiting it. */
export type WatchPolicy = {
  readonly guidelines: {
    /** By the plain spelling of the task's type (`plainType`). */
    readonly taskTypes: ReadonlyMap<string, Guideline>;
    readonly teamDay: Guideline | null;
  };
  readonly incidents: IncidentRules;
  /** Null = not stated: any hour is as good as another. */
  readonly hours: Hours | null;
  readonly webhooks: ReadonlyMap<string, Webhook>;
};

/** Cost Control, "Real-world budget guidelines". */
export const BUILT_IN_GUIDELINES: readonly Guideline[] = [
  guideline("config", 10n, 50n, 100n),
  guideline("bugfix", 50n, 300n, 500n),
  guideline("small_feature", 200n, 800n, 1_500n),
  guideline("large_feature", 500n, 2_000n, 3_000n),
];
export const BUILT_IN_TEAM_DAY = guideline("team_day", 1_000n, 5_000n, 10_000n);

function guideline(name: string, ...cents: [bigint, bigint, bigint]): Guideline {
  const [from, to, redFlag] = cents.map((each) => (each * NANO_PER_USD) / 100n) as [Nano, Nano, Nano];
  return { name, from, to, redFlag };
}

/** Other words for a built-in type; "typo / config fix" is one row of the guide's table. */
const SPELLINGS: Readonly<Record<string, string>> = {
  typo: "config",
  typofix: "config",
  typoconfigfix: "config",
  configfix: "config",
  configchange: "config",
  configuration: "config",
  bug: "bugfix",
  bugfixes: "bugfix",
  bigfeature: "largefeature",
};

/** A task's type without case, spaces and signs: "Bug fix", "bug-fix" and "BUGFIX" are one. */
export function plainType(type: string): string {
  const plain = type.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
  return Object.hasOwn(SPELLINGS, plain) ? (SPELLINGS[plain] ?? plain) : plain;
}
