// The verdict: exact at every boundary, the same in any order, never looser for more spend.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Limit, type Measure, min, remainingOf } from "../../src/core/limits.ts";
import { NANO_PER_USD } from "../../src/core/money.ts";
import { type Ask, type Decision, decideLimit, isExhausted, type Refusal, verdictOf } from "../../src/core/verdict.ts";

const PPM_80 = 800_000n;
const NOON = Date.parse("2026-11-22T12:00:00Z");
const MIDNIGHT = Date.parse("2026-11-23T00:00:00Z");
const usd = (dollars: number): bigint => BigInt(Math.round(dollars * 100)) * (NANO_PER_USD / 100n);

const LIMIT: Limit = {
  scope: "session",
  scopeId: "ses_1",
  window: "session",
  measure: "cost_usd",
  limit: usd(0.5),
  spent: 0n,
  held: 0n,
  resetsAt: null,
};
const TEAM: Limit = { ...LIMIT, scope: "team", scopeId: "night", window: "day", limit: usd(5), resetsAt: MIDNIGHT };

const measures = fc.constantFrom<Measure>("cost_usd", "total_tokens", "tool_calls", "duration_ms", "child_agents");
/** Small numbers, so that ties and exact boundaries are common. */
const small = fc.bigInt({ min: 0n, max: 12n });
const anyLimit: fc.Arbitrary<Limit> = fc.record({
  scope: fc.constantFrom("session", "ancestor", "task", "agent", "team", "workspace"),
  scopeId: fc.constantFrom("a", "b"),
  window: fc.constantFrom("session", "hour", "day", "month", "total"),
  measure: measures,
  limit: small,
  spent: small,
  held: small,
  resetsAt: fc.constantFrom(null, NOON, MIDNIGHT),
});
const anyLimits = fc.array(anyLimit, { maxLength: 8 });
const anyAsk: fc.Arbitrary<Ask> = fc.dictionary(measures, small) as fc.Arbitrary<Ask>;
const anyRefusal: fc.Arbitrary<Refusal> = fc.record({
  kind: fc.constantFrom("stop", "session_ended", "spawn_depth", "dependency"),
  scope: fc.constantFrom("session", "task", "agent"),
  scopeId: fc.constantFrom("a", "b"),
  text: fc.constantFrom("One.", "Two."),
});
const warnAt = fc.bigInt({ min: 1n, max: 1_000_000n });
const rank: Record<Decision, number> = { allow: 0, warn: 1, deny: 2 };

describe("one limit, to the nano-dollar", () => {
  const decision = (spent: bigint, held: bigint, ask: bigint) =>
    decideLimit({ ...LIMIT, spent, held }, { cost_usd: ask }, PPM_80);

  test("is over when spent and held together reach it", () => {
    expect(decision(usd(0.5) - 1n, 0n, 0n)).toBe("warn");
    expect(decision(usd(0.5), 0n, 0n)).toBe("deny");
    expect(decision(usd(0.3), usd(0.2), 0n)).toBe("deny");
    expect(decision(usd(0.3), usd(0.2) - 1n, 0n)).toBe("warn");
    expect(decision(usd(0.7), 0n, 0n)).toBe("deny");
  });

  test("admits an ask of exactly what remains, and not a nano-dollar more", () => {
    expect(decision(usd(0.2), usd(0.1), usd(0.2))).toBe("warn");
    expect(decision(usd(0.2), usd(0.1), usd(0.2) + 1n)).toBe("deny");
    expect(decision(0n, 0n, usd(0.5))).toBe("warn");
    expect(decision(0n, 0n, usd(0.5) + 1n)).toBe("deny");
  });

  test("warns from exactly 80 % on, the ask included", () => {
    expect(decision(usd(0.4) - 1n, 0n, 0n)).toBe("allow");
    expect(decision(usd(0.4), 0n, 0n)).toBe("warn");
    expect(decision(usd(0.2), usd(0.2) - 1n, 0n)).toBe("allow");
    expect(decision(usd(0.2), usd(0.2), 0n)).toBe("warn");
    expect(decision(usd(0.1), usd(0.1), usd(0.2) - 1n)).toBe("allow");
    expect(decision(usd(0.1), usd(0.1), usd(0.2))).toBe("warn");
  });

  test("warns at any share that the policy names, exact even where the share is no whole number of units", () => {
    const tokens = (spent: bigint, ppm: bigint) =>
      decideLimit({ ...LIMIT, measure: "total_tokens", limit: 7n, spent }, {}, ppm);
    expect(tokens(5n, PPM_80)).toBe("allow");
    expect(tokens(6n, PPM_80)).toBe("warn");
    expect(tokens(6n, 1_000_000n)).toBe("allow");
    expect(tokens(1n, 142_857n)).toBe("warn");
    expect(tokens(1n, 142_858n)).toBe("allow");
  });

  test("a limit of zero blocks all, but for tool calls, where it only forbids one", () => {
    expect(decideLimit({ ...LIMIT, limit: 0n }, {}, PPM_80)).toBe("deny");
    const calls: Limit = { ...LIMIT, measure: "tool_calls", limit: 0n };
    expect(decideLimit(calls, {}, PPM_80)).toBe("allow");
    expect(decideLimit(calls, { tool_calls: 1n }, PPM_80)).toBe("deny");
    expect(decideLimit({ ...calls, spent: 1n }, {}, PPM_80)).toBe("deny");
    expect(decideLimit({ ...calls, held: 1n }, {}, PPM_80)).toBe("deny");
  });

  test("what remains is never below zero", () => {
    fc.assert(
      fc.property(anyLimit, (limit) => {
        const remaining = remainingOf(limit);
        expect(remaining >= 0n).toBe(true);
        if (limit.spent + limit.held <= limit.limit) expect(remaining + limit.spent + limit.held).toBe(limit.limit);
        else expect(isExhausted(limit) && remaining === 0n).toBe(true);
      }),
    );
  });
});

describe("many limits", () => {
  test("their order never matters: not to the decision, the binding limit or the message", () => {
    const shuffled = fc.tuple(anyLimits, fc.array(anyRefusal, { maxLength: 3 })).chain(([limits, refusals]) =>
      fc.record({
        limits: fc.constant(limits),
        refusals: fc.constant(refusals),
        otherLimits: fc.shuffledSubarray(limits, { minLength: limits.length }),
        otherRefusals: fc.shuffledSubarray(refusals, { minLength: refusals.length }),
      }),
    );
    fc.assert(
      fc.property(shuffled, anyAsk, warnAt, (world, ask, ppm) => {
        const one = verdictOf(world.limits, ask, ppm, world.refusals);
        const other = verdictOf(world.otherLimits, ask, ppm, world.otherRefusals);
        expect([other.decision, other.binding, other.message]).toEqual([one.decision, one.binding, one.message]);
      }),
      { numRuns: 3_000 },
    );
  });

  test("the verdict is the strictest limit's own decision", () => {
    fc.assert(
      fc.property(anyLimits, anyAsk, warnAt, (limits, ask, ppm) => {
        const strictest = Math.max(0, ...limits.map((limit) => rank[decideLimit(limit, ask, ppm)]));
        expect(rank[verdictOf(limits, ask, ppm).decision]).toBe(strictest);
      }),
      { numRuns: 1_000 },
    );
  });

  test("the limit that binds is one whose own decision is the verdict", () => {
    fc.assert(
      fc.property(anyLimits, anyAsk, warnAt, (limits, ask, ppm) => {
        const { decision, binding } = verdictOf(limits, ask, ppm);
        const binders = limits.filter(
          (limit) =>
            limit.scope === binding?.scope &&
            limit.scopeId === binding.scopeId &&
            limit.window === binding.window &&
            limit.measure === binding.measure,
        );
        if (limits.length === 0) expect(binding).toBeNull();
        else expect(binders.map((limit) => decideLimit(limit, ask, ppm))).toContain(decision);
      }),
    );
  });

  test("more spend, more held, a larger ask, a lower limit or an earlier warning never loosens a verdict", () => {
    const more = fc.record({ spent: small, held: small, ask: small, lower: small, at: fc.nat(7), ppm: warnAt });
    fc.assert(
      fc.property(anyLimits, anyAsk, measures, warnAt, more, (limits, ask, measure, ppm, by) => {
        const before = verdictOf(limits, ask, ppm).decision;
        const worse = limits.map((limit, i) =>
          i === by.at
            ? {
                ...limit,
                spent: limit.spent + by.spent,
                held: limit.held + by.held,
                limit: limit.limit > by.lower ? limit.limit - by.lower : 0n,
              }
            : limit,
        );
        // "No tool calls" is a permission: as a lower limit it may be looser than one used up.
        fc.pre(
          !worse.some((limit, i) => limit.measure === "tool_calls" && limit.limit === 0n && limits[i]?.limit !== 0n),
        );
        const greater = { ...ask, [measure]: (ask[measure] ?? 0n) + by.ask };
        const after = verdictOf(worse, greater, min(by.ppm, ppm)).decision;
        expect(rank[after]).toBeGreaterThanOrEqual(rank[before]);
      }),
      { numRuns: 3_000 },
    );
  });

  test("another limit or another refusal never loosens a verdict", () => {
    fc.assert(
      fc.property(anyLimits, anyLimit, anyAsk, warnAt, anyRefusal, (limits, limit, ask, ppm, refusal) => {
        const before = rank[verdictOf(limits, ask, ppm).decision];
        expect(rank[verdictOf([...limits, limit], ask, ppm).decision]).toBeGreaterThanOrEqual(before);
        expect(verdictOf(limits, ask, ppm, [refusal])).toMatchObject({ decision: "deny", message: refusal.text });
      }),
    );
  });

  test("deny beats warn beats allow", () => {
    const used = (share: number): Limit => ({
      ...TEAM,
      scopeId: String(share),
      spent: (TEAM.limit * BigInt(share)) / 100n,
    });
    const bindingOf = (...shares: number[]) => {
      const { decision, binding } = verdictOf(shares.map(used), {}, PPM_80);
      return [decision, binding?.scopeId];
    };
    expect(bindingOf(10, 79)).toEqual(["allow", "79"]);
    expect(bindingOf(79, 80, 10)).toEqual(["warn", "80"]);
    expect(bindingOf(99, 100, 80)).toEqual(["deny", "100"]);
    expect(bindingOf(100, 130, 99)).toEqual(["deny", "130"]);
  });

  test("an operator's stop speaks before any other refusal", () => {
    const ended: Refusal = { kind: "session_ended", scope: "session", scopeId: "a", text: "Ended." };
    const stop: Refusal = { kind: "stop", scope: "workspace", scopeId: "w", text: "Stopped." };
    const verdict = verdictOf([{ ...LIMIT, spent: usd(1) }], {}, PPM_80, [ended, stop]);
    expect(verdict).toMatchObject({
      decision: "deny",
      message: "Stopped.",
      binding: { kind: "stop", scope: "workspace" },
    });
  });

  test("two limits equally used up: the one that resets later binds, one that never does before all", () => {
    const day: Limit = { ...TEAM, spent: TEAM.limit };
    const month: Limit = { ...TEAM, window: "month", resetsAt: MIDNIGHT + 8 * 86_400_000, spent: TEAM.limit };
    const task: Limit = { ...LIMIT, scope: "task", scopeId: "594", window: "total", spent: LIMIT.limit };
    expect(verdictOf([day, month], {}, PPM_80).binding).toMatchObject({ window: "month" });
    expect(verdictOf([day, month, task], {}, PPM_80).binding).toMatchObject({ scope: "task" });
  });

  test("no limit at all is an allow that says so", () => {
    expect(verdictOf([], {}, PPM_80)).toEqual({
      decision: "allow",
      message: "No limit bears on this.",
      binding: null,
      limits: [],
    });
  });
});

describe("the message tells a model what to do now", () => {
  const message = (limits: Limit[], ask: Ask = {}) => verdictOf(limits, ask, PPM_80).message;

  test("within budget: what is left", () => {
    expect(message([{ ...LIMIT, spent: usd(0.12) }])).toBe("Within budget: $0.38 of $0.50 left (session).");
    expect(message([{ ...LIMIT, measure: "tool_calls", limit: 20n, spent: 4n }])).toBe(
      "Within budget: 16 of 20 tool calls left (session).",
    );
    expect(message([{ ...LIMIT, measure: "duration_ms", limit: 60_000n, spent: 1_500n }])).toBe(
      "Within budget: 58.5 of 60 s left (session).",
    );
  });

  test("nearly over: finish with less", () => {
    expect(message([{ ...TEAM, spent: usd(4.2) }])).toBe(
      "Nearly over budget: $0.80 of $5.00 left (team night, today). It resets at 2026-11-23T00:00:00Z. Finish with less and start nothing new.",
    );
    expect(message([TEAM], { cost_usd: usd(4) })).toBe(
      "Nearly over budget: $5.00 of $5.00 left (team night, today) before this ask. It resets at 2026-11-23T00:00:00Z. Finish with less and start nothing new.",
    );
  });

  test("an ask that does not fit: ask for less", () => {
    expect(message([{ ...TEAM, spent: usd(3.42) }], { cost_usd: usd(2) })).toBe(
      "Denied: $2.00 asked, $1.58 of $5.00 left (team night, today). Ask for less, or finish with what is left. It resets at 2026-11-23T00:00:00Z.",
    );
  });

  test("over: stop, tell a human, and what is left elsewhere", () => {
    expect(message([{ ...LIMIT, spent: usd(0.51) }, TEAM])).toBe(
      "Over budget: $0.51 of $0.50 used (session). It does not reset. Left elsewhere: $5.00 of $5.00 (team night, today). Stop now and tell a human.",
    );
    expect(message([{ ...LIMIT, spent: usd(0.4), held: usd(0.1) }])).toBe(
      "Over budget: $0.50 of $0.50 used (session). It does not reset. Stop now and tell a human.",
    );
  });

  test("is short, one line, and free of floats, whatever the numbers", () => {
    const big = fc.bigInt({ min: 0n, max: 10n ** 16n });
    const bigLimit = fc
      .tuple(anyLimit, big, big, big)
      .map(([limit, a, b, c]): Limit => ({ ...limit, limit: a, spent: b, held: c }));
    fc.assert(
      fc.property(fc.array(bigLimit, { minLength: 1, maxLength: 6 }), anyAsk, (limits, ask) => {
        const text = message(limits, ask);
        expect(text.length).toBeLessThan(400);
        expect(text).toMatch(/^(Within budget|Nearly over budget|Denied|Over budget): [^\n]+\.$/);
        expect(text).not.toMatch(/NaN|undefined|null|e[+-]\d|\$-/);
      }),
    );
  });
});
