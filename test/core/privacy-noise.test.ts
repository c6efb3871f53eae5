// The noise is what it says: both samplers against their exact distributions, by chi-square, from a fixed seed.
import { describe, expect, test } from "vitest";
import { NANO_PER_CENT, NANO_PER_USD } from "../../src/core/money.ts";
import { blurred } from "../../src/core/privacy.ts";
import { discreteGaussian, discreteLaplace, squareRoot } from "../../src/core/privacy-noise.ts";
import { seededBytes } from "../seeded-bytes.ts";
import { policyOf } from "../world.ts";

const SAMPLES = 20_000;
/** 21 bins, so 20 degrees of freedom: a right sampler is above this once in a thousand seeds. */
const CRITICAL = 45.315;
const BINS = 10;

type Weight = (x: number) => number;
const laplace =
  (scale: number): Weight =>
  (x) =>
    Math.exp(-Math.abs(x) / scale);
const gaussian =
  (variance: number): Weight =>
  (x) =>
    Math.exp(-(x * x) / (2 * variance));

/** Bins of so many whole numbers around zero, the outer two without an end. */
const binOf = (x: number, width: number): number => Math.max(-BINS, Math.min(BINS, Math.floor(x / width + 0.5))) + BINS;

/** How far the samples are from the weights, made into probabilities. */
function chiSquare(draw: () => bigint, weight: Weight, width: number): number {
  const seen = new Float64Array(2 * BINS + 1);
  for (let i = 0; i < SAMPLES; i++) tally(seen, binOf(Number(draw()), width), 1);
  const due = new Float64Array(2 * BINS + 1);
  const reach = 60 * BINS * width;
  for (let x = -reach; x <= reach; x++) tally(due, binOf(x, width), weight(x));
  const whole = due.reduce((sum, each) => sum + each);
  return statistic(
    seen,
    due.map((each) => (each / whole) * SAMPLES),
  );
}

function tally(bins: Float64Array, bin: number, by: number): void {
  bins[bin] = (bins[bin] ?? 0) + by;
}

function statistic(seen: Float64Array, due: Float64Array): number {
  expect(Math.min(...due), "the smallest bin").toBeGreaterThan(5);
  return due.reduce((sum, each, i) => sum + ((seen[i] ?? 0) - each) ** 2 / each, 0);
}

describe("the discrete Laplace", () => {
  test.each([
    [3n, 1n, 1],
    [7n, 2n, 1],
    [2n, 1n, 1],
    [40n, 1n, 11],
    [2_000n, 1n, 501],
  ])("of scale %d/%d is what it should be", (numerator, denominator, width) => {
    const random = seededBytes(`laplace ${numerator}/${denominator}`);
    const draw = () => discreteLaplace({ numerator, denominator }, random);
    expect(chiSquare(draw, laplace(Number(numerator) / Number(denominator)), width)).toBeLessThan(CRITICAL);
  });

  test("of a scale that is a tenth too large or too small is found out", () => {
    for (const [numerator, denominator] of [
      [33n, 10n],
      [27n, 10n],
    ] as const) {
      const random = seededBytes("wrong");
      const draw = () => discreteLaplace({ numerator, denominator }, random);
      expect(chiSquare(draw, laplace(3), 1)).toBeGreaterThan(2 * CRITICAL);
    }
  });

  test("is zero for a scale near zero, whichever way the ratio is written", () => {
    const random = seededBytes("small");
    const draws = Array.from({ length: 500 }, () => discreteLaplace({ numerator: 2n, denominator: 100n }, random));
    expect(new Set(draws)).toEqual(new Set([0n]));
  });
});

describe("the discrete Gaussian", () => {
  test.each([
    [16n, 1n, 1],
    [25n, 2n, 1],
    [12n, 1n, 1],
    [1_600n, 1n, 11],
    [10_000_000n, 1n, 801],
  ])("of variance %d/%d is what it should be", (numerator, denominator, width) => {
    const random = seededBytes(`gaussian ${numerator}/${denominator}`);
    const draw = () => discreteGaussian({ numerator, denominator }, random);
    expect(chiSquare(draw, gaussian(Number(numerator) / Number(denominator)), width)).toBeLessThan(CRITICAL);
  });

  test("of a deviation that is a tenth too large or too small is found out", () => {
    for (const numerator of [1936n, 1296n]) {
      const random = seededBytes("wrong");
      const draw = () => discreteGaussian({ numerator, denominator: 100n }, random);
      expect(chiSquare(draw, gaussian(16), 1)).toBeGreaterThan(2 * CRITICAL);
    }
  });

  test("is not the Laplace of the same deviation", () => {
    const random = seededBytes("other");
    expect(
      chiSquare(() => discreteLaplace({ numerator: 283n, denominator: 100n }, random), gaussian(16), 1),
    ).toBeGreaterThan(2 * CRITICAL);
  });
});

/** 16 bins, 15 degrees of freedom. */
const CRITICAL_16 = 37.697;

test.each([
  ["Laplace", discreteLaplace, 1n << 90n],
  ["Gaussian", discreteGaussian, 1n << 180n],
] as const)("the lowest bits of a %s far beyond 2^53 are noise too: no float made them", (name, sample, size) => {
  const random = seededBytes(`low ${name}`);
  const seen = new Float64Array(16);
  for (let i = 0; i < SAMPLES; i++)
    tally(seen, Number(BigInt.asUintN(4, sample({ numerator: size, denominator: 1n }, random))), 1);
  expect(statistic(seen, new Float64Array(16).fill(SAMPLES / 16))).toBeLessThan(CRITICAL_16);
});

describe("a released number", () => {
  const privacyWith = (rest: object) => policyOf({ privacy: { enabled: true, ...rest } }).privacy;
  const TEN = 10n * NANO_PER_USD;

  test("has the noise that its policy says: scale bound / epsilon, or variance bound² / (2 rho), in cents", () => {
    // $10 are 1,000 steps: scale 1,000 / 0.5, variance 1,000,000 / (2 × 0.05).
    for (const [mechanism, weight, width] of [
      ["laplace", laplace(2_000), 501],
      ["gaussian", gaussian(10_000_000), 801],
    ] as const) {
      const privacy = privacyWith({ mechanism });
      const random = seededBytes(`released ${mechanism}`);
      const draw = () => (blurred(privacy, "cost", TEN, 3n * NANO_PER_USD, random) - 3n * NANO_PER_USD) / NANO_PER_CENT;
      expect(chiSquare(draw, weight, width), mechanism).toBeLessThan(CRITICAL);
    }
  });

  test("lies on its grid, whatever the exact number's digits are", () => {
    const random = seededBytes("grid");
    for (let i = 0n; i < 200n; i++)
      expect(blurred(privacyWith({}), "cost", TEN, 123_456_789n * i, random) % NANO_PER_CENT).toBe(0n);
  });

  test("is of the clamped number: above the bound and below zero nothing more can be seen", () => {
    const privacy = privacyWith({});
    const with_ = (exact: bigint) => blurred(privacy, "cost", TEN, exact, seededBytes("same noise"));
    expect(with_(TEN + 1n)).toBe(with_(TEN));
    expect(with_(1_000_000n * TEN)).toBe(with_(TEN));
    expect(with_(-5n * TEN)).toBe(with_(0n));
    expect(with_(TEN) - with_(0n)).toBe(TEN);
    // Half a cent is rounded up, less is not.
    expect(with_(5_000_000n) - with_(4_999_999n)).toBe(NANO_PER_CENT);
  });
});

test("the square root is the largest whole number whose square fits", () => {
  for (const value of [0n, 1n, 2n, 3n, 4n, 8n, 9n, 15n, 16n, 10n ** 40n, 10n ** 40n - 1n, (1n << 200n) + 12345n]) {
    const root = squareRoot(value);
    expect(root * root <= value && (root + 1n) * (root + 1n) > value, String(value)).toBe(true);
  }
});
