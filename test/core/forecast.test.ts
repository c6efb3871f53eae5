// Forecasts: the pace so far, carried to the end of the window, and when it meets a limit.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { projected, reachedAt } from "../../src/core/forecast.ts";

const DAY = { start: 0, end: 86_400_000 };
const HOUR = 3_600_000;

describe("a forecast", () => {
  test.each([
    [6n, 6, 24n],
    [10n, 12, 20n],
    [0n, 12, 0n],
    [12_345n, 12, 24_600n],
    [5n, 24, 5n],
  ])("of %s after %s hours is %s", (spent, hours, end) => {
    expect(projected(spent, DAY, hours * HOUR)).toBe(end);
  });

  test("says nothing in the first hundredth of the window", () => {
    expect(projected(5n, DAY, 0)).toBeNull();
    expect(projected(5n, DAY, 863_999)).toBeNull();
    expect(projected(5n, DAY, 864_000)).toBe(500n);
    expect(reachedAt(5n, 10n, DAY, 863_999)).toBeNull();
  });

  test("says when a limit is met: now, later in the window, or not at all", () => {
    expect(reachedAt(10n, 10n, DAY, 6 * HOUR)).toBe(6 * HOUR);
    expect(reachedAt(6n, 12n, DAY, 6 * HOUR)).toBe(12 * HOUR);
    expect(reachedAt(6n, 24n, DAY, 6 * HOUR)).toBeNull();
    expect(reachedAt(0n, 1n, DAY, 6 * HOUR)).toBeNull();
  });

  test("a limit is met no earlier than now, and at its instant the pace has used it up", () => {
    const amount = fc.bigInt({ min: 1n, max: 10n ** 15n });
    fc.assert(
      fc.property(amount, amount, fc.integer({ min: 864_000, max: DAY.end - 1 }), (spent, limit, now) => {
        const at = reachedAt(spent, limit, DAY, now);
        if (at === null) {
          expect((spent * BigInt(DAY.end)) / BigInt(now)).toBeLessThanOrEqual(limit);
          return;
        }
        expect(at).toBeGreaterThanOrEqual(now);
        if (spent < limit) expect(spent * BigInt(at)).toBeGreaterThanOrEqual(limit * BigInt(now));
      }),
    );
  });
});
