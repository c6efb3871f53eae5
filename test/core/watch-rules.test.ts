// Guidelines, paces of caps, hours of work and the pauses of webhooks: each rule at its boundaries.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { capSoon, capToWatch, type Marks, marksAt, type SharedCap } from "../../src/core/cap-pace.ts";
import { guidedCosts, guidelineNotices, redFlags } from "../../src/core/guidelines.ts";
import type { Limit } from "../../src/core/limits.ts";
import { EMPTY_BALANCE } from "../../src/core/usage.ts";
import { NO_ASK, verdictOf } from "../../src/core/verdict.ts";
import { plainType } from "../../src/core/watch-policy.ts";
import { afterAttempt, MOST_ATTEMPTS, pauseAfter } from "../../src/core/webhook-retry.ts";
import { isWithin, outsideHours } from "../../src/core/working-hours.ts";
import { policyOf } from "../world.ts";

const usd = (dollars: number): bigint => BigInt(Math.round(dollars * 1e6)) * 1_000n;
const NOON = Date.parse("2026-11-22T12:00:00Z");
const MINUTE = 60_000;

describe("guidelines", () => {
  const policy = policyOf({});
  const spend = { taskId: "594", teamId: "red", hour: "2026-11-22T12" };
  const balances =
    (task: bigint, team = 0n) =>
    (key: { scope: string }) => {
      const cost = key.scope === "task" ? task : key.scope === "team" ? team : 0n;
      return { ...EMPTY_BALANCE, spent: { ...EMPTY_BALANCE.spent, cost } };
    };

  test.each([
    ["config", 0.5, 1],
    ["bugfix", 3, 5],
    ["small_feature", 8, 15],
    ["large_feature", 20, 30],
  ])("of the guide for %s: past $%d a warning, past $%d an incident, to the nano-dollar", (type, to, redFlag) => {
    const notices = (cost: bigint) => guidelineNotices(guidedCosts(policy, spend, type, balances(cost)), null);
    const flags = (cost: bigint) => redFlags(policy, guidedCosts(policy, spend, type, balances(cost)));
    expect(notices(usd(to))).toEqual([]);
    expect(notices(usd(to) + 1n)).toMatchObject([{ kind: "guideline", scope: "task", scopeId: "594" }]);
    expect(flags(usd(redFlag))).toEqual([]);
    expect(flags(usd(redFlag) + 1n)).toMatchObject([
      { kind: "task_red_flag", scopeId: "594", windowKey: "", evidence: { guideline: type, red_flag_usd: redFlag } },
    ]);
  });

  test("of a team's day: past $50 a warning where it has no limit of its own, past $100 an incident", () => {
    const notices = (team: bigint, limit: bigint | null) =>
      guidelineNotices(guidedCosts(policy, spend, null, balances(0n, team)), limit);
    expect(notices(usd(50), null)).toEqual([]);
    expect(notices(usd(50) + 1n, null)).toMatchObject([{ scope: "team", scopeId: "red", window: "day" }]);
    expect(notices(usd(50) + 1n, usd(200))).toEqual([]);
    const flags = (team: bigint) => redFlags(policy, guidedCosts(policy, spend, null, balances(0n, team)));
    expect(flags(usd(100))).toEqual([]);
    expect(flags(usd(101))).toMatchObject([
      {
        kind: "team_day_red_flag",
        windowKey: "2026-11-22",
        message: "Team red spent $101.00 today, past the red flag of $100.00 (team_day, usually $10.00 to $50.00).",
      },
    ]);
  });

  test("are the same for every spelling of a type, and none for a type that no row names", () => {
    for (const type of ["bugfix", "Bug fix", "bug-fix", "BUG_FIX", "bug"]) expect(plainType(type)).toBe("bugfix");
    for (const type of ["config", "Typo / config fix", "typo", "config-fix"]) expect(plainType(type)).toBe("config");
    expect(plainType("Small feature")).toBe(plainType("small_feature"));
    for (const type of ["constructor", "chore", null])
      expect(redFlags(policy, guidedCosts(policy, spend, type, balances(usd(1_000))))).toEqual([]);
  });

  test("are changed and taken away row by row", () => {
    const changed = policyOf({
      guidelines: {
        taskTypes: { "Bug-Fix": { toUsd: 1, redFlagUsd: 2 }, chore: { toUsd: 1, redFlagUsd: 1 }, config: null },
        teamDay: null,
      },
    });
    const flags = (type: string) =>
      redFlags(changed, guidedCosts(changed, spend, type, balances(usd(2.5), usd(1_000)))).map((each) => each.kind);
    expect(flags("bugfix")).toEqual(["task_red_flag"]);
    expect(flags("chore")).toEqual(["task_red_flag"]);
    expect(flags("config")).toEqual([]);
    expect(flags("large_feature")).toEqual([]);
  });
});

describe("a notice", () => {
  const limit: Limit = {
    scope: "session",
    scopeId: "ses_1",
    window: "session",
    measure: "cost_usd",
    limit: usd(1),
    spent: 0n,
    held: 0n,
    resetsAt: null,
  };
  const notice = {
    kind: "guideline",
    scope: "task",
    scopeId: "594",
    window: "total",
    measure: "cost_usd",
    text: "Much.",
  } as const;
  const verdict = (spent: number) => verdictOf([{ ...limit, spent: usd(spent) }], NO_ASK, 800_000n, [], [notice]);

  test("makes an allow a warning, is told beside a warning, and leaves a deny as it is", () => {
    expect(verdict(0)).toMatchObject({
      decision: "warn",
      message: "Much. Within budget: $1.00 of $1.00 left (session).",
      binding: { kind: "guideline", scope: "task", scopeId: "594" },
    });
    expect(verdict(0.9)).toMatchObject({ decision: "warn", binding: { kind: "limit" } });
    expect(verdict(0.9).message).toMatch(/start nothing new\. Much\.$/);
    expect(verdict(1)).toEqual(verdictOf([{ ...limit, spent: usd(1) }], NO_ASK, 800_000n));
  });
});

describe("a cap about to be hit", () => {
  const rule = policyOf({}).incidents.cap_soon;
  const cap = (spent: number, rest: Partial<SharedCap> = {}): SharedCap => ({
    scope: "team",
    scopeId: "red",
    window: "day",
    measure: "cost_usd",
    limit: usd(10),
    spent: usd(spent),
    held: 0n,
    resetsAt: NOON + 12 * 3_600_000,
    ...rest,
  });
  const marks = (agoMs: number, spent: number): Marks => ({
    olderAt: NOON - agoMs,
    olderSpent: usd(spent),
    newerAt: NOON - agoMs,
    newerSpent: usd(spent),
  });

  test("is one that the pace of the last minutes hits within half an hour, and before it resets", () => {
    // $1.00 in 5 minutes; $4.00 are left: 20 minutes.
    expect(capSoon(rule, cap(6), marks(5 * MINUTE, 5), NOON)).toMatchObject({
      kind: "cap_soon",
      scope: "team",
      windowKey: `day cost_usd ${NOON + 12 * 3_600_000}`,
      evidence: { hit_in_minutes: 20, limit: 10, spent: 6, spent_since: 1, since: "2026-11-22T11:55:00.000Z" },
      message: "Team red will use up its day's $10.00 in about 20 min: $4.00 left, $12.00 an hour.",
    });
    // $0.50 in 5 minutes: 45 minutes.
    expect(capSoon(rule, cap(5.5), marks(5 * MINUTE, 5), NOON)).toBeNull();
    expect(capSoon(rule, cap(6, { resetsAt: NOON + 20 * MINUTE }), marks(5 * MINUTE, 5), NOON)).toBeNull();
    expect(capSoon(rule, cap(6, { resetsAt: NOON + 20 * MINUTE + 1 }), marks(5 * MINUTE, 5), NOON)).not.toBeNull();
    expect(
      capSoon(rule, cap(6, { scope: "task", window: "total", resetsAt: null }), marks(5 * MINUTE, 5), NOON),
    ).toMatchObject({
      windowKey: "total cost_usd",
    });
  });

  test("is not told from less than a minute, from nothing spent, or of money that came back", () => {
    expect(capSoon(rule, cap(9), marks(MINUTE - 1, 5), NOON)).toBeNull();
    expect(capSoon(rule, cap(9), marks(MINUTE, 5), NOON)).not.toBeNull();
    expect(capSoon(rule, cap(5), marks(5 * MINUTE, 5), NOON)).toBeNull();
    expect(capSoon(rule, cap(5), marks(5 * MINUTE, 6), NOON)).toBeNull();
    expect(capSoon(rule, cap(9), null, NOON)).toBeNull();
  });

  test("is a shared one that is half used and not over: the one that is used most", () => {
    const session: Limit = { ...cap(9), scope: "session" };
    expect(capToWatch(rule, [session, { ...session, scope: "ancestor" }])).toBeNull();
    expect(capToWatch(rule, [cap(4.99), cap(10), cap(0, { limit: 0n })])).toBeNull();
    expect(capToWatch(rule, [cap(5), cap(7, { scopeId: "blue" }), cap(6)])).toMatchObject({ scopeId: "blue" });
  });

  test("its marks are always some minutes old, once there was time, and never from the future", () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 200_000 }), fc.nat(1_000)), {
      minLength: 1,
      maxLength: 80,
    });
    fc.assert(
      fc.property(steps, (all) => {
        let at = NOON;
        let spent = 0n;
        let kept: Marks | null = null;
        for (const [ms, cost] of all) {
          at += ms;
          spent += BigInt(cost);
          const before: Marks | null = kept;
          kept = marksAt(kept, at, spent);
          expect(kept.olderAt).toBeLessThanOrEqual(kept.newerAt);
          expect(kept.olderSpent).toBeLessThanOrEqual(kept.newerSpent);
          expect(kept.newerAt).toBeLessThanOrEqual(at);
          if (before && at - before.newerAt < 5 * MINUTE) expect(kept).toBe(before);
        }
      }),
    );
  });
});

describe("hours of work", () => {
  const hoursOf = (raw: object) => policyOf({ workspace: { hours: raw } });
  const workdays = hoursOf({ days: ["mon", "tue", "wed", "thu", "fri"], from: "08:30", to: "19:00" });
  const nights = hoursOf({ days: ["sat"], from: "22:00", to: "06:00" });
  // 2026-11-21 is a Saturday.
  const at = (day: string, time: string) => ({
    day: `2026-11-${day}`,
    minute: Number(time.slice(0, 2)) * 60 + Number(time.slice(3)),
  });

  test.each([
    [workdays, "20", "08:29", false],
    [workdays, "20", "08:30", true],
    [workdays, "20", "18:59", true],
    [workdays, "20", "19:00", false],
    [workdays, "21", "12:00", false],
    [nights, "21", "21:59", false],
    [nights, "21", "22:00", true],
    [nights, "22", "05:59", true],
    [nights, "22", "06:00", false],
    [nights, "22", "22:00", false],
    [nights, "21", "05:00", false],
  ])("%# hold to the minute, over midnight too", (policy, day, time, within) => {
    if (!policy.hours) throw new Error("no hours");
    expect(isWithin(policy.hours, at(day, time))).toBe(within);
    expect(outsideHours(policy, "ada", 1n, at(day, time)) === null).toBe(within);
  });

  test("are never passed by what costs nothing, nor where none are stated", () => {
    expect(outsideHours(workdays, "ada", 0n, at("21", "12:00"))).toBeNull();
    expect(outsideHours(policyOf({}), "ada", usd(5), at("21", "03:00"))).toBeNull();
    expect(outsideHours(workdays, "ada", usd(5), at("21", "03:07"))).toMatchObject({
      scope: "agent",
      scopeId: "ada",
      windowKey: "2026-11-21",
      message:
        "Agent ada spent $5.00 on 2026-11-21 at 03:07, outside the hours of work (mon, tue, wed, thu, fri 08:30 to 19:00).",
    });
  });
});

describe("a webhook message", () => {
  test("is tried again in longer and longer pauses, twelve times over more than a day, then it failed", () => {
    let state = { attempts: 0, lastResult: null as string | null };
    let at = NOON;
    const pauses: number[] = [];
    for (;;) {
      const next = afterAttempt(state, { result: "failed", why: "HTTP 500" }, at, 0.5);
      if (next.state === "failed") break;
      pauses.push(next.nextAt - at);
      at = next.nextAt;
      state = next;
    }
    expect(pauses).toHaveLength(MOST_ATTEMPTS - 1);
    expect(pauses.slice(0, 4)).toEqual([5_000, 15_000, 45_000, 135_000]);
    expect(at - NOON).toBeGreaterThan(24 * 3_600_000);
    expect(at - NOON).toBeLessThan(48 * 3_600_000);
  });

  test("never comes back at one moment with all others, nor ever much later than the longest pause", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (attempts, jitter) => {
          const [least, usual, most] = [0, 0.5, 1].map((each) => pauseAfter(attempts, each)) as [
            number,
            number,
            number,
          ];
          expect(most - least).toBeGreaterThan(usual / 3);
          expect(pauseAfter(attempts, jitter)).toBeGreaterThanOrEqual(least);
          expect(pauseAfter(attempts, jitter)).toBeLessThanOrEqual(most);
          expect(most).toBeLessThanOrEqual(15 * 3_600_000);
        },
      ),
    );
  });

  test("that we broke off ourselves counts as not tried", () => {
    const before = { attempts: 3, lastResult: "HTTP 500" };
    expect(afterAttempt(before, { result: "given_back" }, NOON, 0)).toEqual({
      ...before,
      state: "pending",
      nextAt: NOON,
    });
  });
});
