// A released number: clamped to its bound, laid on its grid and blurred; and what telling it costs.
import { NANO_PER_CENT } from "./money.ts";
import { NANO, type PrivacyLoss } from "./privacy-account.ts";
import { discreteGaussian, discreteLaplace, type RandomBytes } from "./privacy-noise.ts";

export const MECHANISMS = ["laplace", "gaussian"] as const;
export type Mechanism = (typeof MECHANISMS)[number];

/** What can be released, each with a bound of its own: nano-dollars, or counts. */
export type ReleaseMeasure = "cost" | "tokens" | "toolCalls" | "charges";

/** Noise is added in whole steps of it: a finer one would show digits that mean nothing. */
const GRID: Readonly<Record<ReleaseMeasure, bigint>> = {
  cost: NANO_PER_CENT,
  tokens: 1n,
  toolCalls: 1n,
  charges: 1n,
};

/** `privacy:` of astra.yml. Totals are rounded down, prices and bounds up. */
export type PrivacyPolicy = {
  readonly enabled: boolean;
  readonly mechanism: Mechanism;
  /** Of one user's life, in nano-epsilon. */
  readonly epsilonTotal: bigint;
  /** What one number costs by each mechanism, in nano units. */
  readonly epsilonPerRelease: bigint;
  readonly rhoPerRelease: bigint;
  /** In units of 1e-18. */
  readonly deltaAtto: bigint;
  /** The most one user can change a released number by; whole steps of the grid. Null = it is not released. */
  readonly bounds: Readonly<Record<ReleaseMeasure, bigint | null>> & { readonly cost: bigint };
};

/** What so many released numbers cost their user. */
export function priceOf({ mechanism, epsilonPerRelease, rhoPerRelease }: PrivacyPolicy, numbers = 1n): PrivacyLoss {
  return mechanism === "laplace"
    ? { epsilon: epsilonPerRelease * numbers, rho: 0n }
    : { epsilon: 0n, rho: rhoPerRelease * numbers };
}

/**
 * The number as others may see it, in its own unit. All of a user's data may change it by the bound, so that is the
 * sensitivity: Laplace noise has the scale bound / epsilon, Gaussian the variance bound² / (2 rho). It may be negative.
 */
export function blurred(
  privacy: PrivacyPolicy,
  measure: ReleaseMeasure,
  bound: bigint,
  exact: bigint,
  random: RandomBytes,
): bigint {
  const grid = GRID[measure];
  const clamped = exact < 0n ? 0n : exact > bound ? bound : exact;
  const value = (2n * clamped + grid) / (2n * grid);
  return (value + noiseOf(privacy, bound / grid, random)) * grid;
}

function noiseOf({ mechanism, epsilonPerRelease, rhoPerRelease }: PrivacyPolicy, steps: bigint, random: RandomBytes) {
  return mechanism === "laplace"
    ? discreteLaplace({ numerator: steps * NANO, denominator: epsilonPerRelease }, random)
    : discreteGaussian({ numerator: steps * steps * NANO, denominator: 2n * rhoPerRelease }, random);
}

/** The bound as a whole number of steps, rounded up. */
export const onGrid = (measure: ReleaseMeasure, bound: bigint): bigint =>
  ((bound + GRID[measure] - 1n) / GRID[measure]) * GRID[measure];

/** How far a released number is typically off (one standard deviation), for people: a share of its bound. */
export function deviationOf({ mechanism, epsilonPerRelease, rhoPerRelease }: PrivacyPolicy): number {
  return mechanism === "laplace"
    ? Math.SQRT2 / (Number(epsilonPerRelease) / Number(NANO))
    : 1 / Math.sqrt((2 * Number(rhoPerRelease)) / Number(NANO));
}
