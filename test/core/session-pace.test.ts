// Pace of a session: what is ordinary raises nothing, what is far above the past does, and an error that repeats weighs more.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { policyFile } from "../../src/core/policy-file.ts";
import { resolvePolicy } from "../../src/core/policy-resolve.ts";
import { mayBeSpike, outputHeavy, type RolePace, tokenSpike, type Watch } from "../../src/core/session-pace.ts";

const { incidents } = resolvePolicy(policyFile.parse({})).policy;
const SPIKE = incidents.token_spike;
const HEAVY = incidents.output_heavy;
const AT = Date.parse("2026-11-22T12:00:00Z");
const SESSION = { id: "ses_1", agentId: "ada", charges: 40, day: "2026-11-22" };
const WATCH: Watch = { minuteAt: AT, reports: 5, tokens: 0, peakTokens: 30_000, sameErrors: 0 };

/** The same minutes as the ledger keeps them, without a ledger. */
function watchesOf(minutes: readonly (readonly number[])[]): { watch: Watch; charges: number }[] {
  const seen: { watch: Watch; charges: number }[] = [];
  let peakTokens = 0;
  let charges = 0;
  for (const [i, reports] of minutes.entries()) {
    let tokens = 0;
    for (const [j, report] of reports.entries()) {
      tokens += report;
      charges += 1;
      seen.push({ watch: { minuteAt: AT + i * 60_000, reports: j + 1, tokens, peakTokens, sameErrors: 0 }, charges });
    }
    peakTokens = Math.max(peakTokens, tokens);
  }
  return seen;
}

describe("a spike", () => {
  test("is a minute of five times the busiest before, from a hundred thousand tokens on", () => {
    const found = (tokens: number, peakTokens: number) =>
      tokenSpike(SPIKE, SESSION, { ...WATCH, tokens, peakTokens }, null);
    expect(found(149_999, 30_000)).toBeNull();
    expect(found(150_000, 30_000)).toMatchObject({ kind: "token_spike", scope: "session", scopeId: "ses_1" });
    expect(found(99_999, 1_000)).toBeNull();
    expect(found(100_000, 1_000)?.evidence).toEqual({
      tokens_in_minute: 100_000,
      same_errors_in_a_row: 0,
      most_in_a_minute_before: 1_000,
      factor: 5,
      min_tokens: 100_000,
      since: "2026-11-22T12:00:00.000Z",
    });
  });

  test("is none while there is no past to be far above", () => {
    const first: Watch = { ...WATCH, peakTokens: 0, tokens: 10_000_000 };
    expect(tokenSpike(SPIKE, { ...SESSION, charges: 5 }, first, null)).toBeNull();
    // Nine reports before this minute are one too few.
    expect(tokenSpike(SPIKE, { ...SESSION, charges: 14 }, { ...WATCH, tokens: 10_000_000 }, null)).toBeNull();
    expect(tokenSpike(SPIKE, { ...SESSION, charges: 15 }, { ...WATCH, tokens: 10_000_000 }, null)).not.toBeNull();
  });

  test("must be above the past of its role too, and that is all there is for a session that just began", () => {
    const role = (sessions: number, each: number): RolePace => ({ sessions, peakTokens: sessions * each });
    const now = { ...WATCH, tokens: 200_000 };
    expect(tokenSpike(SPIKE, SESSION, now, role(5, 50_000))).toBeNull();
    expect(tokenSpike(SPIKE, SESSION, now, role(5, 40_000))).not.toBeNull();
    expect(tokenSpike(SPIKE, SESSION, now, role(4, 50_000))).not.toBeNull();
    const young = { ...SESSION, charges: 5 };
    expect(tokenSpike(SPIKE, young, now, role(5, 40_000))?.message).toBe(
      "Agent ada used 200,000 tokens in a minute, 5 times the usual most of its role.",
    );
    expect(tokenSpike(SPIKE, young, now, role(5, 50_000))).toBeNull();
  });

  test("is told by a repeated error at the usual pace, also where there is no past", () => {
    const looping = (sameErrors: number) => ({ ...WATCH, tokens: 25_000, peakTokens: 25_000, sameErrors });
    expect(tokenSpike(SPIKE, SESSION, looping(4), null)).toBeNull();
    expect(tokenSpike(SPIKE, SESSION, looping(5), null)).toMatchObject({
      message:
        "Agent ada reported the same error 5 times in a row and used 25,000 tokens in a minute: this looks like a retry loop.",
      advice: "End the session, find the cause, and only then start again.",
    });
    expect(tokenSpike(SPIKE, { ...SESSION, charges: 5 }, { ...looping(5), peakTokens: 0 }, null)).not.toBeNull();
    // Waiting for a service that answers with an error costs next to nothing: that is patience.
    expect(tokenSpike(SPIKE, SESSION, { ...looping(50), tokens: 100 }, null)).toBeNull();
  });

  test("never disappears when there are more tokens or more of the same errors, nor appears by a busier past", () => {
    const watches = fc.record({
      minuteAt: fc.constant(AT),
      reports: fc.integer({ min: 1, max: 20 }),
      tokens: fc.integer({ min: 0, max: 2_000_000 }),
      peakTokens: fc.integer({ min: 0, max: 400_000 }),
      sameErrors: fc.integer({ min: 0, max: 12 }),
    });
    const roles = fc.option(fc.record({ sessions: fc.integer({ min: 1, max: 9 }), peakTokens: fc.nat(2_000_000) }));
    fc.assert(
      fc.property(
        watches,
        roles,
        fc.nat(1_000_000),
        fc.nat(5),
        fc.nat(1_000),
        (watch, role, tokens, errors, busier) => {
          const found = tokenSpike(SPIKE, SESSION, watch, role);
          if (!found) {
            const calmer = { ...watch, peakTokens: watch.peakTokens === 0 ? 0 : watch.peakTokens + busier };
            expect(tokenSpike(SPIKE, SESSION, calmer, role)).toBeNull();
            return;
          }
          const more = { ...watch, tokens: watch.tokens + tokens, sameErrors: watch.sameErrors + errors };
          expect(tokenSpike(SPIKE, SESSION, more, role)).not.toBeNull();
          // What need not be looked up is never missed.
          expect(mayBeSpike(SPIKE, SESSION, watch)).toBe(true);
        },
      ),
    );
  });

  test("is never found in a session whose context grows and whose minutes differ by up to five", () => {
    const minutes = fc
      .array(fc.tuple(fc.integer({ min: 1, max: 8 }), fc.double({ min: 0.21, max: 1, noNaN: true })), {
        minLength: 1,
        maxLength: 60,
      })
      .map((all) =>
        all.map(([reports, share]) => Array.from({ length: reports }, () => Math.floor((150_000 * share) / reports))),
      );
    fc.assert(
      fc.property(minutes, (all) => {
        for (const { watch, charges } of watchesOf(all))
          expect(tokenSpike(SPIKE, { ...SESSION, charges }, watch, null)).toBeNull();
      }),
    );
  });

  test("is not looked for where the policy says so", () => {
    expect(tokenSpike({ ...SPIKE, enabled: false }, SESSION, { ...WATCH, tokens: 9_000_000 }, null)).toBeNull();
  });
});

describe("too much output", () => {
  const session = { ...SESSION, openedAt: AT };
  const found = (prompt: number, output: number) => outputHeavy(HEAVY, session, { prompt, output });

  test("is three times the input, from twenty thousand tokens on", () => {
    expect(found(0, 19_999)).toBeNull();
    expect(found(0, 20_000)).not.toBeNull();
    expect(found(10_000, 29_999)).toBeNull();
    expect(found(10_000, 30_000)).toMatchObject({
      evidence: { output_tokens: 30_000, input_tokens: 10_000, ratio: 3, min_output_tokens: 20_000 },
      message: "A session of agent ada wrote 30,000 tokens for 10,000 tokens of input.",
    });
  });

  test("is never found where output is the smaller part", () => {
    fc.assert(
      fc.property(fc.nat(10_000_000), fc.nat(10_000_000), (a, b) => {
        expect(found(Math.max(a, b), Math.min(a, b))).toBeNull();
      }),
    );
  });
});
