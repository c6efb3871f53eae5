// How fast a session spends: by its last minute where it was seen long enough, else by its life.
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Sample, spendRate, withSample } from "../../src/faces/spend-rate.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const session = { startedAt: NOW - 1_800_000, cost: 3 };
const seen = (...samples: [secondsAgo: number, cost: number][]): Sample[] =>
  samples.map(([secondsAgo, cost]) => ({ at: NOW - secondsAgo * 1_000, cost }));

test("what was watched for less than ten seconds goes by its whole life", () => {
  expect(spendRate([], session, NOW)).toBe(6);
  expect(spendRate(seen([9, 2]), session, NOW)).toBe(6);
});

test("what was watched longer goes by what it spent since, of the last minute at most", () => {
  expect(spendRate(seen([10, 2]), session, NOW)).toBe(360);
  expect(spendRate(seen([30, 2], [20, 2.5]), session, NOW)).toBe(120);
  expect(spendRate(seen([600, 0], [70, 2], [50, 2.5]), session, NOW)).toBe(60);
  expect(spendRate(seen([600, 3]), session, NOW)).toBe(0);
});

test("what started in the last minute goes by its start, whenever it was first seen", () => {
  expect(spendRate(seen([25, 1]), { startedAt: NOW - 30_000, cost: 1 }, NOW)).toBe(120);
});

test("what was taken back is no spending, and a session of a moment does not spend thousands", () => {
  expect(spendRate(seen([20, 5]), session, NOW)).toBe(0);
  expect(spendRate([], { startedAt: NOW - 1, cost: 0.01 }, NOW)).toBeCloseTo(3.6);
});

test("samples that are no longer needed are let go, and the rate is the same", () => {
  const steps = fc.array(fc.record({ ms: fc.integer({ min: 1, max: 40_000 }), cost: fc.nat({ max: 3 }) }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(steps, (all) => {
      let kept: readonly Sample[] = [];
      const every: Sample[] = [];
      let at = NOW;
      let cost = 0;
      for (const step of all) {
        at += step.ms;
        cost += step.cost;
        every.push({ at, cost });
        kept = withSample(kept, { at, cost });
        const life = { startedAt: NOW - 3_600_000, cost };
        expect(spendRate(kept, life, at)).toBe(spendRate(every, life, at));
        expect(kept.filter((each) => each.at <= at - 60_000).length).toBeLessThanOrEqual(1);
      }
    }),
  );
});
